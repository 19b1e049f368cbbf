"""Whether an environment was calibrated: for this load and these margins, lately, and with few enough false alarms."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from seatrial.environment.model import CalibrationTerms, Service
from seatrial.environment.units import format_duration
from seatrial.evidence.assessment import Assessment
from seatrial.load.calibration_record import CalibrationRecord, RecordProblem, Terms, read_record, record_name
from seatrial.load.fingerprint import Fingerprint
from seatrial.load.place import Place
from seatrial.load.profile import ProfileError, load_profile

AHEAD: Final = 300.0
"""Seconds that a record may lie in the future: clocks differ."""


def assess_calibration(
    name: str, service: Service, *, region: str, environment: str, place: Place, project: Path, now: dt.datetime
) -> Assessment:
    """``latency/calibrated`` of one service whose environment asks for it."""
    latency = service.latency
    assert latency is not None
    asked = latency.calibration
    assert asked is not None
    command = f"seatrial calibrate --env {environment} --service {name}"
    try:
        profile = load_profile(latency.profile, project)
        record = read_record(place, record_name(environment, name, latency.profile))
    except (ProfileError, RecordProblem) as problem:
        return Assessment.error(str(problem), remedy=f"measure again: `{command}`")
    if record is None:
        words = f"{name} under {latency.profile} was not calibrated in {environment}"
        return Assessment.inconclusive(f"{words}: there is no record in {place}", n=0, remedy=f"run `{command}`")
    fingerprint = Fingerprint.of(service, profile, region=region)
    lacking = _problem(record, asked, fingerprint, Terms.of(service.objectives, profile), environment, name, now)
    if lacking:
        return Assessment.inconclusive(
            f"{name} under {latency.profile}: {lacking} ({record})",
            seen=f"{record.at_most:.1%}",
            n=record.sound,
            remedy=_remedy(command, record, asked),
        )
    return Assessment.passed(
        f"{name} under {latency.profile}: {record}",
        seen=f"{record.at_most:.1%}",
        limit=f"{asked.false_alarms:.1%}",
        n=record.sound,
    )


def _problem(
    record: CalibrationRecord,
    asked: CalibrationTerms,
    fingerprint: Fingerprint,
    terms: Terms,
    environment: str,
    name: str,
    now: dt.datetime,
) -> str:
    """What speaks against the record; empty where nothing does."""
    if (record.environment, record.service) != (environment, name):
        return f"the record is that of {record.service} in {record.environment}"
    if different := fingerprint.differences(record.fingerprint):
        return f"the record is of another load: {different}"
    if record.terms != terms:
        changed = [key for key in vars(terms) if getattr(terms, key) != getattr(record.terms, key)]
        told = (f"{key} {getattr(record.terms, key):g}, now {getattr(terms, key):g}" for key in changed)
        return f"it was calibrated for other terms: {', '.join(told)}"
    age = (now - record.moment).total_seconds()
    if age > asked.max_age or age < -AHEAD:
        return f"the record is {age / 86_400:.0f} days old, and {format_duration(asked.max_age)} are allowed"
    if record.at_most > asked.false_alarms:
        return f"false alarms may be as many as {record.at_most:.1%} of runs, and {asked.false_alarms:.1%} are allowed"
    return ""


def _remedy(command: str, record: CalibrationRecord, asked: CalibrationTerms) -> str:
    if record.false_alarms:
        return f"find out what makes stable differ from itself, then run `{command}`"
    # Of n clean runs, the upper bound at 95 % is 1 - 0.05^(1/n).
    enough = next(n for n in range(1, 100_000) if 1 - 0.05 ** (1 / n) <= asked.false_alarms)
    return f"run `{command} --runs {max(enough, 10)}`"
