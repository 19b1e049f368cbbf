"""Lists and watches that end, break, forget and are refused, as those of an API do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cluster.conftest import Answer, Api
from seatrial.cluster.connection import Connection
from seatrial.cluster.following import Change, Follower
from seatrial.environment.model import Cluster
from seatrial.snapshot.kinds import KINDS

WITHIN = 10.0


def pod(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}}


def listed(version: int, *items: dict[str, Any]) -> Answer:
    return 200, {"metadata": {"resourceVersion": str(version)}, "items": list(items)}


def stream(*events: tuple[str, Any]) -> Answer:
    lines = b"".join(json.dumps({"type": sort, "object": item}).encode() + b"\n" for sort, item in events)
    return 200, lines


GONE = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}


@dataclass
class Script:
    """Answers lists and watches one after the other; the last of each is repeated."""

    lists: list[Answer]
    watches: list[Answer]
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, list[str]]) -> Answer | None:
        if "watch" not in query:
            return self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        self.asked.append(query["resourceVersion"][0])
        return self.watches.pop(0) if len(self.watches) > 1 else self.watches[0]


def follow(api: Api, cluster: Cluster, script: Script, until: Callable[[list[Change], Follower], bool]) -> Follower:
    api.answer = script.answer
    seen: list[Change] = []
    connection = Connection(cluster, within=WITHIN)
    follower = Follower(connection=connection, kind=KINDS["Pod"], namespace="shop", take=seen.append, watch_for=0.2)
    over = threading.Event()
    thread = threading.Thread(target=follower.run, args=(over,))
    thread.start()
    deadline, patience = time.monotonic() + WITHIN, threading.Event()
    try:
        while not until(seen, follower):
            assert time.monotonic() < deadline, f"seen {told(seen)}, asked {script.asked}, {follower.problem}"
            patience.wait(0.005)
    finally:
        over.set()
        connection.hang_up()
        thread.join()
        connection.close()
    return follower


def told(seen: list[Change]) -> list[str]:
    return [f"{'-' if one.gone else '+'}{one.item['metadata']['name']}" for one in seen]


FIRST = listed(10, pod("a", 5))


def test_changes_come_in_their_order_and_a_bookmark_moves_the_place(api: Api, cluster: Cluster) -> None:
    bookmark = ("BOOKMARK", {"metadata": {"resourceVersion": "40"}})
    events = stream(("MODIFIED", pod("a", 11)), ("ADDED", pod("b", 12)), ("DELETED", pod("a", 13)), bookmark)
    script = Script([FIRST], [events, stream()])
    follow(api, cluster, script, lambda seen, _: told(seen) == ["+a", "+a", "+b", "-a"] and "40" in script.asked)
    assert script.asked[0] == "10"


@pytest.mark.parametrize("gone", [stream(("ERROR", GONE)), (410, GONE)], ids=["in the stream", "as an answer"])
def test_a_forgotten_place_is_listed_again(gone: Answer, api: Api, cluster: Cluster) -> None:
    """What went meanwhile is told, and what is as it was is not."""
    script = Script([FIRST, listed(90, pod("b", 80))], [gone, stream()])
    follower = follow(api, cluster, script, lambda seen, _: told(seen) == ["+a", "-a", "+b"] and "90" in script.asked)
    assert follower.relists == 1


@pytest.mark.parametrize("broken", [(0, None), (-1, None), (500, {"message": "etcd"})], ids=["dropped", "cut", "500"])
def test_a_broken_watch_is_begun_anew_from_its_place(broken: Answer, api: Api, cluster: Cluster) -> None:
    script = Script([FIRST], [stream(("ADDED", pod("b", 12))), broken, stream(("ADDED", pod("c", 13))), stream()])
    follow(api, cluster, script, lambda seen, _: told(seen) == ["+a", "+b", "+c"])
    assert script.asked[:3] == ["10", "12", "12"]


def test_without_the_right_to_watch_it_is_listed_again_and_again(api: Api, cluster: Cluster) -> None:
    script = Script([FIRST, listed(11, pod("a", 5), pod("b", 11))], [(403, {"message": "cannot watch"})])
    follower = follow(api, cluster, script, lambda seen, _: told(seen) == ["+a", "+b"])
    assert follower.polled


def test_what_cannot_be_listed_ends_with_the_reason(api: Api, cluster: Cluster) -> None:
    script = Script([(403, {"message": "cannot list pods"})], [stream()])
    follower = follow(api, cluster, script, lambda _, one: one.listed.is_set())
    assert "cannot list pods" in follower.problem
