"""Does something rise while nothing else changes? A slow leak of memory or latency, seen by its trend, not by level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seatrial.evidence.outcome import Outcome

Floats = NDArray[np.float64]
TRIMMED: Final = 0.2
"""Part of the values of a block that is left out at each end. Of normal ones the mean of the rest scatters by 7 % more
than that of all, where the median scatters by 25 % more (Tukey 1960)."""
UNMOVED: Final = 0.1
"""p-value of "stable does not rise" above which it is believed."""
COARSE: Final = 10
"""Parts of the time in which it is seen whether a rise goes on."""


@dataclass(frozen=True, kw_only=True)
class TrendRule:
    """What rise matters, over the whole of the time looked at: ``max(relative_margin * first level, absolute_margin)``.

    ``absolute_margin`` is in the unit of the values. ``blocks`` are what the time is cut into, each told by the mean of
    its middle three fifths, so that single slow answers say nothing. ``confidence`` is that of the bound that passes,
    ``alarm`` the chance of a failure where nothing rises.
    """

    relative_margin: float = 0.25
    absolute_margin: float = 0.0
    confidence: float = 0.99
    alarm: float = 0.01
    blocks: int = 20
    least_blocks: int = 10
    """Blocks with values in them, below which nothing is said: ranks of fewer cannot show a trend at 99 %."""


@dataclass(frozen=True, kw_only=True)
class Trend:
    """``rise`` is what the values grew by over the time looked at, by Theil and Sen's slope, with its interval.

    ``p_value`` is that of "there is no rise". ``level`` is where the fitted line begins; ``margin`` the rise that is
    tolerated; all but the p-value in the unit of the values.
    """

    verdict: Outcome
    level: float
    rise: float
    lower: float
    upper: float
    margin: float
    p_value: float
    n: int
    blocks: int
    reason: str = ""
    """Why nothing can be said; empty where something can."""
    note: str = ""
    """Why a rise beyond the margin is no failure; empty where there is none, it is not shown, or it is a failure."""


def _centres(times: Floats, values: Floats, edges: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Which of the parts between ``edges`` have values in them, and the middle of the values in each."""
    part = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    there = np.unique(part)
    return there, np.array([_centre(values[part == one]) for one in there])


def _centre(values: Floats) -> float:
    out = int(TRIMMED * len(values))
    return float(np.sort(values)[out : len(values) - out].mean())


def _inflation(values: Floats, slope: float, times: Floats) -> float:
    """By how much the variance of Kendall's S grows where values depend on those before them.

    Hamed and Rao (1998), "A modified Mann-Kendall trend test for autocorrelated data", equation 11: autocorrelations of
    the ranks of what is left without the trend, those alone that are significant. So few values rarely show one, and
    show it too small once a line was fitted; so at least what an AR(1) process has whose first autocorrelation is the
    seen one with that bias, -(2 + 4 rho) / n, taken out (Sawa 1978). Never below 1: what alternates would shrink it,
    and then chance looks like a trend.
    """
    n = len(values)
    ranks = stats.rankdata(values - slope * times)
    ranks = ranks - ranks.mean()
    power = float(np.dot(ranks, ranks))
    if not power:
        return 1.0
    total = 0.0
    for lag in range(1, n - 2):
        rho = float(np.dot(ranks[:-lag], ranks[lag:])) / power
        if abs(rho) > 1.96 / math.sqrt(n):
            total += (n - lag) * (n - lag - 1) * (n - lag - 2) * rho
    first = float(np.dot(ranks[:-1], ranks[1:])) / power
    true = min(max((n * first + 2) / (n - 4), 0.0), 0.8)
    return max(1.0, 1 + 2 * total / (n * (n - 1) * (n - 2)), (1 + true) / (1 - true))


def _goes_on(middles: Floats, centres: Floats, margin: float) -> bool:
    """Whether each half of the time has a quarter of the margin, in what values come back to and in what they reach.

    What a garbage collector lets grow comes back to where it was, and reaches no more than before; what fills a cache,
    or happened once, is over in the second half. What leaks does neither.
    """
    coarse = np.array([float(np.median(part)) for part in np.array_split(centres, COARSE)])
    times = np.array([float(np.median(part)) for part in np.array_split(middles, COARSE)])
    floor, ceiling = np.minimum.accumulate(coarse[::-1])[::-1], np.maximum.accumulate(coarse)
    half = int(np.searchsorted(times, (times[0] + times[-1]) / 2))
    halves = [part for line in (floor, ceiling) for part in (line[half] - line[0], line[-1] - line[half])]
    return bool(min(halves) >= margin / 4)


def judge_trend(
    times: Floats, values: Floats, rule: TrendRule, *, beside: tuple[Floats, Floats] | None = None
) -> Trend:
    """Whether ``values`` seen at ``times`` (seconds, in any order) rise by more than the margin over that time.

    FAIL: a rise is shown (Mann and Kendall's test with Hamed and Rao's correction, and the lower bound of the rise is
    beyond half of the margin), it is beyond the margin, it goes on in both halves of the time, and it is there too when
    what was ``beside`` is taken away: times and values, on the same scale, of what did not change. PASS: the upper
    bound of the rise is within the margin. INCONCLUSIVE otherwise. Raises ValueError for values that are no numbers.
    """
    if not (np.isfinite(times).all() and np.isfinite(values).all()):
        raise ValueError("expected finite times and values")
    n = len(values)
    if n < rule.least_blocks or times.max() <= times.min():
        words = f"{n} values, and it takes at least {rule.least_blocks}, spread over time"
        return _nothing(words, n=n, blocks=0)
    edges = np.linspace(times.min(), times.max(), rule.blocks + 1)
    there, centres = _centres(times, values, edges)
    count = len(centres)
    if count < rule.least_blocks:
        words = f"values in {count} of {rule.blocks} parts of the time, and it takes at least {rule.least_blocks}"
        return _nothing(words, n=n, blocks=count)
    middles, length = (edges[there] + edges[there + 1]) / 2, float(times.max() - times.min())
    line = _line(middles, centres)
    level = line.intercept + line.slope * float(times.min())
    margin = max(rule.relative_margin * level, rule.absolute_margin)
    rise, (lower, upper) = length * line.slope, (length * each for each in line.bounds(1 - rule.confidence))
    verdict, note = Outcome.PASS if upper <= margin else Outcome.INCONCLUSIVE, ""
    if rise > margin and not _goes_on(middles, centres, margin):
        note = "it does not go on through both halves of the time, or comes back to where it was"
    elif _shown(line, length, margin, rule.alarm, least=margin / 2):
        if not _beyond(beside, edges, there, centres, margin, rule):
            note = "beside what stable's own address shows it is none"
        else:
            verdict = Outcome.FAIL
    return Trend(
        verdict=verdict,
        level=level,
        rise=rise,
        lower=lower,
        upper=upper,
        margin=margin,
        p_value=line.p_value,
        n=n,
        blocks=count,
        note=note,
    )


def _nothing(reason: str, *, n: int, blocks: int) -> Trend:
    return Trend(
        verdict=Outcome.INCONCLUSIVE,
        level=math.nan,
        rise=math.nan,
        lower=-math.inf,
        upper=math.inf,
        margin=math.nan,
        p_value=1.0,
        n=n,
        blocks=blocks,
        reason=reason,
    )


@dataclass(frozen=True, kw_only=True)
class _Line:
    """Theil and Sen's line, in units a second; ``inflation`` as below, ``p_value`` that of "there is no rise"."""

    middles: Floats
    centres: Floats
    slope: float
    intercept: float
    inflation: float
    p_value: float

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Of the slope, each wrong with probability ``alpha`` (Sen 1968), as far out as dependence makes them."""
        _, _, low, high = (float(part) for part in stats.theilslopes(self.centres, self.middles, alpha=1 - 2 * alpha))
        wider = math.sqrt(self.inflation)
        return self.slope - (self.slope - low) * wider, self.slope + (high - self.slope) * wider


def _line(middles: Floats, centres: Floats) -> _Line:
    slope, intercept = (float(part) for part in stats.theilslopes(centres, middles)[:2])
    inflation = _inflation(centres, slope, middles)
    return _Line(
        middles=middles,
        centres=centres,
        slope=slope,
        intercept=intercept,
        inflation=inflation,
        p_value=_rising(centres, inflation),
    )


def _shown(line: _Line, length: float, margin: float, alarm: float, *, least: float = 0.0) -> bool:
    """Whether a rise beyond the margin is seen, and one beyond the ``least`` shown."""
    certain = line.p_value < alarm and line.bounds(alarm)[0] * length > least
    return certain and line.slope * length > margin


def _beyond(
    beside: tuple[Floats, Floats] | None,
    edges: Floats,
    there: NDArray[np.intp],
    centres: Floats,
    margin: float,
    rule: TrendRule,
) -> bool:
    """Whether there is a rise too where what is ``beside`` is taken away; true where too little is."""
    if beside is None:
        return True
    inside = (beside[0] >= edges[0]) & (beside[0] <= edges[-1])
    parts, others = _centres(beside[0][inside], beside[1][inside], edges)
    both, mine, theirs = np.intersect1d(there, parts, return_indices=True)
    if len(both) < rule.least_blocks:
        return True
    middles, length = (edges[both] + edges[both + 1]) / 2, float(edges[-1] - edges[0])
    # What scatters without rising would only add its noise: it is taken out where it may have risen.
    level = others[theirs]
    control = _line(middles, level)
    rest = _line(middles, centres[mine] - level)
    if control.p_value > UNMOVED:
        return rest.slope * length > margin
    return _shown(rest, length, margin, rule.alarm)


def _rising(values: Floats, inflation: float) -> float:
    """One-sided p-value of Kendall's S, by its normal approximation with ties (Kendall 1970) and continuity."""
    n = len(values)
    score = float(sum(np.sign(values[later] - values[:later]).sum() for later in range(1, n)))
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0 or score <= 0:
        return 1.0
    return float(stats.norm.sf((score - 1) / math.sqrt(variance * inflation)))
