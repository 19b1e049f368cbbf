"""Watches of a release that settles for ten minutes: how often it is said to rise where it does not, and where it does.

A watch has what one of a chatbot has: five latencies a second of users, half as many of stable's own address, one
streamed answer a second, and the memory every two seconds. Latencies are lognormal with a spread of 0.3; the memory is
told to a mebibyte. All that a watch judges is judged together: it fails where any of them does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.signal import lfilter

from judging.runs import bound, seed
from judging.streams import Floats
from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.rollout.settling import Series, deciding, judge_settling, on_the_scale_of

SECONDS = 600.0
MIB = float(2**20)
SEEN = 0.95
"""Of the watches in which something rises beyond doubt, at least so many must say so."""
Truth = Literal["level", "between", "rises"]
"""`level`: no rollback; `rises`: rolled back; `between`: either may be shown, or what the data cannot tell."""


@dataclass(frozen=True, kw_only=True)
class Settling:
    """Latencies have the autocorrelation ``rho`` from one of users to the next, a fifth of a second later."""

    name: str
    truth: Truth
    rho: float = 0.0
    lasts: float = 0.0
    """Seconds after which a slow part of the noise, half of its variance, is correlated with itself by half."""
    slower: float = 0.0
    """How much latencies rise over the watch, of the first."""
    longer: float = 0.0
    """How much streamed answers do."""
    together: float = 0.0
    """How much the latencies of both tracks rise."""
    leak: float = 0.0
    """How much memory rises, of the first."""
    memory: float = 200.0
    """Mebibytes at the beginning."""
    tooth: float = 0.0
    """Height of what the garbage collector lets grow and takes back, of the first memory."""
    period: float = 45.0
    """Seconds between two collections; where in them the watch begins is left to chance."""
    filling: float = 0.0
    """How much caches take, of the first memory; two thirds of that in the first sixth of the watch."""

    def draw(self, generator: np.random.Generator) -> list[Series]:
        """What a watch sees."""
        users, stable, answers = (np.arange(0.0, SECONDS, every) for every in (0.2, 0.4, 1.0))
        took = [
            level * (1 + self.together * times / SECONDS) * (1 + own * times / SECONDS) * self._noise(generator, times)
            for level, own, times in ((0.1, self.slower, users), (0.1, 0.0, stable), (0.8, self.longer, answers))
        ]
        looks = np.arange(0.0, SECONDS, 2.0)
        phase = (looks + generator.random() * self.period) % self.period / self.period
        filled = self.filling * (1 - np.exp(-looks / (SECONDS / 6)))
        grown = 1 + self.leak * looks / SECONDS + self.tooth * phase + filled
        kept = np.rint(self.memory * grown + generator.normal(0.0, 1.0, len(looks))) * MIB
        return [
            Series(name="latency", times=users, values=took[0], beside=(stable, took[1])),
            Series(
                name="answers",
                times=answers,
                values=took[2],
                beside=on_the_scale_of((answers, took[2]), (stable, took[1])),
            ),
            Series(name="memory", times=looks, values=kept),
        ]

    def _noise(self, generator: np.random.Generator, times: Floats) -> Floats:
        step = float(times[1] - times[0])
        fast = _ar(generator, len(times), self.rho ** (step / 0.2))
        if not self.lasts:
            return np.exp(0.3 * fast)
        slow = _ar(generator, len(times), 0.5 ** (step / self.lasts))
        return np.exp(0.3 * (fast + slow) / math.sqrt(2))


def _ar(generator: np.random.Generator, count: int, rho: float) -> Floats:
    before = 20_000 if rho > 0.99 else 400
    innovations = generator.standard_normal(count + before) * math.sqrt(1 - rho**2)
    return np.asarray(lfilter([1.0], [1.0, -rho], innovations)[before:])


WATCHES = tuple(
    Settling(name=name, truth=truth, **what)
    for name, truth, what in (
        ("level", "level", {}),
        ("level, rho 0.5", "level", {"rho": 0.5}),
        ("level, rho 0.7", "level", {"rho": 0.7}),
        ("level, rho 0.9", "level", {"rho": 0.9}),
        ("level, rho 0.99", "level", {"rho": 0.99}),
        ("level, half of the noise for 5 s", "level", {"lasts": 5.0}),
        ("level, half of the noise for 20 s", "level", {"lasts": 20.0}),
        ("level, half of the noise for 60 s", "between", {"lasts": 60.0}),
        ("level, half of the noise for 300 s", "between", {"lasts": 300.0}),
        ("both tracks +2 %, as a day goes", "level", {"together": 0.02}),
        ("both tracks +50 %", "level", {"together": 0.5}),
        ("both tracks +50 %, rho 0.9", "level", {"together": 0.5, "rho": 0.9}),
        ("collected every 7 s, teeth of 30 %", "level", {"tooth": 0.3, "period": 7.0}),
        ("collected every 45 s, teeth of 30 %", "level", {"tooth": 0.3}),
        ("collected every 45 s, teeth of 100 %", "level", {"tooth": 1.0}),
        ("collected every 2 min, teeth of 30 %", "level", {"tooth": 0.3, "period": 120.0}),
        ("collected every 4 min, teeth of 30 %", "level", {"tooth": 0.3, "period": 240.0}),
        ("collected every 6 min, teeth of 30 %", "level", {"tooth": 0.3, "period": 360.0}),
        ("collected every 9 min, teeth of 30 %", "between", {"tooth": 0.3, "period": 540.0}),
        ("collected every 30 min, teeth of 100 %", "between", {"tooth": 1.0, "period": 1800.0}),
        ("caches fill, +40 %", "level", {"filling": 0.4}),
        ("latency +5 %", "level", {"slower": 0.05}),
        ("latency +10 %", "between", {"slower": 0.10}),
        ("latency +25 %", "rises", {"slower": 0.25}),
        ("latency +50 %", "rises", {"slower": 0.50}),
        ("latency +5 %, rho 0.9", "level", {"slower": 0.05, "rho": 0.9}),
        ("latency +10 %, rho 0.9", "between", {"slower": 0.10, "rho": 0.9}),
        ("latency +25 %, rho 0.9", "between", {"slower": 0.25, "rho": 0.9}),
        ("latency +50 %, rho 0.9", "between", {"slower": 0.50, "rho": 0.9}),
        ("latency +100 %, rho 0.9", "rises", {"slower": 1.0, "rho": 0.9}),
        ("answers +25 %", "between", {"longer": 0.25}),
        ("answers +50 %", "rises", {"longer": 0.50}),
        ("memory +5 %", "level", {"leak": 0.05}),
        ("memory +10 %", "between", {"leak": 0.10}),
        ("memory +25 %", "rises", {"leak": 0.25}),
        ("memory +50 %", "rises", {"leak": 0.50}),
        ("memory +5 %, teeth of 30 %", "level", {"leak": 0.05, "tooth": 0.3}),
        ("memory +10 %, teeth of 30 %", "between", {"leak": 0.10, "tooth": 0.3}),
        ("memory +25 %, teeth of 30 %", "rises", {"leak": 0.25, "tooth": 0.3}),
        ("memory +50 %, teeth of 30 %", "rises", {"leak": 0.50, "tooth": 0.3}),
    )
)


def judge_watch(scene: Settling, runs: int) -> dict[str, Any]:
    """One situation, many watches."""
    generator = seed(f"settling {scene.name}")
    watches = (judge_settling(scene.draw(generator), Objectives()) for _ in range(runs))
    found = [deciding(rises).trend.verdict for rises in watches]
    failed = found.count(Outcome.FAIL)
    return {
        "situation": scene.name,
        "truth": scene.truth,
        "runs": runs,
        "rollback": failed / runs,
        "rollback at most": bound(failed, runs),
        "promote": found.count(Outcome.PASS) / runs,
    }


def broken(row: dict[str, Any]) -> str:
    """The criterion that a row does not meet; empty where it meets all."""
    if row["truth"] == "level" and row["rollback"] > 0.01:
        return "false alarms above 1 % of watches"
    if row["truth"] == "rises" and row["promote"] > 0.01:
        return "rises let through in more than 1 % of watches"
    if row["truth"] == "rises" and row["rollback"] < SEEN:
        return f"rises seen in less than {SEEN:.0%} of watches"
    return ""
