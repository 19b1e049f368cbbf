"""One line of how a rollout looks just now, for people who wait: the weight, the verdict so far, and what users got.

What matters most comes first, and fits into 80 columns; what is waited for may be cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    p95 = (_p95([one.took for one in lately if one.version == version]) for version in (story.stable, story.candidate))
    return f"{weight} | {_so_far(story)} | {_failures(failed)} | {_both(*p95)} | {what}"


def judged(weight: float, progress: Progress) -> str:
    """While the candidate is judged at a step: how near the evidence is to deciding."""
    errors = progress.errors.candidate if progress.errors else Counts(failed=0, total=0)
    p95 = (progress.p95.get(track, math.nan) for track in ("stable", "candidate"))
    done = f"judged, {progress.done} of {progress.scheduled} requests"
    return f"{weight:g} % | {_near(progress)} | {_failures(errors)} | {_both(*p95)} | {done}"


def _near(progress: Progress) -> str:
    if (look := progress.latency) is None or not look.scores:
        return "too early to tell"
    if look.decided:
        return f"latency: {look.verdict.value}"
    slower, within = (_way(one, look.target) for one in (look.evidence, look.evidence_within))
    return f"as fast {within:.0%}, slower {slower:.0%}"


def _so_far(story: Story) -> str:
    """What the last step came to that was judged; the one before was good, or there would be no other."""
    for step in reversed(story.steps):
        if step.errors is not None and step.latency is not None:
            worse = max((step.errors, step.latency), key=lambda one: one.outcome.rank)
            return f"{step.weight:g} % {worse.outcome.value}"
    return "nothing judged yet"


def _failures(counts: Counts) -> str:
    lower, upper = rate_interval(counts, alpha=ALPHA)
    return f"{counts.failed}/{counts.total} failed [{lower * 100:.1f}, {upper * 100:.1f}]%"


def _both(stable: float, candidate: float) -> str:
    """Of stable, then of the candidate."""
    before, after = ("-" if math.isnan(value) else f"{value * 1000:.0f}" for value in (stable, candidate))
    return f"p95 {before}→{after} ms"


def _p95(took: Sequence[float]) -> float:
    return float(np.quantile(took, 0.95)) if took else math.nan


def _way(evidence: float, target: float) -> float:
    """How much of the way to ``target`` evidence has come, by its logarithm: that is what grows with each pair."""
    return min(max(math.log(max(evidence, 1.0)) / math.log(target), 0.0), 1.0)
