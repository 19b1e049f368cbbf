"""Keeps the record of a drill: when something is about to be broken, and at the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from seatrial.drill.plan import Plan
from seatrial.drill.probing import Probing
from seatrial.drill.telling import Errors, Told
from seatrial.evidence.drill import DrillRecord
from seatrial.evidence.outcome import Outcome
from seatrial.evidence.run import timestamp


class Keeper:
    """Writes the record when something is about to be broken, so that a killed drill leaves one, and at the end."""

    def __init__(
        self, *, plan: Plan, run_id: str, folder: Path, started: dt.datetime, clean: Callable[[str], str]
    ) -> None:
        self._plan = plan
        self._started = started
        self._clean = clean
        self._told: Told | None = None
        self._probing: Probing | None = None
        self.kept: DrillRecord | None = None
        """What was written last."""
        self.run_id = run_id
        self.folder = folder

    def watch(self, told: Told, probing: Probing) -> None:
        """Write down what is known of these from now on."""
        self._told, self._probing = told, probing

    def keep(self, *, ended: bool, problem: str = "") -> DrillRecord:
        """Write what is known. Raises OSError."""
        told = self._told or Told(objective=self._plan.objective)
        seen = self._probing.since(0.0) if self._probing is not None else []
        errors = Errors.among(seen, told.broken, told.ended)
        outcome = Outcome.ERROR if problem or told.outcome is None else told.outcome
        cut_off = told.outcome is Outcome.INCONCLUSIVE
        record = DrillRecord(
            drill=self._plan.drill,
            environment=self._plan.environment.name,
            run_id=self.run_id,
            state="running" if not ended else "interrupted" if cut_off else "finished",
            started=timestamp(self._started),
            finished=timestamp(dt.datetime.now(dt.UTC)),
            objective=self._plan.objective,
            outcome=outcome,
            message=problem or told.message or "it has not come to its end",
            left=told.left,
            subjects=told.subjects,
            commands=told.commands,
            probes=errors.probes,
            errors=errors.count,
            first_change=told.first_change,
            first_error=errors.first,
            examples=errors.examples,
            users=told.users,
            left_at_most=told.left_at_most,
        )
        record.write(self.folder, self._clean)
        self.kept = record
        return record
