"""Exact inference on counts: one proportion (Clopper and Pearson 1934), and the difference of two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

_NUISANCE_SHARE = 0.02
_NUISANCE_POINTS = 32


@dataclass(frozen=True, kw_only=True)
class Counts:
    """``failed`` of ``total`` requests."""

    failed: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.failed <= self.total:
            raise ValueError(f"expected 0 <= failed <= total; seen {self.failed} of {self.total}")

    @property
    def rate(self) -> float:
        """Share that failed; NaN of nothing."""
        return self.failed / self.total if self.total else math.nan

    def __str__(self) -> str:
        return f"{self.failed} of {self.total}"


def rate_interval(counts: Counts, *, alpha: float) -> tuple[float, float]:
    """Clopper-Pearson bounds, each wrong at most with probability ``alpha``; (0, 1) of nothing."""
    failed, total = counts.failed, counts.total
    lower = float(stats.beta.ppf(alpha, failed, total - failed + 1)) if failed else 0.0
    upper = float(stats.beta.isf(alpha, failed + 1, total - failed)) if failed < total else 1.0
    return lower, upper


def clean_needed(counts: Counts, limit: float, *, alpha: float) -> int:
    """How many more requests, all of them clean, bring the upper bound of the rate to ``limit``. 0 < limit < 1."""

    def enough(more: int) -> bool:
        return rate_interval(Counts(failed=counts.failed, total=counts.total + more), alpha=alpha)[1] <= limit

    if enough(0):
        return 0
    above = 1
    while not enough(above):
        above *= 2
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        below, above = (below, middle) if enough(middle) else (middle, above)
    return above


def _statistic(i: NDArray[np.int64], n: int, j: NDArray[np.int64], m: int, shift: float) -> NDArray[np.float64]:
    """Orders the outcomes by how much they speak for a difference beyond ``shift``; rises with i, falls with j."""
    p, q = (i + 1) / (n + 2), (j + 1) / (m + 2)
    spread = np.sqrt(p * (1 - p) / n + q * (1 - q) / m)
    return np.asarray((i / n - j / m - shift) / spread, dtype=np.float64)


def excess_p_value(candidate: Counts, control: Counts, shift: float, *, alpha: float) -> float:
    """p-value of "the candidate's rate exceeds the control's by at most ``shift``"; both totals must be positive.

    Unconditional and exact: the probability of an outcome that speaks at least as strongly against it, at the worst
    of the control's true rates within its confidence interval, plus what that interval may miss (Berger and Boos
    1994). ``alpha`` is the level at which it will be used; it sets the width of that interval.
    """
    n, m = candidate.total, control.total
    missed = alpha * _NUISANCE_SHARE
    lowest, highest = rate_interval(control, alpha=missed / 2)
    if lowest >= 1 - shift:
        return 1.0
    if highest <= -shift:
        return missed
    lowest, highest = max(lowest, -shift), min(highest, 1 - shift)
    truths = np.linspace(lowest, highest, _NUISANCE_POINTS)
    reach_low = int(stats.binom.ppf(1e-10, m, max(lowest, 0.0)))
    reach_high = int(stats.binom.isf(1e-10, m, min(highest, 1.0))) + 1
    j = np.arange(max(reach_low, 0), min(reach_high, m) + 1)
    observed = float(_statistic(np.array([candidate.failed]), n, np.array([control.failed]), m, shift)[0] - 1e-12)
    # Fewest failures of the candidate, for each j, that speak at least as strongly: bisected, n + 1 where none do.
    below, above = np.full(len(j), -1), np.full(len(j), n + 1)
    while np.any(above - below > 1):
        middle = (below + above) // 2
        strong = _statistic(np.clip(middle, 0, n), n, j, m, shift) >= observed
        active = above - below > 1
        above = np.where(active & strong, middle, above)
        below = np.where(active & ~strong, middle, below)
    raised = np.clip(truths + shift, 0.0, 1.0)[:, None]
    # P(X >= k) for X binomial(n, p) is the regularised incomplete beta function I_p(k, n - k + 1).
    tail = np.where(
        above == 0,
        1.0,
        np.where(above > n, 0.0, special.betainc(np.clip(above, 1, n), n + 1 - np.clip(above, 1, n), raised)),
    )
    weight = stats.binom.pmf(j, m, truths[:, None])
    return float(min((weight * tail).sum(axis=1).max() + missed, 1.0))


def difference_interval(candidate: Counts, control: Counts, *, alpha: float) -> tuple[float, float]:
    """Bounds of the candidate's rate less the control's, each wrong at most with probability ``alpha``.

    They are widened to the next fiftieth of a standard error, where the search stops.
    """

    def lower(one: Counts, other: Counts) -> float:
        right = one.rate - other.rate
        if excess_p_value(one, other, right, alpha=alpha) <= alpha:
            return right
        spread = math.hypot(
            *((c.failed + 1) ** 0.5 * (c.total - c.failed + 1) ** 0.5 / (c.total + 2) ** 1.5 for c in (one, other))
        )
        left = right - 4 * spread
        while left > -1 and excess_p_value(one, other, left, alpha=alpha) > alpha:
            right, left = left, left - 4 * spread
        left = max(left, -1.0)
        while right - left > spread / 50:
            middle = (left + right) / 2
            rejected = excess_p_value(one, other, middle, alpha=alpha) <= alpha
            left, right = (middle, right) if rejected else (left, middle)
        return left

    return lower(candidate, control), -lower(control, candidate)
