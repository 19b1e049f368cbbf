"""The line for people who wait."""

from __future__ import annotations

from typing import Any

from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.fixtures.progress import SPARE
from seatrial.judge.proportions import Counts
from seatrial.judge.sequential import Look
from seatrial.judge.sequential_errors import ErrorLook
from seatrial.load.live import Progress
from seatrial.rollout import glance
from seatrial.rollout.story import Step, Story
from seatrial.rollout.traffic import Seen


def test_before_anything_is_known() -> None:
    story = Story(strategy="canary", stable="1.4.2", candidate="1.5.0")
    line = glance.watched(story, [], "waiting for the deployer's word", 0.0)
    assert line == (
        "no step yet | nothing judged yet | 0/0 failed [0.0, 100.0]% | p95 -→- ms | waiting for the deployer's word"
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
    assert "0/100 failed [0.0, 5.2]%" in early
    assert late == "20 % | 20 % fail | 0/1000 failed [0.0, 0.5]% | p95 40→20 ms | settling, 5 s left"


def test_what_is_judged_fits_into_80_columns() -> None:
    one: Any = object()
    errors = ErrorLook(
        verdict=Outcome.INCONCLUSIVE,
        candidate=Counts(failed=12, total=1400),
        control=None,
        evidence=1.0,
        evidence_within=1.0,
        target=200.0,
        objective=0.01,
    )
    latency = Look(
        verdict=Outcome.INCONCLUSIVE,
        n=1400,
        evidence=0.3,
        evidence_within=14.1,
        target=200.0,
        scores=(one,),
        needed=None,
    )
    progress = Progress(
        service="chat",
        done=2800,
        scheduled=3000,
        failed=12,
        p95={"stable": 0.1234, "candidate": 0.2345},
        latency=latency,
        errors=errors,
    )
    known, _, done = glance.judged(25.0, progress).rpartition(" | ")
    assert known == "25 % | as fast 50%, slower 0% | 12/1400 failed [0.4, 1.7]% | p95 123→234 ms"
    assert len(f"  {known}") <= 80 - SPARE
    assert done == "judged, 2800 of 3000 requests"
