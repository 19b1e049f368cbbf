"""Strategies as they go well, and with what goes wrong: the right decision, for the right reason."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

from rollout.stage import Deploy, Stage, Verified

PROMOTE, HOLD, ROLLBACK = 0, 10, 20

pytestmark = pytest.mark.long

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


def _kill(stage: Stage, name: str) -> None:
    with suppress(ProcessLookupError):
        os.kill(int(stage.variables[name]), signal.SIGKILL)


@pytest.mark.parametrize("strategy", ["canary", "blue-green"])
def test_a_good_release_is_promoted(bring_out: BringOut, strategy: str) -> None:
    verified = bring_out(strategy, canary if strategy == "canary" else blue_green)
    assert verified.exit_code == PROMOTE, verified.output
    assert verified.bad() == {}
    story = verified.story()
    assert story["ending"] == "settled"
    assert story["failed"] == 0
    print(f"{strategy}: promoted after {story['ended']:.0f} s, {story['exposed_users']} users met it")


@pytest.mark.parametrize(
    ("strategy", "deploy", "fault", "options", "exit_code", "blamed"),
    [
        pytest.param("canary", canary, "slow-under-weight", {}, ROLLBACK, "rollout/latency", id="slow-under-weight"),
        pytest.param("canary", canary, "sours", {}, ROLLBACK, "rollout/error-rate", id="errors-after-a-while"),
        pytest.param("canary", canary, "error-rate", {}, ROLLBACK, "rollout/error-rate", id="readiness-lies"),
        pytest.param("canary", canary_at_half, "leaks", {}, ROLLBACK, "settle/trend", id="memory-grows"),
        pytest.param("canary", canary_at_half, "", {"sticky": False}, HOLD, "rollout/sticky", id="sessions-lost"),
        pytest.param("canary", canary_at_half, "absent-metrics", {}, HOLD, "settle/trend", id="metrics-absent"),
        pytest.param(
            "canary", canary_at_half, "rollout-stuck", {}, ROLLBACK, "rollout/ready-replicas", id="half-the-replicas"
        ),
        pytest.param("canary", canary_without_a_weight, "", {}, HOLD, "canary/share", id="weight-not-applied"),
        pytest.param(
            "canary", canary_with_a_third_version, "", {"third": True}, HOLD, "traffic/versions", id="version-skew"
        ),
        pytest.param("canary", aborted, "", {}, HOLD, "settle/trend", id="aborted"),
        pytest.param("blue-green", never_switched, "", {}, HOLD, "switch/complete", id="never-switched"),
        pytest.param("blue-green", green_too_early, "", {}, HOLD, "switch/idle", id="green-too-early"),
        pytest.param("blue-green", blue_removed, "", {}, HOLD, "switch/way-back", id="blue-removed"),
        pytest.param(
            "blue-green", blue_gone_before_the_switch, "", {}, ROLLBACK, "rollout/users", id="users-without-answer"
        ),
    ],
)
def test_what_goes_wrong_is_decided_rightly(
    bring_out: BringOut,
    strategy: str,
    deploy: Deploy,
    fault: str,
    options: dict[str, bool],
    exit_code: int,
    blamed: str,
) -> None:
    verified = bring_out(strategy, deploy, faults=[fault] if fault else [], **options)
    assert verified.exit_code == exit_code, verified.output
    assert blamed in verified.bad(), verified.output
    print(f"{verified.story()['ending']} after {verified.story()['ended']:.0f} s")
