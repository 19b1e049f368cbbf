"""Who a run was, and the folder that it leaves; begun before the first check, so that a killed run has one too."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import re
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from seatrial import __version__
from seatrial.evidence.case import Case
from seatrial.evidence.properties import SCHEMA

State = Literal["running", "finished", "interrupted"]


def timestamp(moment: dt.datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_run_id(environment: str, moment: dt.datetime) -> str:
    """Sortable by time, safe as a folder name, and unique among runs that start in the same second."""
    safe = re.sub(r"[^A-Za-z0-9.-]+", "-", environment)
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{safe}-{secrets.token_hex(3)}"


@dataclass(frozen=True, kw_only=True)
class Run:
    """Identity of one run; the fields are the run-scope rows of the table of properties."""

    id: str
    environment: str
    environment_hash: str = ""
    phase: str
    track: str
    release_wanted: str = ""
    release_seen: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    started: str
    finished: str = ""
    host: str = field(default_factory=platform.node)
    suite_version: str = __version__

    def properties(self, expected: Sequence[str] | None = None) -> dict[str, str]:
        """Run-scope properties; ``expected`` are the case keys, left out where they are not known."""
        values = {
            "seatrial.schema": SCHEMA,
            "seatrial.run-id": self.id,
            "seatrial.environment": self.environment,
            "seatrial.environment-hash": self.environment_hash,
            "seatrial.phase": self.phase,
            "seatrial.track": self.track,
            "seatrial.release-wanted": self.release_wanted,
            "seatrial.release-seen": ",".join(self.release_seen),
            "seatrial.digests": ",".join(self.digests),
            "seatrial.suite-version": self.suite_version,
            "seatrial.started": self.started,
            "seatrial.finished": self.finished,
            "seatrial.host": self.host,
        }
        if expected is not None:
            values["seatrial.expected"] = json.dumps(list(expected), ensure_ascii=False)
        return values

    def ended(self, moment: dt.datetime) -> Run:
        """The same run, finished at ``moment``."""
        return replace(self, finished=timestamp(moment))


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` in one step, so that a reader or a kill never meets half a file. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """``reports/<run-id>/``: ``junit.xml``, ``allure-results/``, ``evidence.json`` and ``samples/``."""

    path: Path

    @classmethod
    def create(cls, reports: Path, run_id: str) -> RunFolder:
        """Make the folder and point ``reports/latest`` at it. Raises OSError where that is not possible."""
        path = reports / run_id
        (path / "samples").mkdir(parents=True)
        pointer = reports / f".latest-{run_id}"
        pointer.symlink_to(run_id, target_is_directory=True)
        pointer.replace(reports / "latest")
        return cls(path=path)

    @property
    def junit(self) -> Path:
        """Where JUnit XML goes."""
        return self.path / "junit.xml"

    @property
    def sarif(self) -> Path:
        """Where the findings go for code-scanning pages."""
        return self.path / "findings.sarif"

    @property
    def allure(self) -> Path:
        """Where Allure results go."""
        return self.path / "allure-results"

    @property
    def samples(self) -> Path:
        """Where raw samples go."""
        return self.path / "samples"

    def write_evidence(
        self,
        run: Run,
        *,
        state: State,
        expected: Sequence[Case],
        outcomes: Sequence[Mapping[str, Any]],
    ) -> None:
        """Write ``evidence.json`` and, beside Allure results if there are any, the run's identity. Raises OSError."""
        keys = [case.key for case in expected]
        properties = run.properties(keys)
        document = {
            "schema": int(SCHEMA),
            "state": state,
            "run": {
                name.removeprefix("seatrial."): value
                for name, value in properties.items()
                if name not in {"seatrial.schema", "seatrial.expected"}
            },
            "expected": [case.as_json() for case in expected],
            "outcomes": list(outcomes),
        }
        write_atomically(self.path / "evidence.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        if self.allure.is_dir():
            write_atomically(
                self.allure / "seatrial-run.json", json.dumps(properties, indent=1, ensure_ascii=False) + "\n"
            )
            lines = (f"{name} = {value}" for name, value in run.properties().items() if value)
            write_atomically(self.allure / "environment.properties", "\n".join(lines) + "\n")
