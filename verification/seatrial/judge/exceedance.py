"""Bounds of the difference of two quantiles over pairs in order of time.

The method is a paired, blocked form of Mood's quantile test. For a shift ``d`` the candidate's latencies are moved by
``-d``; if the quantile of level p differs by exactly ``d``, both tracks then exceed the pooled p-quantile equally
often. The series of (candidate exceeds) - (stable exceeds), which takes only -1, 0 and 1, is tested with batch means,
so neither heavy tails nor correlated requests mislead it, what a pair shares cancels, and a timeout needs no value
beyond "at least this". The confidence interval holds the shifts that the test does not reject.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from seatrial.judge.blocks import BLOCKS, block_mean, critical_t

Latencies = NDArray[np.float64]


class _Exceedances:
    """Pairs whose tracks are held against a quantile that both share, at one shift after the other."""

    def __init__(self, control: Latencies, candidate: Latencies, level: float, blocks: int) -> None:
        self._control, self._candidate, self._blocks = control, candidate, blocks
        self._sorted = (np.sort(control), np.sort(candidate))
        self._beyond = (1 - level) * 2 * len(control)
        self._position = max(math.ceil(2 * len(control) - self._beyond), 1) - 1

    def t(self, shift: float) -> float:
        """The test statistic with the candidate moved down by ``shift``."""
        control, moved = self._control, self._candidate - shift
        threshold = pooled_value(*self._sorted, shift, self._position)
        slower, base = moved > threshold, control > threshold
        at, base_at = moved == threshold, control == threshold
        # Of those at the threshold itself, many where requests time out, each counts for the share that makes the sum
        # right; a strict comparison would see nothing at all in a tie that spans the quantile.
        tied = np.count_nonzero(at) + np.count_nonzero(base_at)
        share = (self._beyond - np.count_nonzero(slower) - np.count_nonzero(base)) / tied
        series = slower.astype(np.float64) - base
        series += share * (at.astype(np.float64) - base_at)
        return block_mean(series, blocks=self._blocks).t


def pooled_value(control: Latencies, candidate: Latencies, shift: float, position: int) -> float:
    """The value at ``position``, from 0, of both in one order; both are sorted, the candidate's to be moved down."""
    # The smallest ``position`` values are so many of control's, and the rest the candidate's.
    low, high = max(0, position - len(candidate)), min(position, len(control))
    while low < high:
        middle = (low + high) // 2
        if control[middle] < candidate[position - 1 - middle] - shift:
            low = middle + 1
        else:
            high = middle
    following = [control[low : low + 1], candidate[position - low : position - low + 1] - shift]
    return float(np.concatenate(following).min())


def quantile_interval(
    control: Latencies,
    candidate: Latencies,
    level: float,
    *,
    alpha: float,
    upper_alpha: float | None = None,
    blocks: int = BLOCKS,
) -> tuple[float, float]:
    """Bounds of (candidate - control) at quantile ``level``, each wrong at most with probability ``alpha``.

    ``upper_alpha`` is that of the upper bound where it is another. The arrays are paired and in order of time. A bound
    is infinite where the data cannot give one.
    """
    test = _Exceedances(control, candidate, level, blocks)
    critical = critical_t(alpha, blocks - 1)
    upper_critical = critical if upper_alpha is None else critical_t(upper_alpha, blocks - 1)
    low = float(candidate.min() - control.max()) - 1e-9
    high = float(candidate.max() - control.min()) + 1e-9

    def last_shift(accepted_above: float) -> float:
        """Where the test statistic, which falls as the shift grows, passes ``accepted_above``."""
        left, right = low, high
        if test.t(left) <= accepted_above:
            return -math.inf
        if test.t(right) > accepted_above:
            return math.inf
        while right - left > 1e-6 + 1e-6 * (abs(left) + abs(right)):
            middle = (left + right) / 2
            if test.t(middle) > accepted_above:
                left = middle
            else:
                right = middle
        return left if accepted_above > 0 else right

    return last_shift(critical), last_shift(-upper_critical)
