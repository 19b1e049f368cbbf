"""Whether a release stays as it is after its last step: a pure function of the story, and a check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from seatrial.checks.check import check
from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.judge.trend import Floats, Trend, TrendRule, judge_trend
from seatrial.rollout.story import Story

ALARM: Final = 0.01
"""Chance of a failure in a watch of a release that stays as it is."""
PARTS: Final = 30
"""Parts of the time to settle that are compared: of 20, as far as values depend on those before them, even one
that rises without a break shows nothing at 99 %."""
ANSWERS: Final = 300
"""Streamed answers while it settles, below which their trend is not looked at: ten for each part of the time."""
LEAK: Final = 16 * 2**20
"""Bytes that a process may grow by while it settles, whatever its size."""


SeriesName = Literal["latency", "answers", "memory"]


@dataclass(frozen=True, kw_only=True)
class Series:
    """What is looked at while it settles: seconds and values, and what stable had ``beside`` it, where it was asked."""

    name: SeriesName
    times: Floats
    values: Floats
    beside: tuple[Floats, Floats] | None = None


@dataclass(frozen=True, kw_only=True)
class Rise:
    """A trend with the unit that people read; ``scale`` leads from its own to that."""

    name: str
    trend: Trend
    scale: float
    unit: str

    def __str__(self) -> str:
        trend, scale = self.trend, self.scale
        if trend.reason:
            return f"{self.name}: {trend.reason}"
        note = f"; {trend.note}" if trend.note else ""
        return (
            f"{self.name} {trend.level * scale:.1f} {self.unit}, rise {trend.rise * scale:+.1f} "
            f"[{trend.lower * scale:+.1f}, {trend.upper * scale:+.1f}], tolerated {trend.margin * scale:.1f}{note}"
        )


def judge_settling(seen: Sequence[Series], objectives: Objectives) -> list[Rise]:
    """The trend of each; where nothing rises, one of them fails at most once in a hundred watches."""
    found = []
    for one in seen:
        memory = one.name == "memory"
        rule = TrendRule(
            relative_margin=0.10 if memory else objectives.relative_margin,
            absolute_margin=LEAK if memory else objectives.absolute_margin,
            # All of them together are wrong no more often than one would be.
            alarm=ALARM / len(seen),
            blocks=PARTS,
        )
        trend = judge_trend(one.times, one.values, rule, beside=one.beside)
        found.append(
            Rise(name=one.name, trend=trend, scale=2**-20 if memory else 1000.0, unit="MiB" if memory else "ms")
        )
    return found


def deciding(found: Sequence[Rise]) -> Rise:
    """The one that decides: the worst. Answers are few, and hold nothing up where they do not even seem to rise."""
    told = [one for one in found if one.name != "answers" or one.trend.rise > one.trend.margin]
    return max(told, key=lambda one: one.trend.verdict.rank)


@check("settle/trend", suite="rollout", severity="critical", trigger="latency", per="service")
def settled(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """After the last step the release stays as it is: neither latency nor memory rises.

    Why: a leak passes every check of a level, and brings the service down at night.

    Remedy: compare heap profiles of the beginning and the end; see what grows with every conversation.
    """
    if story.ending != "settled" or story.settle_began is None:
        return Assessment.inconclusive(f"the watch ended before the release had settled: {story.ending}", n=0)
    begin = story.settle_began
    told = judge_settling(list(_series(story, begin)), objectives)
    worst = deciding(told)
    known = not worst.trend.reason
    return Assessment(
        outcome=worst.trend.verdict,
        message=f"in {story.ended - begin:.0f} s: {'; '.join(map(str, told))}",
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


def _series(story: Story, begin: float) -> Iterator[Series]:
    """What there is to look at since ``begin``."""
    answered = [one for one in story.between(begin, story.ended) if not one.error]
    # Behind a rolling update its own address answers as the candidate soon.
    direct = [one for one in story.direct if begin <= one.at < story.ended and one.version == story.stable]
    stable = _arrays([(one.at, one.took) for one in direct]) if direct else None
    yield _one("latency", [(one.at, one.took) for one in answered if one.kind != "talking"], stable)
    talks = [(one.at, one.took) for one in answered if one.kind == "talking"]
    if len(talks) >= ANSWERS:
        yield _one("answers", talks, stable and on_the_scale_of(_arrays(talks), stable))
    if story.memory_expected:
        yield _one("memory", [(at, size) for at, size in story.memory if at >= begin])


def on_the_scale_of(mine: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """``other`` as it would be if it had been alike at first: answers take longer than what stable is asked for."""
    until = mine[0].min() + (mine[0].max() - mine[0].min()) / 3
    at_first = [float(np.median(values[times <= until])) for times, values in (mine, other) if (times <= until).any()]
    return other[0], other[1] * (at_first[0] / at_first[1] if len(at_first) == 2 and at_first[1] > 0 else 1.0)


def _one(name: SeriesName, seen: Sequence[tuple[float, float]], beside: tuple[Floats, Floats] | None = None) -> Series:
    times, values = _arrays(seen)
    return Series(name=name, times=times, values=values, beside=beside)


def _arrays(seen: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    return np.array([at for at, _ in seen]), np.array([value for _, value in seen])
