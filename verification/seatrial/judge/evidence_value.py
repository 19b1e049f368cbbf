"""Evidence that a mean is above zero, of which as many looks may be taken as anybody likes.

The e-process is the Bayes factor of the t-test: a sequence of values, normal with unknown variance, is held against
mean zero by a mixture over effect sizes, with the right Haar prior on the variance. It depends on the values by the
t-statistic alone, and stays below ``1 / alpha`` for ever with probability ``1 - alpha`` where the mean is not above
zero (Lai 1976, "On confidence sequences"; Perez-Ortiz, Lardy, de Heide, Grunwald 2022, "E-statistics, group
invariance and anytime-valid testing"; Wang, Ramdas 2024, "Anytime-valid t-tests and confidence sequences for Gaussian
means with unknown variance"). The values here are sums over blocks of requests, since requests depend on each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seatrial.judge.blocks import dependence

Floats = NDArray[np.float64]

EFFECTS: Final[Floats] = np.array([0.15, 0.3, 0.6, 1.2, 2.4])
"""Effect sizes of the mixture, in standard deviations of a block, with equal weights: from what takes a few hundred
blocks to see to what shows in the least number of them."""
_QUADRATURE: Final = np.polynomial.legendre.leggauss(64)
_REACH: Final = 8.0


def _nothing() -> Floats:
    return np.zeros(1)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What sequences of block sums come to, a row each: enough for the evidence, whatever their number.

    ``squares`` is the sum of the squared block sums, ``products`` sums each of them times the one before it.
    ``values``, ``single``, ``neighbours`` and ``last_value`` are the same of the values that blocks are made of.
    """

    blocks: int = 0
    total: Floats = field(default_factory=_nothing)
    squares: Floats = field(default_factory=_nothing)
    products: Floats = field(default_factory=_nothing)
    last: Floats = field(default_factory=_nothing)
    values: int = 0
    single: Floats = field(default_factory=_nothing)
    neighbours: Floats = field(default_factory=_nothing)
    last_value: Floats = field(default_factory=_nothing)

    def add(self, values: Floats, block: int = 1) -> Tally:
        """With further values, in order of time: a row for each sequence, whole blocks of so many."""
        rows, n = values.shape
        if not n:
            return self
        sums = values.reshape(rows, -1, block).sum(axis=2)
        return Tally(
            blocks=self.blocks + n // block,
            total=self.total + sums.sum(axis=1),
            squares=self.squares + _dot(sums, sums),
            products=self.products + self.last * sums[:, 0] + _dot(sums[:, :-1], sums[:, 1:]),
            last=sums[:, -1],
            values=self.values + n,
            single=self.single + _dot(values, values),
            neighbours=self.neighbours + self.last_value * values[:, 0] + _dot(values[:, :-1], values[:, 1:]),
            last_value=values[:, -1].copy(),
        )

    @property
    def mean(self) -> Floats:
        """Mean of the block sums."""
        return self.total / max(self.blocks, 1)

    @property
    def correlation(self) -> Floats:
        """Correlation of neighbouring block sums, no less than none.

        Short sequences show too little of it, by (1 + 3 r) / n, which is undone (Marriott, Pope 1954).
        """
        level = self.mean**2
        centred = self.squares - self.blocks * level
        varies = (centred > 0) & (self.blocks > 3)
        seen = (self.products - (self.blocks - 1) * level) / np.where(varies, centred, 1.0)
        true = (self.blocks * seen + 1) / max(self.blocks - 3, 1)
        return np.where(varies, np.clip(true, 0.0, 0.8), 0.0)

    @property
    def scatter(self) -> Floats:
        """Sum of squares about the mean that blocks of the single values would have, dependent on their neighbours."""
        level = (self.total / max(self.values, 1)) ** 2
        squares = np.maximum(self.single - self.values * level, 0.0)
        return squares * dependence(squares, self.neighbours - (self.values - 1) * level, self.values)

    @property
    def spread(self) -> Floats:
        """Sum of squares of the block sums, as if they were independent of each other.

        Where they are still correlated by ``r`` it is widened by ``(1 + r) / (1 - r)``. And it is never less than what
        single values that depend on each other as neighbours do would come to, so that a few blocks that happen to
        agree are not mistaken for certainty.
        """
        r, level = self.correlation, self.blocks * self.mean**2
        # About the mean the blocks vary less than about zero; only that part is widened.
        about_mean = np.maximum(self.squares - level, 0.0) * (1 + r) / (1 - r)
        return np.maximum(self.single, level + np.maximum(about_mean, self.scatter))

    @property
    def deviation(self) -> Floats:
        """Standard deviation of a block sum; where none varies, a third of what independent values would have."""
        blocks = max(self.blocks, 1)
        return np.sqrt(np.maximum(self.spread / blocks - self.mean**2, self.single / blocks / 9))


def _dot(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", left, right))


def log_evidence(tally: Tally) -> Floats:
    """Natural logarithm of the e-value of each row against "the mean is not above zero"; 0 where there is nothing."""
    spread = tally.spread
    if tally.blocks < 2:
        return np.zeros_like(spread)
    some = spread > 0
    return np.where(some, _log_bayes_factor(tally.total / np.sqrt(np.where(some, spread, 1.0)), tally.blocks), 0.0)


def _log_bayes_factor(direction: Floats, n: int) -> Floats:
    """Of effect sizes ``EFFECTS`` against zero; ``direction`` is sum over root of sum of squares, at most sqrt(n).

    With ``R`` distributed as chi with n degrees of freedom it is the mean over effects d of
    ``exp(-n d^2 / 2) E[exp(d R direction)]``.
    """
    nodes, weights = _QUADRATURE
    # The integrand is r^(n-1) exp(-r^2/2 + d c r), whose peak lies here and whose width is below one.
    tilt = direction[:, None] * EFFECTS
    peak = (tilt + np.sqrt(tilt**2 + 4 * (n - 1))) / 2
    r = peak[..., None] + _REACH * nodes
    log_density = (n - 1) * np.log(np.maximum(r, 1e-12)) - r**2 / 2 + tilt[..., None] * r
    log_density[r <= 0] = -np.inf
    log_normal = (n / 2 - 1) * math.log(2) + math.lgamma(n / 2)
    top = log_density.max(axis=-1)
    integrals = top + np.log(np.exp(log_density - top[..., None]) @ weights * _REACH)
    logs = integrals - log_normal - n * EFFECTS**2 / 2
    best = logs.max(axis=1)
    return np.asarray(best + np.log(np.exp(logs - best[:, None]).mean(axis=1)))
