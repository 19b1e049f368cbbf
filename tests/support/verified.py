"""The whole path as a user takes it: pytest against the demo, then the gate, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
PLUGINS = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
"""Without what the tests alone have installed, and what would write into the repository."""


@dataclass(frozen=True)
class Verified:
    """One run and its decision."""

    pytest_exit: int
    gate_exit: int
    output: str
    summary: str
    folder: Path

    @property
    def evidence(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "evidence.json").read_text())
        return document

    @property
    def decision(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "decision.json").read_text())
        return document

    def save(self, path: Path) -> None:
        path.write_text(json.dumps({**asdict(self), "folder": str(self.folder)}))

    @classmethod
    def load(cls, path: Path) -> "Verified":
        saved = json.loads(path.read_text())
        return cls(**{**saved, "folder": Path(saved["folder"])})

    def outcomes(self) -> dict[str, str | None]:
        """Outcome by case key."""
        return {case["key"]: case["outcome"] for case in self.evidence["outcomes"]}

    def failing(self, role: str = "subject") -> set[str]:
        """Ids of the checks that did not pass on the track under test."""
        return {
            case["check"]
            for case in self.evidence["outcomes"]
            if case["role"] == role and case["outcome"] not in ("pass", None)
        }


Verify = Callable[..., Verified]


def clean_environment(**more: str) -> dict[str, str]:
    """The process environment without what would change a run."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SEATRIAL_", "PYTEST_", "GITHUB_"))}
    return {**kept, "NO_COLOR": "1", **more}


def run_here(command: Sequence[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run in this repository to the end, by nothing but the words of the command."""
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_gate(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """`seatrial gate FOLDER` in a process of its own, with its log beside the folder and not in the repository."""
    log = f"--audit={folder.parent / 'audit.jsonl'}"
    return run_here([sys.executable, "-m", "seatrial.cli", "gate", str(folder), log, *args])


def verify(reports: Path, *args: str, faults: Sequence[str] = (), journeys: bool = False) -> Verified:
    """Run the suites of this repository against the demo and let the gate decide.

    Without ``journeys`` no browser is started, which takes longer than all else that most tests look at.
    """
    switched = [f"--demo-fault={fault}" for fault in faults]
    if not journeys:
        switched.append("--ignore=synthetic/journeys")
    run = run_here(command_line(reports, "--env=demo", *switched, *args), timeout=180)
    folder = (reports / "latest").resolve()
    gate = run_gate(folder)
    return Verified(
        pytest_exit=run.returncode,
        gate_exit=gate.returncode,
        output=run.stdout + run.stderr,
        summary=gate.stdout + gate.stderr,
        folder=folder,
    )


def command_line(reports: Path, *args: str) -> list[str]:
    """The command line of a run of the clone's own suites, with its reports elsewhere."""
    return [sys.executable, "-m", "pytest", f"--seatrial-reports={reports}", *PLUGINS, *args]
