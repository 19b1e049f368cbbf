"""One line of how a rollout looks just now, for people who wait: the weight, what users got, and the verdict so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from seatrial.judge.proportions import Counts, rate_interval
from seatrial.load.live import Progress
from seatrial.rollout.story import Story
from seatrial.rollout.traffic import Seen

ALPHA: Final = 0.005
"""Chance at which each end of an interval is wrong; of a line that nobody decides by."""
LATELY: Final = 60.0
"""Seconds of which the latency is told."""


def watched(story: Story, seen: Sequence[Seen], what: str, now: float) -> str:
    """While users are watched: ``what`` is waited for, ``seen`` is all that they got until ``now``."""
    step = story.steps[-1] if story.steps else None
    weight = "no step yet" if step is None else f"{step.weight:g} %"
    failed = Counts(failed=sum(bool(one.error) for one in seen), total=len(seen))
    lately = [one for one in seen if one.at >= now - LATELY and not one.error and one.kind != "talking"]
    p95 = {
        version: _p95([one.took for one in lately if one.version == version])
        for version in (story.stable, story.candidate)
    }
    return f"{weight} | {what} | {_so_far(story)} | users {_failures(failed)} | {_both(p95)}"


def judged(weight: float, progress: Progress) -> str:
    """While the candidate is judged at a step: how near the evidence is to deciding."""
    errors = progress.errors.candidate if progress.errors else Counts(failed=0, total=0)
    done = f"judged, {progress.done} of {progress.scheduled} requests"
    return f"{weight:g} % | {done} | {_near(progress)} | {_failures(errors)} | {_both(progress.p95)}"


def _near(progress: Progress) -> str:
    if (look := progress.latency) is None or not look.scores:
        return "too early to tell"
    if look.decided:
        return f"latency: {look.verdict.value}"
    slower, within = (_way(one, look.target) for one in (look.evidence, look.evidence_within))
    return f"open: as fast {within:.0%}, slower {slower:.0%}"


def _so_far(story: Story) -> str:
    """What the steps came to."""
    found = [
        f"{step.weight:g} % {max((step.errors, step.latency), key=lambda one: one.outcome.rank).outcome.value}"
        for step in story.steps
        if step.errors is not None and step.latency is not None
    ]
    return ", ".join(found) if found else "nothing judged yet"


def _failures(counts: Counts) -> str:
    lower, upper = rate_interval(counts, alpha=ALPHA)
    return f"{counts.failed} of {counts.total} failed [{lower:.1%}, {upper:.1%}]"


def _both(p95: Mapping[str, float]) -> str:
    told = (f"{name} {'-' if math.isnan(value) else f'{value * 1000:.0f} ms'}" for name, value in p95.items())
    return f"p95 {', '.join(told)}"


def _p95(took: Sequence[float]) -> float:
    return float(np.quantile(took, 0.95)) if took else math.nan


def _way(evidence: float, target: float) -> float:
    """How much of the way to ``target`` evidence has come, by its logarithm: that is what grows with each pair."""
    return min(max(math.log(max(evidence, 1.0)) / math.log(target), 0.0), 1.0)
