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


def dependence(squares: NDArray[np.float64], products: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """By how much dependence widens the variance of sums of ``n`` values, ``(1 + r) / (1 - r)`` of an AR(1) series.

    ``squares`` and ``products`` are the sums, about the mean, of squares and of products of neighbours. Short series
    show too little correlation, by (1 + 3 r) / n (Marriott, Pope 1954), which is undone. Never below 1.
    """
    if n <= 3:
        return np.ones_like(squares)
    seen = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0)
    r = np.clip((n * seen + 1) / (n - 3), 0.0, 0.98)
    return np.asarray((1 + r) / (1 - r))


def block_mean(series: NDArray[np.float64], *, blocks: int = BLOCKS) -> BlockMean:
    """Non-overlapping batch means over ``series``, which is in order of time.

    Three things keep luck with few blocks from being mistaken for certainty. The squared error is never less than that
    of an independent series with the same second moment and at least one unit in it; nor than what the correlation of
    neighbouring values implies, were that all the dependence there is; and it is widened by ``(1 + r) / (1 - r)`` where
    the block means are themselves correlated by ``r`` beyond chance, as by what is slow for longer than a block.

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
    mean = float(series.mean())
    about = series - mean
    scatter = _dot(about, about)
    dependent = float(scatter * dependence(scatter, _dot(about[:-1], about[1:]), n))
    floor = max(float(_dot(series, series)), dependent, 1.0) / n**2
    return BlockMean(mean=mean, error=math.sqrt(max(variance, floor)), dof=blocks - 1)


def _dot(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    # That of the linear algebra library starts threads for what is done before they are awake.
    return np.asarray(np.einsum("i,i->", left, right))


def critical_t(alpha: float, dof: int) -> float:
    """One-sided critical value of Student's t at level ``alpha``."""
    return float(stats.t.isf(alpha, dof))
