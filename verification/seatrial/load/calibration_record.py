"""The record that a calibration leaves: how often stable alarmed against itself, under which load and margins."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from seatrial.environment.model import Environment, Objectives
from seatrial.evidence.run import timestamp, write_atomically
from seatrial.load.calibration import CONFIDENCE, Calibration
from seatrial.load.fingerprint import Fingerprint, canonical, sha256_of
from seatrial.load.profile import Profile

KIND: Final = "seatrial calibration"
SCHEMA: Final = 1


class RecordProblem(Exception):
    """A record that cannot be relied on; the message says which and why."""


def baselines_folder(environment: Environment, fixtures: Path, project: Path) -> Path:
    """Where an environment keeps baselines and calibrations: the folder that it names, else one in ``fixtures``."""
    named = environment.baseline.store
    return fixtures / "baselines" if named is None else project / named


def record_path(folder: Path, environment: str, service: str, profile: str) -> Path:
    """Where the record of a service lies."""
    return folder / environment / f"{service}.{profile}.calibration.json"


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

    def write(self, folder: Path) -> Path:
        """Write it into ``folder``, in one step, with the hash of its canonical form. Raises OSError."""
        path = record_path(folder, self.environment, self.service, self.profile)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"kind": KIND, "schema": SCHEMA, **asdict(self)}
        text = msgspec.json.format(canonical({**content, "sha256": sha256_of(content)}), indent=1)
        write_atomically(path, text + "\n")
        return path

    def __str__(self) -> str:
        return (
            f"{self.false_alarms} false alarms in {self.sound} sound runs, so at most {self.at_most:.1%} at "
            f"{CONFIDENCE:.0%} confidence, measured {self.finished}"
        )


def read_record(path: Path) -> CalibrationRecord | None:
    """The record at ``path``, None where there is none. Raises RecordProblem."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
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
