"""How far this environment can be trusted with a verdict: stable measured against itself, again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.judge.power import Plan, plan
from seatrial.judge.proportions import Counts, rate_interval
from seatrial.load.assess import assess_errors, assess_latency
from seatrial.load.live import at_the_end, sequential_rule
from seatrial.load.measurement import Measurement

CONFIDENCE = 0.95
"""Of the bound on the share of false alarms, one-sided."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One measurement of stable against itself: what was concluded, and how many pairs it took."""

    latency: Outcome
    errors: Outcome
    pairs: int
    words: str

    @property
    def sound(self) -> bool:
        """Whether anything was concluded at all."""
        return self.latency is not Outcome.ERROR

    @property
    def alarm(self) -> bool:
        """Whether it would have rolled a release back that is the same as stable."""
        return Outcome.FAIL in (self.latency, self.errors)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What came of all runs. ``planned`` is what the profile's budget sees; None where too few pairs were measured."""

    runs: tuple[Run, ...]
    planned: Plan | None

    @property
    def alarms(self) -> Counts:
        """False alarms among the sound runs."""
        sound = [run for run in self.runs if run.sound]
        return Counts(failed=sum(run.alarm for run in sound), total=len(sound))

    @property
    def at_most(self) -> float:
        """Upper bound of the share of false alarms, at 95 % confidence (Clopper-Pearson)."""
        return rate_interval(self.alarms, alpha=1 - CONFIDENCE)[1]

    @property
    def outcome(self) -> Outcome:
        """FAIL where there was a false alarm, ERROR where nothing was sound, else PASS."""
        if self.alarms.failed:
            return Outcome.FAIL
        return Outcome.PASS if self.alarms.total else Outcome.ERROR

    def as_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        return {
            "runs": [
                {"latency": run.latency.value, "errors": run.errors.value, "pairs": run.pairs, "told": run.words}
                for run in self.runs
            ],
            "sound": self.alarms.total,
            "false alarms": self.alarms.failed,
            "false alarms at most": self.at_most,
            "confidence": CONFIDENCE,
            "plan": None if self.planned is None else vars(self.planned),
        }

    def __str__(self) -> str:
        unsound = len(self.runs) - self.alarms.total
        told = [
            f"false alarms: {self.alarms} runs, so at most {self.at_most:.1%} at {CONFIDENCE:.0%} confidence",
            *([f"not sound: {unsound} of {len(self.runs)} runs, which say nothing"] if unsound else []),
            *([str(self.planned)] if self.planned is not None else []),
        ]
        return "\n".join(told)


def calibrate(
    measurements: Iterable[Measurement], objectives: Objectives, *, pairs: int, told: Callable[[int, Run], None]
) -> Calibration:
    """Judge measurements of stable against itself as if the subject were a candidate; ``pairs`` is a run's budget."""
    runs: list[Run] = []
    control, subject = [np.empty(0)], [np.empty(0)]
    rule, end = None, None
    for number, measurement in enumerate(measurements, 1):
        latency, errors = assess_latency(measurement, objectives), assess_errors(measurement, objectives)
        runs.append(Run(latency=latency.outcome, errors=errors.outcome, pairs=latency.n or 0, words=latency.message))
        told(number, runs[-1])
        if runs[-1].sound:
            one, other = measurement.paired_latencies()
            control.append(one)
            subject.append(other)
            profile = measurement.profile
            rule = sequential_rule(objectives, confidence=profile.confidence, timeout=profile.timeout)
            end = at_the_end(profile.confidence)
    measured = [np.concatenate(control), np.concatenate(subject)]
    enough = rule is not None and len(measured[0]) >= rule.warm_up + rule.least_blocks * rule.block
    planned = plan(measured[0], measured[1], rule, pairs=pairs, at_the_end=end) if rule is not None and enough else None
    return Calibration(runs=tuple(runs), planned=planned)
