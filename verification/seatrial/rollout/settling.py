"""Whether a release stays as it is after its last step: a pure function of the story, and a check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seatrial.checks.check import check
from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.judge.trend import Trend, TrendRule, judge_trend
from seatrial.rollout.story import Story

PARTS: Final = 30
"""Parts of the time to settle whose medians are compared: of 20, as far as values depend on those before them, even one
that rises without a break shows nothing at 99 %."""
ANSWERS: Final = 300
"""Streamed answers while it settles, below which their trend is not looked at: ten for each part of the time."""
LEAK: Final = 16 * 2**20
"""Bytes that a process may grow by while it settles, whatever its size."""


@check("settle/trend", suite="rollout", severity="critical", trigger="latency", per="service")
def settled(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """After the last step the release stays as it is: neither latency nor memory rises.

    Why: a leak passes every check of a level, and brings the service down at night.

    Remedy: compare heap profiles of the beginning and the end; see what grows with every conversation.
    """
    if story.ending != "settled" or story.settle_began is None:
        return Assessment.inconclusive(f"the watch ended before the release had settled: {story.ending}", n=0)
    begin = story.settle_began
    slower = TrendRule(
        relative_margin=objectives.relative_margin, absolute_margin=objectives.absolute_margin, blocks=PARTS
    )
    found = []
    for name, kinds in (("latency", ("fresh", "staying")), ("answers", ("talking",))):
        answered = [one for one in story.between(begin, story.ended) if not one.error and one.kind in kinds]
        if name == "latency" or len(answered) >= ANSWERS:
            seen = [(one.at, one.took) for one in answered]
            found.append(_Rise(name=name, trend=_trend(seen, slower), scale=1000.0, unit="ms"))
    if story.memory_expected:
        kept = [(at, size) for at, size in story.memory if at >= begin]
        grown = TrendRule(relative_margin=0.10, absolute_margin=LEAK, blocks=PARTS)
        found.append(_Rise(name="memory", trend=_trend(kept, grown), scale=2**-20, unit="MiB"))
    worst = max(found, key=lambda one: one.trend.verdict.rank)
    known = not worst.trend.reason
    return Assessment(
        outcome=worst.trend.verdict,
        message=f"in {story.ended - begin:.0f} s: {'; '.join(map(str, found))}",
        seen=f"{worst.trend.rise * worst.scale:.1f}" if known else "",
        limit=f"{worst.trend.margin * worst.scale:.1f}" if known else "",
        n=worst.trend.n,
        unit=f"{worst.unit} of {worst.name}",
        remedy={
            Outcome.INCONCLUSIVE: "let it settle for longer: [rollout] settle"
            if known
            else f"see why there is so little of {worst.name}",
            Outcome.FAIL: "compare heap and threads at the beginning and at the end",
        }.get(worst.trend.verdict, ""),
    )


@dataclass(frozen=True, kw_only=True)
class _Rise:
    """A trend with the unit that people read; ``scale`` leads from its own to that."""

    name: str
    trend: Trend
    scale: float
    unit: str

    def __str__(self) -> str:
        trend, scale = self.trend, self.scale
        if trend.reason:
            return f"{self.name}: {trend.reason}"
        return (
            f"{self.name} {trend.level * scale:.1f} {self.unit}, rise {trend.rise * scale:+.1f} "
            f"[{trend.lower * scale:+.1f}, {trend.upper * scale:+.1f}], tolerated {trend.margin * scale:.1f}"
        )


def _trend(seen: Sequence[tuple[float, float]], rule: TrendRule) -> Trend:
    return judge_trend(np.array([at for at, _ in seen]), np.array([value for _, value in seen]), rule)
