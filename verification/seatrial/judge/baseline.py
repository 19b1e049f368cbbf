"""Is a run slower than the runs that were promoted before it? For services whose stable cannot be run beside it.

The run is the unit of observation, not the request. What makes one run slower than the next (neighbours, caches, the
hour) is shared by all of its requests, so that a test over pooled requests takes every such drift for a regression, and
the more surely the more requests it is given. Each run is told by the logarithm of a quantile of its latencies. Those
of the runs before it give a location and a spread; what another run of the same release would show lies within
Student's t prediction interval (Hahn 1969). Bounds of the difference follow from it and are held against the margin.

Runs are compared with more than one set of those before them: with the latest, and with an anchor that does not move,
so that releases which are each a little slower than the one before cannot take the baseline with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from seatrial.evidence.outcome import Outcome
from seatrial.judge.blocks import critical_t
from seatrial.judge.exceedance import Latencies
from seatrial.judge.latency import milliseconds

Levels = Mapping[float, Sequence[float]]
"""Quantiles in seconds, by level; one value for each run that has it."""
OUTLYING: Final = 3.5
"""Robust standard deviations beyond which a run counts as one that far out (Iglewicz and Hoaglin 1993)."""
_CONSISTENT: Final = float(stats.norm.ppf(0.75))
MOST_RUNS: Final = 100
"""More repetitions than this are not proposed."""


@dataclass(frozen=True, kw_only=True)
class BaselineRule:
    """What counts as slower than before. Margins as everywhere; ``required`` and ``watched`` as of `LatencyRule`."""

    relative_margin: float = 0.10
    absolute_margin: float = 0.010
    confidence: float = 0.99
    required: tuple[float, ...] = (0.5, 0.95)
    watched: tuple[float, ...] = (0.99,)
    least: int = 10
    """Runs below which a set decides nothing: fewer do not tell how much runs differ."""
    floor: float = 0.01
    """Least spread, as a share: runs that happen to agree to the last digit are no promise that the next one will."""

    def margin(self, usual: float) -> float:
        """How much slower than ``usual`` is tolerated, in seconds."""
        return max(self.relative_margin * usual, self.absolute_margin)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A set of earlier runs, by a name for people: ``the latest runs``, ``the anchor``."""

    name: str
    levels: Levels

    def of(self, level: float) -> Latencies:
        """The quantiles of that level of all runs."""
        return np.array(self.levels.get(level, ()), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class LevelAgainst:
    """One quantile against one set of runs. Times are in seconds, ``spread`` is a share.

    ``seen`` is that of the run, or the geometric mean of several; ``usual`` that of the ``n`` runs before. ``lower``
    and ``upper`` bound the difference. ``needed`` are further runs of the same release that would probably decide it: 0
    where it is decided, None where no number of them would.
    """

    level: float
    reference: str
    n: int
    verdict: Outcome
    seen: float
    usual: float
    spread: float
    lower: float
    upper: float
    margin: float
    needed: int | None

    @property
    def name(self) -> str:
        """``p95`` for level 0.95."""
        return f"p{self.level * 100:g}"

    @property
    def difference(self) -> float:
        """How much slower than usual."""
        return self.seen - self.usual

    def __str__(self) -> str:
        return (
            f"{self.name} {milliseconds(self.usual)} -> {milliseconds(self.seen)} ms, difference "
            f"{milliseconds(self.difference, sign=True)} ms [{milliseconds(self.lower, sign=True)}, "
            f"{milliseconds(self.upper, sign=True)}], margin {milliseconds(self.margin)} ms, over {self.reference} "
            f"(n={self.n}, which differ by {self.spread:.1%})"
        )


@dataclass(frozen=True, kw_only=True)
class BaselineVerdict:
    """Conclusion over all quantiles and sets. ``decisive`` is None where there were too few runs before.

    ``lacking`` are the earlier runs that are still missing, ``needed`` further runs of the release, as above.
    """

    verdict: Outcome
    decisive: LevelAgainst | None
    levels: tuple[LevelAgainst, ...]
    lacking: int
    needed: int | None
    confidence: float
    sentence: str


def location_and_spread(logs: Latencies, *, floor: float) -> tuple[float, float]:
    """Mean and standard deviation of logarithms, those far out drawn in to where far out begins.

    One odd run among those before neither moves the baseline nor widens it so that nothing shows any more.
    """
    middle = float(np.median(logs))
    robust = max(float(np.median(np.abs(logs - middle))) / _CONSISTENT, floor)
    drawn = np.clip(logs, middle - OUTLYING * robust, middle + OUTLYING * robust)
    return float(drawn.mean()), max(float(drawn.std(ddof=1)), floor)


def against(level: float, seen: Latencies, reference: Reference, rule: BaselineRule, *, share: float) -> LevelAgainst:
    """One quantile of one or several runs of a release against one set. ``share`` is its part of the false alarms."""
    before = np.log(reference.of(level))
    n, runs = len(before), len(seen)
    location, spread = location_and_spread(before, floor=rule.floor)
    # Said wrongly slower: shared out over all that is compared. Said wrongly as fast: each must be shown by itself.
    alpha = 1 - rule.confidence
    t_slower, t_within = (critical_t(one, n - 1) for one in (alpha * share, alpha))
    error = spread * math.sqrt(1 / runs + 1 / n)
    difference = float(np.log(seen).mean()) - location
    usual = math.exp(location)
    margin = rule.margin(usual)
    lower, upper = (usual * math.expm1(difference + by * error) for by in (-t_slower, t_within))
    verdict = Outcome.FAIL if lower > margin else Outcome.PASS if upper < margin else Outcome.INCONCLUSIVE
    room = math.log1p(margin / usual) - difference
    return LevelAgainst(
        level=level,
        reference=reference.name,
        n=n,
        verdict=verdict,
        seen=math.exp(difference + location),
        usual=usual,
        spread=spread,
        lower=lower,
        upper=upper,
        margin=margin,
        needed=0
        if verdict is not Outcome.INCONCLUSIVE
        else _runs_needed(abs(room) / ((t_within if room > 0 else t_slower) * spread), n, runs),
    )


def _runs_needed(reach: float, n: int, runs: int) -> int | None:
    """Runs still to make until an interval of half width ``sqrt(1/k + 1/n)`` lies within ``reach``, both in spreads."""
    left = reach**2 - 1 / n
    if left <= 1 / (runs + MOST_RUNS):
        return None
    return max(math.ceil(1 / left) - runs, 1)


def judge_against(seen: Levels, references: Sequence[Reference], rule: BaselineRule) -> BaselineVerdict:
    """Non-inferiority of a run, or of several of one release, to each set of earlier runs at every quantile.

    Shown slower by more than the margin at any quantile, over any set, fails; shown slower by less than it at every
    required quantile, over every set, passes. Either is wrong with probability ``1 - confidence`` at most where runs
    differ from each other as draws from one lognormal distribution. Fewer than ``least`` runs in a set decide nothing.

    Raises ValueError where a required quantile of the run is missing, or there is no set at all.
    """
    missing = [level for level in rule.required if not len(seen.get(level, ()))]
    if missing or not references:
        raise ValueError(f"expected quantiles {rule.required} and at least one set of runs; missing {missing}")
    fewest = min(len(reference.of(level)) for reference in references for level in rule.required)
    if fewest < rule.least:
        lacking = rule.least - fewest
        return BaselineVerdict(
            verdict=Outcome.INCONCLUSIVE,
            decisive=None,
            levels=(),
            lacking=lacking,
            needed=None,
            confidence=rule.confidence,
            sentence=f"{fewest} promoted runs before it, and it takes {rule.least} to know how much they differ: "
            f"{lacking} more",
        )
    pairs = list(_comparable(seen, references, rule))
    levels = [
        against(level, np.array(seen[level], dtype=np.float64), reference, rule, share=1 / len(pairs))
        for level, reference in pairs
    ]
    return _concluded(levels, rule)


def _comparable(seen: Levels, references: Sequence[Reference], rule: BaselineRule) -> Iterator[tuple[float, Reference]]:
    watched = [level for level in rule.watched if level not in rule.required and len(seen.get(level, ()))]
    for reference in references:
        for level in (*rule.required, *watched):
            if len(reference.of(level)) >= rule.least:
                yield level, reference


def _concluded(levels: Sequence[LevelAgainst], rule: BaselineRule) -> BaselineVerdict:
    failed = [level for level in levels if level.verdict is Outcome.FAIL]
    required = [level for level in levels if level.level in rule.required]
    still = [level for level in required if level.verdict is Outcome.INCONCLUSIVE]
    needed: int | None = 0
    confidence = f"{rule.confidence * 100:.3g}% confidence"
    if failed:
        verdict, decisive = Outcome.FAIL, max(failed, key=lambda level: level.lower / level.margin)
        sentence = f"slower than the runs that were promoted before it: {decisive} ({confidence})"
    elif still:
        decisive = max(still, key=lambda level: math.inf if level.needed is None else level.needed)
        verdict, needed = Outcome.INCONCLUSIVE, decisive.needed
        wanted = (
            "more runs of it would hardly decide it"
            if needed is None
            else f"{needed} more run{'' if needed == 1 else 's'} of it would probably decide it"
        )
        sentence = (
            f"neither shown slower than the runs before it nor shown not to be: {decisive} ({confidence}); {wanted}"
        )
    else:
        verdict, decisive = Outcome.PASS, max(required, key=lambda level: level.upper / level.margin)
        sentence = f"not slower by the margin than the runs promoted before it: {decisive} ({confidence})"
    return BaselineVerdict(
        verdict=verdict,
        decisive=decisive,
        levels=tuple(levels),
        lacking=0,
        needed=needed,
        confidence=rule.confidence,
        sentence=sentence,
    )
