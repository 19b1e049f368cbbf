"""Does something rise while nothing else changes? A slow leak of memory or latency, seen by its trend, not by level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seatrial.evidence.outcome import Outcome

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TrendRule:
    """What rise matters, over the whole of the time looked at: ``max(relative_margin * first level, absolute_margin)``.

    ``absolute_margin`` is in the unit of the values. ``blocks`` are what the time is cut into, each told by its median,
    so that single slow answers say nothing.
    """

    relative_margin: float = 0.25
    absolute_margin: float = 0.0
    confidence: float = 0.99
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


def block_medians(times: Floats, values: Floats, blocks: int) -> tuple[Floats, Floats]:
    """Middle and median of each of so many equal parts of the time that have values in them."""
    edges = np.linspace(times.min(), times.max(), blocks + 1)
    part = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, blocks - 1)
    there = np.unique(part)
    middles = (edges[there] + edges[there + 1]) / 2
    return middles, np.array([float(np.median(values[part == one])) for one in there])


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


def judge_trend(times: Floats, values: Floats, rule: TrendRule) -> Trend:
    """Whether ``values`` seen at ``times`` (seconds, in any order) rise by more than the margin over that time.

    FAIL: a rise is shown (Mann and Kendall's test with Hamed and Rao's correction), and it is beyond the margin. PASS:
    the upper bound of the rise is within the margin. INCONCLUSIVE otherwise. Raises ValueError for values that are no
    numbers.
    """
    if not (np.isfinite(times).all() and np.isfinite(values).all()):
        raise ValueError("expected finite times and values")
    n = len(values)
    nothing = {"level": math.nan, "rise": math.nan, "lower": -math.inf, "upper": math.inf, "margin": math.nan}
    if n < rule.least_blocks or times.max() <= times.min():
        words = f"{n} values, and it takes at least {rule.least_blocks}, spread over time"
        return Trend(verdict=Outcome.INCONCLUSIVE, **nothing, p_value=1.0, n=n, blocks=0, reason=words)
    middles, medians = block_medians(times, values, rule.blocks)
    count = len(medians)
    if count < rule.least_blocks:
        words = f"values in {count} of {rule.blocks} parts of the time, and it takes at least {rule.least_blocks}"
        return Trend(verdict=Outcome.INCONCLUSIVE, **nothing, p_value=1.0, n=n, blocks=count, reason=words)
    slope, intercept, low, high = (
        float(part) for part in stats.theilslopes(medians, middles, alpha=1 - 2 * (1 - rule.confidence))
    )
    inflation = _inflation(medians, slope, middles)
    wider = math.sqrt(inflation)
    low, high = slope - (slope - low) * wider, slope + (high - slope) * wider
    length = float(times.max() - times.min())
    level = intercept + slope * float(times.min())
    margin = max(rule.relative_margin * level, rule.absolute_margin)
    p_value = _rising(medians, inflation)
    rise, lower, upper = slope * length, low * length, high * length
    if p_value < 1 - rule.confidence and rise > margin and lower > 0:
        verdict = Outcome.FAIL
    elif upper <= margin:
        verdict = Outcome.PASS
    else:
        verdict = Outcome.INCONCLUSIVE
    return Trend(
        verdict=verdict,
        level=level,
        rise=rise,
        lower=lower,
        upper=upper,
        margin=margin,
        p_value=p_value,
        n=n,
        blocks=count,
    )


def _rising(values: Floats, inflation: float) -> float:
    """One-sided p-value of Kendall's S, by its normal approximation with ties (Kendall 1970) and continuity."""
    n = len(values)
    score = float(sum(np.sign(values[later] - values[:later]).sum() for later in range(1, n)))
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0 or score <= 0:
        return 1.0
    return float(stats.norm.sf((score - 1) / math.sqrt(variance * inflation)))
