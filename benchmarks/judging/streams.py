"""What is simulated: latencies that depend on those before them, and failures.

Latencies are lognormal around 100 ms. `spread` is the standard deviation of the logarithm, `rho` its autocorrelation
(AR(1)) from pair to pair, `shared` the part of the variance that both tracks have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.signal import lfilter

Floats = NDArray[np.float64]
Truth = Literal["equal", "between", "slower", "seen"]
"""`equal`: no rollback; `slower`: no promotion; `seen`: rolled back as well; `between`: either may be shown."""
WARM_UP = 150
TIMEOUT = 5.0


@dataclass(frozen=True, kw_only=True)
class Stream:
    name: str
    truth: Truth
    pairs: int = 600
    spread: float = 0.5
    rho: float = 0.7
    shared: float = 0.5
    lasting: float = 1.0
    """Part of the variance that has the autocorrelation; the rest has none."""
    effect: float = 1.0
    tail: float = 1.0
    """Factor on the slowest tenth of the candidate's requests."""
    drift: float = 0.0
    """How much slower both tracks get, in units of the logarithm, from begin to end."""
    stable_errors: float = 0.0
    errors: float = 0.0
    margin: float = 0.10
    windows: int = 30
    """Equal parts in which judges of other tools see it."""

    def draw(self, generator: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Stable's warm-up, and pairs of stable and candidate; what failed took as long as the timeout."""
        count = self.pairs + WARM_UP
        common, *own = (self._noise(generator, count) for _ in range(3))
        weights = math.sqrt(self.shared), math.sqrt(1 - self.shared)
        trend = self.drift * np.linspace(0, 1, count)
        stable, candidate = (
            0.1 * np.exp(self.spread * (weights[0] * common + weights[1] * noise) + trend) for noise in own
        )
        candidate = candidate * self.effect
        candidate[candidate > np.quantile(candidate, 0.9)] *= self.tail
        candidate[generator.random(count) < self.errors] = TIMEOUT
        stable[generator.random(count) < self.stable_errors] = TIMEOUT
        return stable[:WARM_UP], stable[WARM_UP:], candidate[WARM_UP:]

    def _noise(self, generator: np.random.Generator, count: int) -> Floats:
        innovations = generator.standard_normal(count + 400) * math.sqrt(1 - self.rho**2)
        slow = np.asarray(lfilter([1.0], [1.0, -self.rho], innovations)[400:])
        if self.lasting == 1:
            return slow
        return math.sqrt(self.lasting) * slow + math.sqrt(1 - self.lasting) * generator.standard_normal(count)

    def oracle(self, stable: Floats, candidate: Floats, *, alpha: float = 0.01) -> bool:
        """The best that one look can do: a z-test at the end that is told the distribution and all of its dependence.

        Against the same as ours is: slower by what is tolerated, at most.
        """
        seen = float(np.log(candidate / stable).mean()) - math.log(1 + self.margin / 2)
        lags = np.arange(1, self.pairs)
        dependence = 1 + 2 * self.lasting * float(((1 - lags / self.pairs) * self.rho**lags).sum())
        error = self.spread * math.sqrt(2 * (1 - self.shared) * dependence / self.pairs)
        return bool(seen > stats.norm.isf(alpha) * error)

    @property
    def parametric(self) -> bool:
        """Whether all that differs is a factor on every latency, which is what the oracle knows of."""
        return self.tail == 1 and not self.errors and not self.stable_errors


def _equal() -> list[Stream]:
    return [
        Stream(name=f"equal, spread {spread}, rho {rho}, {kind}", truth="equal", spread=spread, rho=rho, shared=shared)
        for spread, rhos in ((0.5, (0.0, 0.7, 0.9)), (1.0, (0.9,)))
        for rho in rhos
        for kind, shared in (("shared 0.9", 0.9), ("separate", 0.0))
    ]


LATENCIES: tuple[Stream, ...] = (
    *_equal(),
    Stream(name="equal, fast and slow noise, separate", truth="equal", rho=0.95, lasting=0.2, shared=0.0),
    Stream(name="equal, rho 0.9, separate, 2000 pairs", truth="equal", rho=0.9, shared=0.0, pairs=2000),
    Stream(name="equal, drifting by half", truth="equal", drift=0.5),
    Stream(name="20 % faster", truth="equal", effect=0.8, spread=0.25),
    Stream(name="+5 %, at what is tolerated", truth="equal", effect=1.05, spread=0.25),
    Stream(name="+10 %, at the margin", truth="slower", effect=1.10, spread=0.25),
    Stream(name="+15 %, spread 0.25", truth="slower", effect=1.15, spread=0.25),
    Stream(name="+25 %, spread 0.25, rho 0.7", truth="seen", effect=1.25, spread=0.25),
    Stream(name="+25 %, spread 0.5, rho 0, shared 0.5", truth="seen", effect=1.25, rho=0.0),
    Stream(name="+25 %, spread 0.5, rho 0, separate", truth="seen", effect=1.25, rho=0.0, shared=0.0),
    Stream(name="+25 %, spread 0.5, rho 0.7, shared 0.9", truth="seen", effect=1.25, shared=0.9),
    Stream(name="+25 %, spread 0.5, rho 0.7, shared 0.5", truth="slower", effect=1.25),
    Stream(name="+25 %, spread 0.5, rho 0.7, separate", truth="slower", effect=1.25, shared=0.0),
    Stream(name="+50 %, spread 0.5, rho 0, separate", truth="seen", effect=1.5, rho=0.0, shared=0.0),
    Stream(name="+50 %, spread 1.0, rho 0, shared 0.5", truth="seen", effect=1.5, spread=1.0, rho=0.0),
    Stream(name="+100 %, spread 0.5, rho 0.7", truth="seen", effect=2.0),
    Stream(name="+100 %, spread 1.0, rho 0.7", truth="slower", effect=2.0, spread=1.0),
    Stream(name="slowest tenth twice as slow, 600 pairs", truth="slower", tail=2.0, rho=0.0),
    Stream(name="slowest tenth twice as slow, 2000 pairs", truth="seen", tail=2.0, rho=0.0, pairs=2000),
    Stream(name="10 % time out", truth="seen", errors=0.1, rho=0.0),
)


@dataclass(frozen=True, kw_only=True)
class Failures:
    name: str
    truth: Truth
    stable: float
    candidate: float
    requests: int = 3000
    objective: float = 0.01


FAILURES: tuple[Failures, ...] = (
    Failures(name="errors 0.1 % -> 0.1 %", truth="equal", stable=0.001, candidate=0.001),
    Failures(name="errors 1 % -> 1 %", truth="equal", stable=0.01, candidate=0.01),
    Failures(name="errors 10 % -> 10 %, both", truth="equal", stable=0.1, candidate=0.1),
    Failures(name="errors 0.1 % -> 0.5 %", truth="between", stable=0.001, candidate=0.005),
    Failures(name="errors 0.1 % -> 1 %", truth="seen", stable=0.001, candidate=0.01),
    Failures(name="errors 0.1 % -> 2 %", truth="seen", stable=0.001, candidate=0.02),
    Failures(name="errors 0.1 % -> 5 %", truth="seen", stable=0.001, candidate=0.05),
)

_WINDOW = {"pairs": 600, "spread": 0.61, "rho": 0.0}
"""30 blocks of 20 pairs: the mean of 20 such requests scatters by 15 %, as is usual in windows of Kayenta's judge."""
_USUAL = {"stable_errors": 0.001, "errors": 0.001}

ROLLOUTS: tuple[Stream, ...] = (
    Stream(name="healthy, rho 0.7, separate, 200 looks", truth="equal", pairs=2000, shared=0.0, **_USUAL),
    Stream(name="healthy, 10 looks of 60 requests", truth="equal", windows=10, **_USUAL),
    Stream(name="errors 0.1 % -> 1 %", truth="seen", pairs=3000, stable_errors=0.001, errors=0.01),
    Stream(name="errors 0.1 % -> 5 %", truth="seen", pairs=3000, stable_errors=0.001, errors=0.05),
    Stream(name="+20 %, 30 blocks of 20, shared 0.75", truth="seen", effect=1.2, shared=0.75, **_WINDOW),
    Stream(name="+20 %, 30 blocks of 20, shared 0.5, margin 5 %", truth="seen", effect=1.2, margin=0.05, **_WINDOW),
    Stream(name="+20 %, 30 blocks of 20, shared 0.5", truth="slower", effect=1.2, **_WINDOW),
    Stream(name="+20 %, 30 blocks of 20, separate", truth="slower", effect=1.2, shared=0.0, **_WINDOW),
    Stream(name="+50 %, rho 0.7, shared 0.5", truth="seen", effect=1.5, pairs=3000, **_USUAL),
)
