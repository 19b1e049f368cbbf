"""The judge at one step of a rollout: pairs of requests to both tracks, looked at until the answer is certain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seatrial.environment.model import LoadLimits
from seatrial.evidence.assessment import Assessment
from seatrial.load.assess import assess_errors, assess_latency
from seatrial.load.measurement import Pair, measure
from seatrial.load.profile import Profile
from seatrial.rollout.glance import judged


@dataclass(frozen=True, kw_only=True)
class StepVerdict:
    """What was found at one step."""

    errors: Assessment
    latency: Assessment


@dataclass(frozen=True, kw_only=True)
class StepJudge:
    """Sends ``profile`` to both tracks at each of so many ``steps``, which share the allowance for being wrong."""

    pair: Pair
    profile: Profile
    steps: int
    run_id: str
    directory: Path
    limits: LoadLimits
    environment: str
    bearer: str | None = None
    report: Callable[[object], None] | None = None

    def judge(self, name: str, weight: float) -> StepVerdict:
        """Measure at the step ``name``, at which ``weight`` percent of users have the candidate. Raises CannotLook."""
        # The pairs go to each track's own address, whatever users get: the weight is told to people alone.
        tell = self.report
        confidence = 1 - (1 - self.profile.confidence) / self.steps
        measurement = measure(
            self.pair,
            self.profile.model_copy(update={"confidence": confidence}),
            run_id=self.run_id,
            directory=self.directory / f"step-{name}",
            limits=self.limits,
            environment=self.environment,
            bearer=self.bearer,
            report=None if tell is None else lambda progress: tell(judged(weight, progress)),
        )
        objectives = self.pair.subject.service.objectives
        return StepVerdict(
            errors=assess_errors(measurement, objectives), latency=assess_latency(measurement, objectives)
        )
