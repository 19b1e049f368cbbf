"""The record that a calibration leaves: how often stable alarmed against itself, under which load and margins."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from seatrial.environment.model import Environment, Objectives
from seatrial.evidence.run import timestamp
from seatrial.load.calibration import CONFIDENCE, Calibration
from seatrial.load.fingerprint import Fingerprint, canonical, sha256_of
from seatrial.load.place import Place, PlaceProblem, place_of
from seatrial.load.profile import Profile

KIND: Final = "seatrial calibration"
SCHEMA: Final = 1


class RecordProblem(Exception):
    """A record that cannot be relied on; the message says which and why."""


def baselines_place(environment: Environment, fixtures: Path, project: Path) -> Place:
    """Where an environment keeps baselines and calibrations: the place that it names, else a folder in ``fixtures``.

    Raises PlaceProblem for an address that nothing can be kept at.
    """
    named = environment.baseline.store
    return place_of(fixtures / "baselines") if named is None else place_of(named, project)


def record_name(environment: str, service: str, profile: str) -> str:
    """That of the record of a service."""
    return f"{environment}/{service}.{profile}.calibration.json"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a verdict on latency depends on beside the load: another one asks for another calibration."""

    relative_margin: float
    absolute_margin: float
    error_rate: float
    confidence: float

    @classmethod
    def of(cls, objectives: Objectives, profile: Profile) -> Terms:
        """Those of a service under a profile."""
        return cls(
            relative_margin=objectives.relative_margin,
            absolute_margin=objectives.absolute_margin,
            error_rate=objectives.error_rate,
            confidence=profile.confidence,
        )


@dataclass(frozen=True, kw_only=True)
class CalibrationRecord:
    """``at_most`` is the upper bound of the share of false alarms at 95 % confidence; ``visible`` the smallest change
    that the profile's budget sees in nine runs of ten, as a share, None where it was not known.
    """

    environment: str
    service: str
    profile: str
    fingerprint: dict[str, str]
    terms: Terms
    finished: str
    sound: int
    unsound: int
    false_alarms: int
    at_most: float
    visible: float | None

    @property
    def moment(self) -> dt.datetime:
        """When the last run ended."""
        return dt.datetime.fromisoformat(self.finished)

    @classmethod
    def of(
        cls,
        result: Calibration,
        *,
        environment: str,
        service: str,
        profile: str,
        fingerprint: Fingerprint,
        terms: Terms,
        now: dt.datetime,
    ) -> CalibrationRecord:
        """What ``result`` came to, ended ``now``."""
        return cls(
            environment=environment,
            service=service,
            profile=profile,
            fingerprint=fingerprint.as_json(),
            terms=terms,
            finished=timestamp(now),
            sound=result.alarms.total,
            unsound=len(result.runs) - result.alarms.total,
            false_alarms=result.alarms.failed,
            at_most=round(result.at_most, 6),
            visible=None
            if result.planned is None or result.planned.visible is None
            else round(result.planned.visible, 4),
        )

    def write(self, place: Place) -> str:
        """Write it, in one step, with the hash of its canonical form; returns where. Raises PlaceProblem."""
        name = record_name(self.environment, self.service, self.profile)
        content = {"kind": KIND, "schema": SCHEMA, **asdict(self)}
        text = msgspec.json.format(canonical({**content, "sha256": sha256_of(content)}), indent=1)
        place.change(name, lambda _: text + "\n")
        return place.where(name)

    def __str__(self) -> str:
        return (
            f"{self.false_alarms} false alarms in {self.sound} sound runs, so at most {self.at_most:.1%} at "
            f"{CONFIDENCE:.0%} confidence, measured {self.finished}"
        )


def read_record(place: Place, name: str) -> CalibrationRecord | None:
    """The record of that name, None where there is none. Raises RecordProblem."""
    path = place.where(name)
    try:
        text = place.read(name)
        if text is None:
            return None
        content: Any = json.loads(text)
    except PlaceProblem as problem:
        raise RecordProblem(str(problem)) from None
    except ValueError as error:
        raise RecordProblem(f"{path}: cannot be read: {error}") from None
    if not isinstance(content, dict) or content.get("kind") != KIND or content.get("schema") != SCHEMA:
        raise RecordProblem(f"{path}: expected a {KIND} of schema {SCHEMA}")
    told = content.pop("sha256", None)
    if told != sha256_of(content):
        raise RecordProblem(f"{path}: the content does not match its hash: it was edited by hand, or damaged")
    del content["kind"], content["schema"]
    try:
        return msgspec.convert(content, CalibrationRecord)
    except msgspec.ValidationError as error:
        raise RecordProblem(f"{path}: {error}") from None
