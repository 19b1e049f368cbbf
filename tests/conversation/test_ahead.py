"""Conversations held ahead of their items: many at a time, bounded, in order, and ended with the run."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from typing import Any

import pytest

from conversation.test_items import GREETING, Team
from seatrial.fixtures.ahead import Ahead
from support.chat import Chat, Handler, completion


class Counting:
    """Answers when as many ask at a time as are to, and keeps the most there were."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.enough = threading.Event()

    def __call__(self, handler: Handler, _: Any) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now >= self.wanted:
                self.enough.set()
        self.enough.wait(5)
        with self.lock:
            self.now -= 1
        handler.reply(200, json.dumps(completion("I can help.")).encode())


@pytest.fixture
def team(pytester: pytest.Pytester, chat: Chat) -> Team:
    return Team(pytester, chat)


def services(chat: Chat, **more: Any) -> dict[str, Any]:
    return {"chat": {"url": {"stable": chat.url}, "timeout": "10s", **more}}


def test_many_are_held_at_a_time_and_reported_in_order(team: Team, chat: Chat) -> None:
    chat.answer = counting = Counting(8)
    for number in range(8):
        team.script(f"c{number}")
    result = team.run("-v")
    result.assert_outcomes(passed=8)
    assert counting.most == 8
    named = dict.fromkeys(re.findall(r"c\d@stable", result.stdout.str()))
    assert list(named) == [f"c{number}@stable" for number in range(8)]


def test_never_more_than_the_service_bears(team: Team, chat: Chat) -> None:
    chat.answer = counting = Counting(2)
    for number in range(6):
        team.script(f"c{number}")
    team.run(services=services(chat, concurrency=2)).assert_outcomes(passed=6)
    assert counting.most == 2


def test_those_that_expect_a_latency_are_held_with_few_beside_them(team: Team, chat: Chat) -> None:
    chat.answer = counting = Counting(2)
    for number in range(6):
        team.script(f"c{number}", GREETING + 'expect.max_latency = "9s"\n')
    team.run(services=services(chat, concurrency=16)).assert_outcomes(passed=6)
    assert counting.most == 2


def test_the_first_failure_ends_the_run_and_what_is_being_held(team: Team, chat: Chat) -> None:
    for number in range(30):
        team.script(f"c{number:02}", GREETING.replace("help", "nothing like it"))
    result = team.run("-x", services=services(chat, concurrency=1))
    result.assert_outcomes(failed=1)
    assert len(chat.requests) < 30


def test_only_what_is_selected_is_held(team: Team, chat: Chat) -> None:
    for number in range(5):
        team.script(f"c{number}")
    team.run("-k", "c3").assert_outcomes(passed=1, deselected=4)
    assert len(chat.requests) == 1


def test_rows_are_items_of_their_own(team: Team, chat: Chat) -> None:
    rows = '[[row]]\nname = "bonn"\ncity = "Bonn"\n[[row]]\nname = "kiel"\ncity = "Kiel"\n'
    team.script("shops", 'title = "t"\n' + rows + '[[turn]]\nsay = "In ${city}?"\nexpect.contains = "help"\n')
    team.run("-v").assert_outcomes(passed=2)
    assert set(team.outcomes()) == {"synthetic/shops[chat:bonn]@stable", "synthetic/shops[chat:kiel]@stable"}


def test_regions_are_items_of_their_own(team: Team, chat: Chat) -> None:
    team.script("greeting")
    regions = {"eu": {"services": {"chat": {"stable": chat.url}}}, "us": {"services": {"chat": {"stable": chat.url}}}}
    team.run(regions=regions).assert_outcomes(passed=3)
    keys = {
        "synthetic/greeting[chat]@stable",
        "synthetic/greeting[chat/eu]@stable",
        "synthetic/greeting[chat/us]@stable",
    }
    assert set(team.outcomes()) == keys


def test_a_failure_of_one_region_is_its_own(team: Team, chat: Chat) -> None:
    team.script("greeting")
    regions = {"eu": {"services": {"chat": {"stable": "http://127.0.0.1:9"}}}}
    team.run(regions=regions).assert_outcomes(passed=1, failed=1)
    assert team.outcomes()["synthetic/greeting[chat/eu]@stable"]["outcome"] == "fail"


def test_variables_of_the_environment(team: Team, chat: Chat) -> None:
    team.script("brand", 'title = "t"\n[[turn]]\nsay = "Is this ${env.brand}?"\nexpect.contains = "help"\n')
    team.run(variables={"brand": "Umbrella"}).assert_outcomes(passed=1)
    assert chat.requests[0][1]["messages"][-1]["content"] == "Is this Umbrella?"


def test_a_cookie_lasts_as_long_as_its_conversation(team: Team, chat: Chat) -> None:
    seen: list[str | None] = []

    def answer(handler: Handler, _: Any) -> None:
        seen.append(handler.headers.get("Cookie"))
        handler.reply(200, json.dumps(completion("I can help.")).encode(), Set_Cookie=f"user={len(seen)}")

    chat.answer = answer
    for number in range(2):
        team.script(f"c{number}", GREETING + '[[turn]]\nsay = "And then?"\nexpect.contains = "help"\n')
    team.run(services=services(chat, concurrency=1)).assert_outcomes(passed=2)
    assert seen == [None, "user=1", None, "user=3"]


def test_an_end_that_comes_just_before_the_stop_is_none_of_its_business(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Ahead({})
    ahead._thread.join()
    # The thread lives a moment longer than its loop.
    monkeypatch.setattr(ahead._thread, "is_alive", lambda: True)
    ahead.stop()


def test_a_stop_that_comes_before_the_beginning_holds_nothing() -> None:
    ahead = Ahead({})
    ahead._thread.join()
    late = Ahead.__new__(Ahead)
    late.__dict__.update(ahead.__dict__, _planned={"a": None})
    late._cancel()
    assert asyncio.run(late._hold()) is None
