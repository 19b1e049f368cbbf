"""Is the candidate slower on the whole, by more than is tolerated? One test at the end, over pairs in order of time.

Quantiles say where it is slower, and waste what the other requests tell: the median of normal values takes half as many
again as their mean does, and p95 four times as many. So the logarithms of the latencies are compared as well, between
stable's lowest and highest twentieth, where no outlier and no timeout weighs more than a slow request (a winsorised
mean: Dixon, Tukey 1968). It is the score that the looks call overall, with the allowance that they left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seatrial.judge.blocks import BLOCKS, block_mean, critical_t

WHOLE: Final = 0.6
"""Part of the allowance at the end that the comparison on the whole has; the quantiles share the rest."""
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True, kw_only=True)
class Overall:
    """``slower`` is whether it is shown. ``least`` and ``tolerated`` are shares: 0.25 is a quarter slower.

    ``least`` is the change that is exceeded, at the confidence asked for; it tends to say too little of large ones.
    ``needed`` is how many more pairs would probably show it, at the difference seen; None where no number would.
    """

    slower: bool
    least: float
    tolerated: float
    needed: int | None

    def __str__(self) -> str:
        return f"at least {self.least:+.1%} overall, where {self.tolerated:+.1%} is tolerated"


def lowered(latencies: NDArray[np.float64], relative: float, absolute: float) -> NDArray[np.float64]:
    """Latencies to which ``max(relative * latency, absolute)`` was added to come to ``latencies``."""
    return np.minimum(latencies / (1 + relative), latencies - absolute)


def compare_overall(
    control: NDArray[np.float64],
    candidate: NDArray[np.float64],
    *,
    relative: float,
    absolute: float,
    alpha: float,
    blocks: int = BLOCKS,
) -> Overall:
    """``relative`` and ``absolute`` are what is tolerated, ``alpha`` the allowance for being wrong.

    Latencies are positive and in seconds, at least two pairs to a block.
    """
    low, middle, high = (float(each) for each in np.quantile(control, (_LOW, 0.5, _HIGH)))

    def place(latencies: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log(np.clip(latencies, low, max(high, 1.01 * low)))

    series = place(lowered(candidate, relative, absolute)) - place(control)
    # The error has a floor of one unit, made for counts: a hundredth is the least change that counts here.
    mean = block_mean(series * 100, blocks=blocks)
    half = critical_t(alpha, mean.dof) * mean.error
    beyond = (mean.mean - half) / 100
    tolerated = max(relative, absolute / middle)
    return Overall(
        slower=beyond > 0,
        least=math.exp(beyond) * (1 + tolerated) - 1,
        tolerated=tolerated,
        needed=pairs_needed(len(control), half, mean.mean),
    )


def pairs_needed(n: int, half: float, distance: float) -> int | None:
    """Pairs still to send until an interval of ``n``, that shrinks with the root of n, reaches only ``distance``.

    None where it would take a thousand times as many; 0 where it does by now.
    """
    if not math.isfinite(half):
        return n
    if distance <= half / 30:
        return None
    return max(math.ceil(n * (half / distance) ** 2) - n, 0)
