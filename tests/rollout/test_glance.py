"""The line for people who wait."""

from __future__ import annotations

from seatrial.evidence.assessment import Assessment
from seatrial.rollout import glance
from seatrial.rollout.story import Step, Story
from seatrial.rollout.traffic import Seen


def test_before_anything_is_known() -> None:
    story = Story(strategy="canary", stable="1.4.2", candidate="1.5.0")
    line = glance.watched(story, [], "waiting for the deployer's word", 0.0)
    assert line == (
        "no step yet | waiting for the deployer's word | nothing judged yet | "
        "users 0 of 0 failed [0.0%, 100.0%] | p95 1.4.2 -, 1.5.0 -"
    )


def test_the_interval_closes_and_the_worse_of_two_verdicts_counts() -> None:
    step = Step(weight=20, told=0, by_word=True, errors=Assessment.passed("ok"), latency=Assessment.failed("slow"))
    story = Story(strategy="canary", stable="1.4.2", candidate="1.5.0", steps=[step])
    seen = [
        Seen(kind="fresh", user=0, at=number / 10, took=0.02 if number % 2 else 0.04, version=version)
        for number in range(1000)
        for version in [("1.4.2", "1.5.0")[number % 2]]
    ]
    early = glance.watched(story, seen[:100], "x", 10.0)
    late = glance.watched(story, seen, "settling, 5 s left", 100.0)
    assert "users 0 of 100 failed [0.0%, 5.2%]" in early
    assert late == (
        "20 % | settling, 5 s left | 20 % fail | users 0 of 1000 failed [0.0%, 0.5%] | p95 1.4.2 40 ms, 1.5.0 20 ms"
    )
