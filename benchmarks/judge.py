"""How often the judge is right: simulated runs with fixed seeds, as a table and in `results/judge.json`.

    python benchmarks/judge.py [--runs 400]

Latencies are lognormal around 100 ms with the given spread (standard deviation of the logarithm) and an AR(1)
autocorrelation from pair to pair; `shared` is the share of the variance that both tracks have in common. The margin is
10 % or 10 ms, the confidence 99 %. `exact margin` puts the truth on the margin, where a false alarm is likeliest.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from seatrial.judge.errors import ErrorRule, judge_errors
from seatrial.judge.latency import LatencyRule, compare_latency
from seatrial.judge.proportions import Counts

VERDICTS = ("pass", "inconclusive", "fail")


@dataclass(frozen=True, kw_only=True)
class Latency:
    name: str
    pairs: int = 500
    spread: float = 0.25
    correlation: float = 0.7
    shared: float = 0.5
    effect: float = 1.0
    tail: float = 1.0
    """Factor on the slowest tenth of the candidate's requests."""
    timeouts: float = 0.0

    def draw(self, generator: np.random.Generator) -> str:
        common, *own = (self._noise(generator) for _ in range(3))
        weights = math.sqrt(self.shared), math.sqrt(1 - self.shared)
        stable, candidate = (0.1 * np.exp(self.spread * (weights[0] * common + weights[1] * noise)) for noise in own)
        candidate = candidate * self.effect
        candidate[candidate > np.quantile(candidate, 0.9)] *= self.tail
        candidate[generator.random(self.pairs) < self.timeouts] = 5.0
        return compare_latency(stable, candidate, LatencyRule(ceiling=5.0)).verdict.value

    def _noise(self, generator: np.random.Generator) -> NDArray[np.float64]:
        innovations = generator.standard_normal(self.pairs + 400) * math.sqrt(1 - self.correlation**2)
        return np.asarray(lfilter([1.0], [1.0, -self.correlation], innovations)[400:])


@dataclass(frozen=True, kw_only=True)
class Errors:
    name: str
    requests: int
    stable: float
    candidate: float
    objective: float = 0.01

    def draw(self, generator: np.random.Generator) -> str:
        seen = (
            Counts(failed=int(generator.binomial(self.requests, rate)), total=self.requests)
            for rate in (self.candidate, self.stable)
        )
        return judge_errors(*seen, ErrorRule(objective=self.objective)).verdict.value


SCENES: tuple[Latency | Errors, ...] = (
    *(
        Latency(name=f"equal, correlation {correlation}, {kind}", correlation=correlation, shared=shared, spread=spread)
        for correlation in (0.0, 0.7, 0.9, 0.97)
        for kind, shared, spread in (("shared", 0.9, 0.25), ("separate", 0.0, 0.5))
    ),
    *(Latency(name=f"exact margin, correlation {rho}", effect=1.1, shared=0.0, correlation=rho) for rho in (0.0, 0.7)),
    Latency(name="equal, 5000 pairs, spread 0.25", pairs=5000),
    Latency(name="20 % faster", effect=0.8),
    Latency(name="+25 %, spread 0.1", effect=1.25, spread=0.1),
    Latency(name="+25 %, spread 0.25", effect=1.25),
    Latency(name="+25 %, spread 0.5", effect=1.25, spread=0.5),
    Latency(name="+25 %, spread 0.5, 2500 pairs", effect=1.25, spread=0.5, pairs=2500),
    Latency(name="+50 %, spread 0.5", effect=1.5, spread=0.5),
    Latency(name="+100 %, spread 0.1", effect=2.0, spread=0.1),
    Latency(name="+100 %, spread 0.5", effect=2.0, spread=0.5),
    Latency(name="+100 %, spread 0.5, correlation 0.9", effect=2.0, spread=0.5, correlation=0.9),
    Latency(name="slowest tenth twice as slow", tail=2.0),
    Latency(name="10 % time out", timeouts=0.1),
    Errors(name="errors 0 -> 0, 500 requests", requests=500, stable=0.0, candidate=0.0),
    Errors(name="errors 0.1 % -> 0.1 %, 500 requests", requests=500, stable=0.001, candidate=0.001),
    Errors(name="errors 0.1 % -> 0.1 %, 3000 requests", requests=3000, stable=0.001, candidate=0.001),
    Errors(name="errors 1 % -> 1 %, 3000 requests", requests=3000, stable=0.01, candidate=0.01),
    Errors(name="errors 10 % -> 10 % (shared), 500 requests", requests=500, stable=0.1, candidate=0.1),
    Errors(name="errors 0.1 % -> 1 %, 3000 requests", requests=3000, stable=0.001, candidate=0.01),
    Errors(name="errors 0.1 % -> 5 %, 500 requests", requests=500, stable=0.001, candidate=0.05),
    Errors(name="errors 0.1 % -> 10 %, 500 requests", requests=500, stable=0.001, candidate=0.1),
)


def simulate(scene: Latency | Errors, runs: int) -> dict[str, float]:
    """Share of each verdict over ``runs`` draws, seeded by the scene's name so that scenes can be added."""
    generator = np.random.default_rng(list(scene.name.encode()))
    found = Counter(scene.draw(generator) for _ in range(runs))
    return {verdict: found[verdict] / runs for verdict in VERDICTS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    rows = []
    print(f"{'situation':<46}" + "".join(f"{verdict:>14}" for verdict in VERDICTS) + f"{'ms':>8}")
    for scene in SCENES:
        began = time.perf_counter()
        shares = simulate(scene, runs)
        cost = (time.perf_counter() - began) / runs
        rows.append({"situation": scene.name, **shares})
        print(f"{scene.name:<46}" + "".join(f"{shares[v]:>14.1%}" for v in VERDICTS) + f"{cost * 1000:>8.1f}")
    results = Path(__file__).with_name("results")
    results.mkdir(exist_ok=True)
    (results / "judge.json").write_text(json.dumps({"runs": runs, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
