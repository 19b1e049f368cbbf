"""Paired blocks: the mean of a dependent series with a standard error that the dependence does not fool."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

BLOCKS = 20
"""Blocks into which a run is cut: enough degrees of freedom, and long enough to outlast correlation of a few dozen
requests (Schmeiser 1982 finds no use in more than 30)."""


@dataclass(frozen=True, kw_only=True)
class BlockMean:
    """Mean of a series and the standard error from its block means; ``dof`` are the degrees of freedom."""

    mean: float
    error: float
    dof: int

    @property
    def t(self) -> float:
        """Mean over standard error."""
        return self.mean / self.error


def block_mean(series: NDArray[np.float64], *, blocks: int = BLOCKS) -> BlockMean:
    """Non-overlapping batch means over ``series``, which is in order of time.

    The squared error is never less than that of an independent series with the same second moment and at least one
    unit in it, so that luck with few blocks, or a series of zeros, is not mistaken for certainty; and it is widened by
    ``(1 + r) / (1 - r)`` where the block means are themselves correlated by ``r`` beyond chance.

    Raises ValueError where there are fewer values than blocks.
    """
    n = len(series)
    if n < blocks:
        raise ValueError(f"expected at least {blocks} values, one a block; seen {n}")
    edges = np.linspace(0, n, blocks + 1).astype(np.int64)
    means = np.add.reduceat(series, edges[:-1]) / np.diff(edges)
    centred = means - means.mean()
    squares = float(centred @ centred)
    variance = squares / (blocks - 1) / blocks
    if squares > 0:
        # The sample correlation of short series is biased towards -1/blocks, which is undone, and differs from zero by
        # chance, by about 1/sqrt(blocks): only what goes beyond that widens the error.
        correlation = float(centred[:-1] @ centred[1:]) / squares + 1 / blocks
        r = min(max(correlation - 1 / math.sqrt(blocks), 0.0), 0.8)
        variance *= (1 + r) / (1 - r)
    floor = max(float(series @ series), 1.0) / n**2
    return BlockMean(mean=float(series.mean()), error=math.sqrt(max(variance, floor)), dof=blocks - 1)


def critical_t(alpha: float, dof: int) -> float:
    """One-sided critical value of Student's t at level ``alpha``."""
    return float(stats.t.isf(alpha, dof))
