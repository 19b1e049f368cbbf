"""Strategies as they go well, and with what goes wrong: the right decision, for the right reason."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.request import urlopen

import pytest

from rollout.stage import Deploy, Stage, Verified

PROMOTE, HOLD, ROLLBACK = 0, 10, 20
IN_A_ROW = 20
"""Answers of the new version, one after the other, before a reloaded proxy is taken to give no other."""

pytestmark = pytest.mark.long
SAMPLE = pytest.mark.sample

BringOut = Callable[..., Verified]


def canary(stage: Stage) -> None:
    """20 %, then everybody, each once the step before was judged."""
    stage.watched_for(1)
    for number, weight in enumerate((20, 100), 1):
        stage.proxy.weight(weight)
        stage.say(f"weight {weight}")
        if not stage.judged(number):
            return


def canary_at_half(stage: Stage) -> None:
    """One step alone, after which nothing more comes."""
    stage.watched_for(1)
    stage.proxy.weight(50)
    stage.say("weight 50")
    if stage.judged(1):
        stage.say("done")


def all_at_once(stage: Stage) -> None:
    """One step to everybody."""
    stage.watched_for(1)
    stage.proxy.weight(100)
    stage.say("weight 100")


def canary_without_a_weight(stage: Stage) -> None:
    stage.watched_for(1)
    stage.say("weight 20")


def canary_with_a_third_version(stage: Stage) -> None:
    stage.watched_for(1)
    stage.proxy.weight(50, other=20)
    stage.say("weight 50")
    if stage.judged(1):
        stage.say("done")


def aborted(stage: Stage) -> None:
    stage.watched_for(1)
    stage.proxy.weight(20)
    stage.say("weight 20")
    if stage.judged(1):
        stage.proxy.weight(0)
        stage.say("abort")


def blue_green(stage: Stage) -> None:
    stage.watched_for(8)
    stage.proxy.weight(100)
    stage.say("switch")


def never_switched(stage: Stage) -> None:
    stage.watched_for(8)
    stage.say("switch")


def green_too_early(stage: Stage) -> None:
    stage.proxy.weight(30)
    blue_green(stage)


def blue_removed(stage: Stage) -> None:
    blue_green(stage)
    if stage.settling():
        _kill(stage, "stable_pid")


def blue_gone_before_the_switch(stage: Stage) -> None:
    stage.watched_for(8)
    _kill(stage, "stable_pid")
    stage.watched_for(13)
    stage.proxy.weight(100)
    stage.say("switch")


def blue_cuts_what_is_in_flight(stage: Stage) -> None:
    """Blue ends as soon as green answers, in the middle of what it says."""
    stage.watched_for(8)
    stage.proxy.weight(100)
    _until_served(stage, "1.5.0")
    _kill(stage, "stable_pid")
    stage.say("switch")


def green_knows_no_session(stage: Stage) -> None:
    """Whoever was there before the switch is refused once, and begins anew."""
    stage.proxy.weight(0, extra=_SESSION.format(track="blue"))
    stage.watched_for(8)
    refuse = f'if ($cookie_session = "blue") {{ {_SESSION.format(track="green")} return 401; }}'
    stage.proxy.weight(100, extra=f"{refuse} {_SESSION.format(track='green')}")
    stage.say("switch")


_SESSION = 'add_header Set-Cookie "session={track}; Path=/" always;'


def pod_by_pod(stage: Stage, then: Deploy = lambda _: None) -> None:
    """The pods of a Deployment, each in the list of nginx once it is ready, and `then` as the last one goes."""
    driver = stage.driver
    assert driver is not None
    stage.watched_for(2)
    driver.release()
    for done, old in enumerate(driver.olds()):
        driver.step(done, old)
        stage.proxy.weight(100.0 * (done + 1) / driver.replicas)
        if done == driver.replicas - 1:
            then(stage)
        stage.watched_for(2 + 1.5 * (done + 1))


def image_is_missing(stage: Stage) -> None:
    driver = stage.driver
    assert driver is not None
    stage.watched_for(2)
    driver.release()
    pod = driver.pod()
    driver.status(updated=1, total=5, available=4)
    driver.waits(pod, "ImagePullBackOff", 'Back-off pulling image "registry.example/chat:1.5.0"')
    driver.deadline_exceeded(updated=1, total=5, available=4)


def old_pods_cut_what_is_in_flight(stage: Stage) -> None:
    """The last old pod ends when nobody new gets it, in the middle of what it says."""

    def end(stage: Stage) -> None:
        _until_served(stage, "1.5.0")
        _kill(stage, "stable_pid")

    pod_by_pod(stage, end)


def _until_served(stage: Stage, version: str) -> None:
    """Until new users get it alone: a proxy that reloads takes some in by its old configuration for a moment."""
    deadline, row = time.monotonic() + 10, 0
    while row < IN_A_ROW:
        assert time.monotonic() < deadline, "the switch was not made"
        seen = json.loads(urlopen(f"{stage.proxy.url}/version", timeout=5).read())["version"]
        row = row + 1 if seen == version else 0


def _kill(stage: Stage, name: str) -> None:
    with suppress(ProcessLookupError):
        os.kill(int(stage.variables[name]), signal.SIGKILL)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("strategy", "deploy", "options"),
    [
        pytest.param("canary", canary, {"scraped": True}, id="canary"),
        pytest.param("blue-green", blue_green, {}, id="blue-green"),
        pytest.param("rolling", pod_by_pod, {}, id="rolling", marks=SAMPLE),
    ],
)
def test_a_good_release_is_promoted(
    bring_out: BringOut, strategy: str, deploy: Deploy, options: dict[str, bool]
) -> None:
    verified = bring_out(strategy, deploy, settle="20s", **options)
    assert verified.exit_code == PROMOTE, verified.output
    assert verified.bad() == {}
    story = verified.story()
    assert story["ending"] == "settled"
    assert story["failed"] == 0
    if options.get("scraped"):
        assert "requests failed" in verified.words("metrics/error-rate")
    print(f"{strategy}: promoted after {story['ended']:.0f} s, {story['exposed_users']} users met it")


@pytest.mark.parametrize(
    ("strategy", "deploy", "fault", "options", "exit_code", "blamed", "words"),
    [
        pytest.param(
            *("canary", canary, "slow-under-weight", {}, ROLLBACK, "rollout/latency"),
            "slower than stable by more than is tolerated",
            id="slow-under-weight",
        ),
        pytest.param(
            *("canary", canary, "sours", {}, ROLLBACK, "rollout/error-rate"),
            "too many requests failed",
            id="errors-after-a-while",
        ),
        pytest.param(
            *("canary", canary, "error-rate", {"scraped": True}, ROLLBACK, "metrics/error-rate"),
            "requests failed",
            id="readiness-lies",
            marks=SAMPLE,
        ),
        pytest.param(*("canary", all_at_once, "leaks", {}, ROLLBACK, "settle/trend"), "memory", id="memory-grows"),
        pytest.param(*("canary", all_at_once, "ages", {}, ROLLBACK, "settle/trend"), "latency", id="slower-with-time"),
        pytest.param(
            *("canary", canary_at_half, "", {"sticky": False}, HOLD, "rollout/sticky"),
            "thrown between versions",
            id="sessions-lost",
        ),
        pytest.param(
            *("canary", canary_at_half, "absent-metrics", {}, HOLD, "settle/trend"), "memory", id="metrics-absent"
        ),
        pytest.param(
            *("canary", canary_at_half, "rollout-stuck", {}, ROLLBACK, "rollout/ready-replicas"),
            "ready",
            id="half-the-replicas",
        ),
        pytest.param(
            *("canary", canary_without_a_weight, "", {}, HOLD, "canary/share"),
            "not the one asked for at 1 step(s)",
            id="weight-not-applied",
        ),
        pytest.param(
            *("canary", canary_with_a_third_version, "", {"third": True}, HOLD, "traffic/versions"),
            "1 other version(s) answered",
            id="version-skew",
        ),
        pytest.param(*("canary", aborted, "", {}, HOLD, "settle/trend"), "aborted", id="aborted"),
        pytest.param(
            *("blue-green", never_switched, "", {}, HOLD, "switch/complete"),
            "the switch never happened",
            id="never-switched",
        ),
        pytest.param(
            *("blue-green", green_too_early, "", {}, HOLD, "switch/idle"), "users got green early", id="green-too-early"
        ),
        pytest.param(
            *("blue-green", blue_removed, "", {}, HOLD, "switch/way-back"),
            "blue could not take the traffic back",
            id="blue-removed",
        ),
        pytest.param(
            *("blue-green", blue_gone_before_the_switch, "", {}, ROLLBACK, "rollout/users"),
            "too many requests failed",
            id="users-without-answer",
            marks=pytest.mark.ci,
        ),
        pytest.param(
            *("blue-green", blue_cuts_what_is_in_flight, "long-answers", {"users": 24}, HOLD, "rollout/conversations"),
            "answer(s) were cut",
            id="answers-cut-at-the-switch",
        ),
        pytest.param(
            *("blue-green", green_knows_no_session, "", {}, HOLD, "switch/sessions"),
            "4 user(s) lost an answer",
            id="sessions-end-at-the-switch",
        ),
        pytest.param(
            *("rolling", image_is_missing, "", {}, ROLLBACK, "rolling/progress"),
            "exceeded its progress deadline: chat-hash2-5: container chat: ImagePullBackOff",
            id="image-missing",
            marks=SAMPLE,
        ),
        pytest.param(
            *(
                "rolling",
                old_pods_cut_what_is_in_flight,
                "long-answers",
                {"users": 40, "replicas": 2},
                HOLD,
                "rollout/conversations",
            ),
            "answer(s) were cut",
            id="old-pods-cut-answers",
        ),
    ],
)
def test_what_goes_wrong_is_decided_rightly(
    bring_out: BringOut,
    strategy: str,
    deploy: Deploy,
    fault: str,
    options: dict[str, Any],
    exit_code: int,
    blamed: str,
    words: str,
) -> None:
    verified = bring_out(strategy, deploy, faults=[fault] if fault else [], **options)
    assert verified.exit_code == exit_code, verified.output
    assert blamed in verified.bad(), verified.output
    assert words in verified.words(blamed)
    print(f"{verified.story()['ending']} after {verified.story()['ended']:.0f} s: {verified.bad()}")
