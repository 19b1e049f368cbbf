"""Rolling updates followed through the API, as they should be and with what goes wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rollout.driver import Driver
from seatrial.environment.model import Cluster, Objectives, Service
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import CannotLook, Outcome
from seatrial.rollout import rolling
from seatrial.rollout.cluster_watch import ClusterWatch
from seatrial.rollout.pod import asker
from seatrial.rollout.replay import Rolled
from seatrial.rollout.story import Story
from seatrial.rollout.traffic import Seen
from support import envtest

WITHIN = 20.0
CHECKS = {check.id: check for check in rolling.CHECKS}
Until = Callable[[Rolled], bool]
Play = Callable[[Driver], Until]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[envtest.Cluster]:
    with envtest.running(tmp_path_factory.mktemp("api")) as cluster:
        yield cluster


@contextmanager
def driving(api: envtest.Cluster, kind: str = "Deployment") -> Iterator[Driver]:
    driver = Driver(api, kind)
    try:
        yield driver
    finally:
        driver.close()


def followed(driver: Driver, play: Play, path: Path, *, ask: Any = None) -> Story:
    """What a watch makes of what is played, when it has seen it all."""
    start = time.monotonic()
    cluster = Cluster(kubeconfig=driver.cluster.kubeconfig, context=driver.cluster.context)
    watch = ClusterWatch(
        cluster,
        f"{driver.kind.lower()}/chat",
        driver.namespace,
        now=lambda: time.monotonic() - start,
        path=path / "cluster.ndjson",
        within=60.0,
        ask=ask,
    )
    patience = threading.Event()
    with watch:
        until = play(driver)
        deadline = time.monotonic() + WITHIN
        while (rolled := watch.rolled()) is None or not until(rolled):
            assert time.monotonic() < deadline, f"not seen: {rolled}, {watch.problem}, {watch.notes}"
            patience.wait(0.01)
    assert watch.problem == ""
    return Story(
        strategy="rolling",
        stable="1.4.2",
        candidate="1.5.0",
        compared=False,
        rolled=rolled,
        rolling_unread=watch.unread,
        ended=time.monotonic() - start,
    )


def told(story: Story) -> dict[str, Assessment]:
    return {identity: check.run(story, Objectives(), 30.0) for identity, check in CHECKS.items()}


def bad(story: Story, *, leave: str = "rolling/answering") -> dict[str, Outcome]:
    """What did not pass; nobody asks the pods here, unless a test does."""
    found = {one: assessed.outcome for one, assessed in told(story).items() if assessed.outcome is not Outcome.PASS}
    found.pop(leave, None)
    return found


def complete(rolled: Rolled) -> bool:
    return rolled.complete is not None


def stuck(rolled: Rolled) -> bool:
    return bool(rolled.workload.stuck) and all(pod.words for pod in rolled.waiting())


def good(driver: Driver) -> Until:
    driver.release()
    for done, old in enumerate(driver.olds()):
        driver.step(done, old)
    return lambda rolled: complete(rolled) and len(rolled.last) == driver.replicas


def test_a_good_deployment(api: envtest.Cluster, tmp_path: Path) -> None:
    with driving(api) as driver:
        driver.begin()
        driver.budget(minAvailable=3)
        story = followed(driver, good, tmp_path)
    assert bad(story) == {}
    rolled = story.rolled
    assert rolled is not None
    assert [len(batch.pods) for batch in rolled.batches] == [1, 1, 1, 1]
    assert all(batch.ready is not None for batch in rolled.batches)
    assert min(one.available for one in rolled.moments if one.steady) == 4
    words = told(story)["rolling/progress"].message
    assert "4 batch(es): 4 of 4 updated, 4 of 4 available" in words
    # Evidence was written as it came: every line is whole.
    lines = [json.loads(line) for line in (tmp_path / "cluster.ndjson").read_text().splitlines()]
    assert {"WorkloadView", "SetView", "PodView", "BudgetView"} <= {line["sort"] for line in lines}


def test_a_good_statefulset_with_a_partition(api: envtest.Cluster, tmp_path: Path) -> None:
    def play(driver: Driver) -> Until:
        driver.release()
        for updated, number in enumerate((3, 2)):
            driver.exchange(number, updated)
        return complete

    with driving(api, "StatefulSet") as driver:
        driver.begin(strategy={"partition": 2})
        story = followed(driver, play, tmp_path)
    assert bad(story) == {}
    found = told(story)
    assert found["rolling/ordinals"].message == "updated in the order 3, 2, partition 2"
    assert "2 kept back by the partition" in found["rolling/progress"].message


def started(driver: Driver) -> str:
    """The first new pod, pending."""
    driver.release()
    name = driver.pod()
    driver.status(updated=1, total=5, available=4)
    return name


def gives_up(driver: Driver) -> Until:
    driver.deadline_exceeded(updated=1, total=5, available=4)
    return stuck


def probe_fails(driver: Driver) -> Until:
    name = started(driver)
    driver.runs_unready(name)
    driver.warning(name, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    gives_up(driver)
    return lambda rolled: stuck(rolled) and bool(rolled.warnings)


def crash_loop(driver: Driver) -> Until:
    name = started(driver)
    driver.waits(name, "CrashLoopBackOff", "back-off 5m0s restarting failed container", restarts=1, exit_code=137)
    return gives_up(driver)


def image_pull(driver: Driver) -> Until:
    driver.waits(started(driver), "ImagePullBackOff", 'Back-off pulling image "registry.example/chat:1.5.0"')
    return gives_up(driver)


def config_missing(driver: Driver) -> Until:
    driver.waits(started(driver), "CreateContainerConfigError", 'configmap "chat-flags" not found')
    return gives_up(driver)


def gate_closed(driver: Driver) -> Until:
    driver.release()
    name = driver.pod(gates=["example.com/balanced"])
    driver.runs_unready(name, containers_ready=True)
    return gives_up(driver)


def unschedulable(driver: Driver) -> Until:
    driver.unschedulable(started(driver), "0/3 nodes are available: 3 Insufficient memory.")
    return gives_up(driver)


def crashing_without_a_deadline(driver: Driver) -> Until:
    """Nobody gives up on a StatefulSet."""
    driver.release()
    driver.delete("chat-3")
    driver.status(updated=0, total=3, available=3)
    driver.waits(driver.pod(number=3), "CrashLoopBackOff", restarts=1, exit_code=1)
    return lambda rolled: any(pod.trouble == "crash-loop" for pod in rolled.waiting())


def two_out_at_a_time(driver: Driver) -> Until:
    driver.release()
    olds = driver.olds()
    driver.delete(olds[0])
    driver.delete(olds[1])
    for done, old in enumerate(olds):
        if done < 2:
            driver.ready(driver.pod())
            driver.status(updated=done + 1, total=3 + done, available=3 + done)
        else:
            driver.step(done, old)
    return complete


def all_at_once(driver: Driver) -> Until:
    driver.release()
    olds = driver.olds()
    names = [driver.pod() for _ in olds]
    for name in names:
        driver.ready(name)
    for old in olds:
        driver.delete(old)
    driver.status(updated=4, total=4, available=4)
    return complete


def looser_than_the_budget(driver: Driver) -> Until:
    driver.release()
    olds = driver.olds()
    for old in olds[:2]:
        driver.delete(old)
    for done, old in enumerate(olds):
        if done >= 2:
            driver.delete(old)
        driver.ready(driver.pod())
    driver.status(updated=4, total=4, available=4)
    return complete


def restart_storm(driver: Driver) -> Until:
    driver.release()
    olds = driver.olds()
    name = driver.step(0, olds[0])
    for restarts in (1, 2, 3):
        driver.waits(name, "CrashLoopBackOff", restarts=restarts, exit_code=1)
        driver.ready(name, restarts=restarts)
    for done, old in enumerate(olds[1:], 1):
        driver.step(done, old)
    return complete


def ready_and_not(driver: Driver) -> Until:
    driver.release()
    olds = driver.olds()
    name = driver.step(0, olds[0])
    driver.runs_unready(name)
    driver.ready(name)
    for done, old in enumerate(olds[1:], 1):
        driver.step(done, old)
    return complete


def below_the_partition(driver: Driver) -> Until:
    driver.release()
    for updated, number in enumerate((3, 2, 1)):
        driver.exchange(number, updated)
    return lambda rolled: complete(rolled) and len(rolled.order) == 3


def from_below(driver: Driver) -> Until:
    driver.release()
    for updated, number in enumerate((0, 1, 2, 3)):
        driver.exchange(number, updated)
    return complete


def paused(driver: Driver) -> Until:
    driver.release(paused=True)
    driver.step(0, driver.olds()[0])
    return lambda rolled: rolled.workload.paused and rolled.workload.updated == 1


def nothing(driver: Driver) -> Until:
    return lambda rolled: len(rolled.last) == driver.replicas


@dataclass(frozen=True)
class Row:
    play: Play
    blamed: dict[str, Outcome]
    words: str
    kind: str = "Deployment"
    begin: dict[str, Any] = field(default_factory=dict)
    budget: dict[str, Any] = field(default_factory=dict)


FAIL, INCONCLUSIVE = Outcome.FAIL, Outcome.INCONCLUSIVE
STUCK = {"rolling/progress": FAIL, "rolling/drained": INCONCLUSIVE}
ROWS = {
    "stuck on its probe": Row(
        probe_fails,
        STUCK,
        "deadline: chat-hash2-5: not ready: chat (Unhealthy: Readiness probe failed: HTTP probe failed with statuscode",
    ),
    "crash loop": Row(
        crash_loop, {**STUCK, "rolling/restarts": FAIL}, "CrashLoopBackOff: Error, exit code 137, 1 restarts"
    ),
    "image pull": Row(image_pull, STUCK, 'ImagePullBackOff: Back-off pulling image "registry.example/chat:1.5.0"'),
    "configuration missing": Row(config_missing, STUCK, 'CreateContainerConfigError: configmap "chat-flags" not found'),
    "readiness gate": Row(gate_closed, STUCK, "readiness gate example.com/balanced is not True"),
    "unschedulable": Row(unschedulable, STUCK, "0/3 nodes are available: 3 Insufficient memory."),
    "crash loop without a deadline": Row(
        crashing_without_a_deadline, {**STUCK, "rolling/restarts": FAIL}, "exit code 1", kind="StatefulSet"
    ),
    "too many out": Row(two_out_at_a_time, {"rolling/available": FAIL}, "expected at least 4 of 4 available, seen 3"),
    "no batches": Row(
        all_at_once,
        {"rolling/available": FAIL, "rolling/batches": FAIL},
        "expected at most 1 new pods that are not available yet, seen 2",
    ),
    "looser than the budget": Row(
        looser_than_the_budget,
        {"rolling/budget": FAIL},
        "expected 3 healthy, seen 2",
        begin={"strategy": {"maxUnavailable": 2, "maxSurge": 0}},
        budget={"minAvailable": "75%"},
    ),
    "restart storm": Row(
        restart_storm, {"rolling/restarts": FAIL, "rolling/available": FAIL}, "expected at most 0 restarts, seen 3"
    ),
    "ready and then not": Row(
        ready_and_not, {"rolling/restarts": FAIL, "rolling/available": FAIL}, "expected ready once it was"
    ),
    "partition": Row(
        below_the_partition,
        {"rolling/ordinals": FAIL},
        "Pod chat-1: expected ordinals from 2 on",
        kind="StatefulSet",
        begin={"strategy": {"partition": 2}},
    ),
    "ordinals from below": Row(
        from_below, {"rolling/ordinals": FAIL}, "Pod chat-1: expected ordinal 1 before 0", kind="StatefulSet"
    ),
    "paused": Row(
        paused,
        {"rolling/progress": INCONCLUSIVE, "rolling/drained": INCONCLUSIVE},
        "the rollout is paused: 1 of 4 updated",
    ),
    "nothing happens": Row(nothing, dict.fromkeys(CHECKS, INCONCLUSIVE), "no rollout of Deployment chat was seen"),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_goes_wrong_is_named(row: Row, api: envtest.Cluster, tmp_path: Path) -> None:
    with driving(api, row.kind) as driver:
        driver.begin(**row.begin)
        if row.budget:
            driver.budget(**row.budget)
        story = followed(driver, row.play, tmp_path)
    found = told(story)
    blamed = {one: outcome for one, outcome in row.blamed.items() if one != "rolling/answering"}
    assert bad(story) == blamed, {one: str(assessed.message) for one, assessed in found.items()}
    said = "\n".join(f"{one.message} {'; '.join(map(str, one.findings))}" for one in found.values())
    assert row.words in said, said


def test_old_pods_are_left(api: envtest.Cluster, tmp_path: Path) -> None:
    with driving(api) as driver:
        driver.begin()
        claimed = driver.pod(claimed=True)
        driver.ready(claimed)
        driver.delete(driver.olds()[0])

        def play(driver: Driver) -> Until:
            good(driver)
            return lambda rolled: complete(rolled) and any(pod.leaving for pod in rolled.last.values())

        story = followed(driver, play, tmp_path)
        driver.unclaim(claimed)
    assert bad(story) == {"rolling/drained": FAIL}
    assert f"Pod {claimed}: expected gone, seen still there" in str(told(story)["rolling/drained"].findings[0])


class _Pod(BaseHTTPRequestHandler):
    """A pod that is told what to say."""

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        body = json.dumps({"version": self.server.version}).encode()
        self.send_response(200 if self.server.version else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], version: str) -> None:
        super().__init__(address, _Pod)
        self.version = version


@contextmanager
def pods(versions: list[str]) -> Iterator[tuple[list[str], int]]:
    """Servers at addresses of their own on one port, as pods have them."""
    servers: list[_Server] = []
    try:
        for number, version in enumerate(versions, 2):
            port = servers[0].server_address[1] if servers else 0
            servers.append(_Server((f"127.0.0.{number}", int(port)), version))
        threads = [threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}) for one in servers]
        for thread in threads:
            thread.start()
        yield [str(one.server_address[0]) for one in servers], int(servers[0].server_address[1])
        for one in servers:
            one.shutdown()
        for thread in threads:
            thread.join()
    finally:
        for one in servers:
            one.server_close()


@pytest.mark.parametrize(
    ("versions", "outcome", "words"),
    [
        (["1.5.0"] * 4, Outcome.PASS, ""),
        (["1.5.0", "", "1.5.0", "1.5.0"], Outcome.FAIL, "expected ready, and answering as 1.5.0, seen HTTP 503"),
        (["1.5.0", "1.5.0", "1.5.0", "1.4.2"], Outcome.FAIL, "seen version 1.4.2"),
    ],
    ids=["good", "readiness lies", "version skew"],
)
def test_pods_are_asked_themselves(
    versions: list[str], outcome: Outcome, words: str, api: envtest.Cluster, tmp_path: Path
) -> None:
    def play(driver: Driver) -> Until:
        good(driver)
        return lambda rolled: complete(rolled) and len({one.pod for one in rolled.answers}) == 4

    with driving(api) as driver, pods(versions) as (addresses, port):
        driver.addresses, driver.port = addresses, port
        driver.begin()
        service = Service.model_validate({"url": {"stable": "http://127.0.0.1:1"}})
        story = followed(driver, play, tmp_path, ask=asker(service, "run-1"))
    found = told(story)["rolling/answering"]
    assert found.outcome is outcome, found.message
    assert words in "; ".join(map(str, found.findings))


def _answers(begin: float, end: float, *, new: int, old: int, failed: int = 0) -> list[Seen]:
    kinds = [("1.5.0", "")] * new + [("1.4.2", "")] * old + [("", "http-503")] * failed
    step = (end - begin) / len(kinds)
    return [
        Seen(kind="fresh", user=0, at=begin + n * step, took=0.01, status=200, version=version, error=error)
        for n, (version, error) in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    ("seen", "outcome", "words"),
    [
        ({"new": 20, "old": 40}, Outcome.PASS, "users got answers of"),
        ({"new": 0, "old": 60}, Outcome.FAIL, "none of 60 new users got it"),
        ({"new": 20, "old": 20, "failed": 20}, Outcome.FAIL, "too many requests failed"),
    ],
    ids=["good", "not selected by the Service", "ready and failing"],
)
def test_users_tell_whether_ready_pods_answer(
    seen: dict[str, int], outcome: Outcome, words: str, api: envtest.Cluster, tmp_path: Path
) -> None:
    with driving(api) as driver:
        driver.begin()
        story = followed(driver, good, tmp_path)
    assert story.rolled is not None
    last = story.rolled.batches[-1].ready
    assert last is not None
    story.ended = last + 10
    story.seen = _answers(last, last + 10, **seen)
    found = told(story)["rolling/answering"]
    assert found.outcome is outcome, found.message
    assert words in f"{found.message} {'; '.join(map(str, found.findings))}"


def test_too_short_for_users_to_meet_is_no_pass(api: envtest.Cluster, tmp_path: Path) -> None:
    with driving(api) as driver:
        driver.begin()
        story = followed(driver, good, tmp_path)
    assert told(story)["rolling/answering"].outcome is Outcome.INCONCLUSIVE


def test_what_cannot_be_followed_is_no_verdict(api: envtest.Cluster, tmp_path: Path) -> None:
    with driving(api) as driver:
        driver.begin()
        cluster = Cluster(kubeconfig=api.kubeconfig, context=api.context)
        wrong = ClusterWatch(
            cluster, "deployment/chatt", driver.namespace, now=lambda: 0.0, path=tmp_path / "x", within=5.0
        )
        with pytest.raises(CannotLook, match=r"Deployment rolling-.*/chatt: 404"), wrong:
            pass
    with pytest.raises(CannotLook, match="of a deployment or a statefulset"):
        ClusterWatch(cluster, "daemonset/chat", "x", now=lambda: 0.0, path=tmp_path / "x", within=5.0)
    story = Story(strategy="rolling", stable="1", candidate="2", rolling_problem="pods: 403")
    with pytest.raises(CannotLook, match="could not be followed: pods: 403"):
        CHECKS["rolling/progress"].run(story, Objectives(), 30.0)
