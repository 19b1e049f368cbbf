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
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

EFFECTS: Final[NDArray[np.float64]] = np.array([0.15, 0.3, 0.6, 1.2, 2.4])
"""Effect sizes of the mixture, in standard deviations of a block, with equal weights: from what takes a few hundred
blocks to see to what shows in the least number of them."""
_QUADRATURE: Final = np.polynomial.legendre.leggauss(64)
_REACH: Final = 8.0


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What a sequence of block sums comes to: enough for the evidence, whatever their number.

    ``squares`` is the sum of the squared block sums, ``single`` that of the squared single values: what the former
    would be if no two values depended on each other. ``products`` sums each block sum times the one before it.
    """

    blocks: int = 0
    total: float = 0.0
    squares: float = 0.0
    single: float = 0.0
    products: float = 0.0
    last: float = 0.0

    def add(self, sums: NDArray[np.float64], single: float) -> Tally:
        """With further block sums, in order of time, and the sum of squares of what they are made of."""
        if not len(sums):
            return self
        chain = np.concatenate(([self.last], sums))
        return Tally(
            blocks=self.blocks + len(sums),
            total=self.total + float(sums.sum()),
            squares=self.squares + float(sums @ sums),
            single=self.single + single,
            products=self.products + float(chain[:-1] @ chain[1:]),
            last=float(sums[-1]),
        )

    @property
    def mean(self) -> float:
        """Mean of the block sums."""
        return self.total / self.blocks if self.blocks else 0.0

    @property
    def correlation(self) -> float:
        """Correlation of neighbouring block sums, no less than none; short sequences show too little of it, by 1/n."""
        if self.squares <= 0 or self.blocks < 2:
            return 0.0
        centred = self.squares - self.blocks * self.mean**2
        if centred <= 0:
            return 0.0
        seen = (self.products - (self.blocks - 1) * self.mean**2) / centred + 1 / self.blocks
        return min(max(seen, 0.0), 0.8)

    @property
    def spread(self) -> float:
        """Sum of squares of the block sums, as if they were independent of each other.

        Where they are still correlated by ``r`` it is widened by ``(1 + r) / (1 - r)``. And it is never less than that
        of values which do not depend on each other, so that a few blocks that happen to agree are not mistaken for
        certainty.
        """
        r, level = self.correlation, self.blocks * self.mean**2
        about_mean = max(self.squares - level, self.single - level, 0.0)
        # About the mean the blocks vary less than about zero; only that part is widened.
        return max(self.squares, self.single) + about_mean * (2 * r / (1 - r))

    @property
    def deviation(self) -> float:
        """Standard deviation of a block sum; where none varies, a third of what independent values would have."""
        if not self.blocks:
            return 0.0
        about_mean = self.spread / self.blocks - self.mean**2
        return math.sqrt(max(about_mean, self.single / self.blocks / 9))


def log_evidence(tally: Tally) -> float:
    """Natural logarithm of the e-value against "the mean is not above zero"; 0 before there is anything to see."""
    spread = tally.spread
    if tally.blocks < 2 or spread <= 0:
        return 0.0
    return _log_bayes_factor(tally.total / math.sqrt(spread), tally.blocks)


def _log_bayes_factor(direction: float, n: int) -> float:
    """Of effect sizes ``EFFECTS`` against zero; ``direction`` is sum over root of sum of squares, at most sqrt(n).

    With ``R`` distributed as chi with n degrees of freedom it is the mean over effects d of
    ``exp(-n d^2 / 2) E[exp(d R direction)]``.
    """
    nodes, weights = _QUADRATURE
    # The integrand is r^(n-1) exp(-r^2/2 + d c r), whose peak lies here and whose width is below one.
    tilt = EFFECTS * direction
    peak = (tilt + np.sqrt(tilt**2 + 4 * (n - 1))) / 2
    r = np.maximum(peak[:, None] + _REACH * nodes[None, :], 1e-12)
    log_density = (n - 1) * np.log(r) - r**2 / 2 + tilt[:, None] * r
    log_density = np.where(peak[:, None] + _REACH * nodes[None, :] > 0, log_density, -np.inf)
    log_normal = (n / 2 - 1) * math.log(2) + math.lgamma(n / 2)
    top = log_density.max(axis=1)
    integrals = top + np.log((np.exp(log_density - top[:, None]) * weights).sum(axis=1) * _REACH)
    logs = integrals - log_normal - n * EFFECTS**2 / 2
    best = float(logs.max())
    return best + math.log(float(np.exp(logs - best).mean()))
