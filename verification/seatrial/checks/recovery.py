"""Has the way back been gone lately, and was it short enough? Told by the records that drills leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from seatrial.checks.check import Check, check
from seatrial.environment.model import Environment
from seatrial.environment.units import format_duration
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.drill import DrillRecord, RecordProblem, records_in
from seatrial.evidence.outcome import Outcome


def _age_asked(environment: Environment) -> bool:
    return environment.drills.max_age is not None


def _time_asked(environment: Environment) -> bool:
    return _age_asked(environment) and environment.recovery.time_objective is not None


def _records(environment: Environment, project: Path) -> Sequence[DrillRecord] | Assessment:
    """Drills that have concluded, the newest first, or why that cannot be told."""
    folder = project / environment.drills.records
    try:
        return [record for record in records_in(folder, environment.name) if record.concluded]
    except RecordProblem as problem:
        return Assessment.error(str(problem), remedy="remove it, and drill anew where it was the last one")


def _how(environment: Environment) -> str:
    return f"run `seatrial drill rollback --env {environment.name}`"


@check(
    "recovery/drill-age",
    suite="recovery",
    severity="major",
    per="environment",
    applies=_age_asked,
)
def drill_age(environment: Environment, *, project: Path, now: dt.datetime) -> Assessment:
    """A rollback drill was held in this environment lately enough, to its end.

    Why: commands, rights and charts change with every release, and a rollback that worked last year is a hope.

    Remedy: `seatrial drill rollback --env NAME`. How old it may be is `drills.max_age`, and where the records lie is
    `drills.records`.
    """
    found = _records(environment, project)
    if isinstance(found, Assessment):
        return found
    most = environment.drills.max_age
    assert most is not None, "planned only where it is asked for"
    limit = format_duration(most)
    last = next((record for record in found if record.drill == "rollback"), None)
    if last is None:
        where = project / environment.drills.records
        words = f"no rollback drill of {environment.name} is on record in {where}"
        return Assessment.inconclusive(words, seen="none", n=0, remedy=_how(environment))
    age = (now - last.moment).total_seconds()
    seen = f"{age / 86_400:.1f} days"
    words = f"the last rollback drill was held {seen} ago ({last.run_id}), and {limit} are allowed"
    if not 0 <= age <= most:
        return Assessment.inconclusive(words, seen=seen, n=1, remedy=_how(environment))
    return Assessment.passed(words, seen=seen, limit=limit, n=1)


@check(
    "recovery/restore-time",
    suite="recovery",
    severity="major",
    per="environment",
    applies=_time_asked,
)
def restore_time(environment: Environment, *, project: Path, now: dt.datetime) -> Assessment:  # noqa: ARG001
    """In the last drill of each kind everything was back within the recovery time objective, and as it was afterwards.

    Why: an objective that no drill has met is a wish, and an incident is a bad time to learn that.

    Remedy: see the record's commands and looks; keep the previous revision's images at hand, shorten probes and
    termination, or set an honest `recovery.time_objective`.
    """
    found = _records(environment, project)
    if isinstance(found, Assessment):
        return found
    objective = environment.recovery.time_objective
    assert objective is not None, "planned only where there is one"
    last = [record for kind in ("rollback", "recovery") for record in found if record.drill == kind]
    last = [record for index, record in enumerate(last) if record.drill not in {one.drill for one in last[:index]}]
    if not any(record.drill == "rollback" for record in last):
        words = f"no rollback drill of {environment.name} is on record"
        return Assessment.inconclusive(words, seen="none", n=0, remedy=_how(environment))
    limit = format_duration(objective)
    findings = [finding for record in last for finding in _objections(record, objective)]
    times = [(record.drill, one.seconds) for record in last for one in record.subjects if one.seconds is not None]
    held = "; ".join(f"{drill} {seconds:.1f} s" for drill, seconds in times) + f", and {limit} are allowed"
    broken = "the last drills fell short in {count} place(s)"
    return Assessment.of_findings(
        findings, held=held, broken=broken, n=len(times), remedy="see the record of the drill"
    )


def _objections(record: DrillRecord, objective: float) -> list[Finding]:
    where, limit = f"{record.drill} drill {record.run_id}", format_duration(objective)
    found = [
        Finding(
            where=where,
            path=one.name,
            expected=f"back within {limit}",
            seen=f"{one.seconds:.1f} s" if one.seconds is not None else f"not back: {one.words}",
        )
        for one in record.subjects
        if one.seconds is None or one.seconds > objective
    ]
    if record.left:
        found.append(Finding(where=where, expected="everything as it was afterwards", seen=record.left))
    # It was judged by the objective of its day: only what else went wrong counts, such as a command that failed.
    failed = [ran for ran in record.commands if ran.problem]
    if record.outcome is Outcome.FAIL and failed and not found:
        found.append(Finding(where=where, path=failed[0].words[0], expected="exit code 0", seen=failed[0].problem))
    return found


CHECKS: Final[tuple[Check, ...]] = (drill_age, restore_time)
