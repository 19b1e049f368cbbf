"""The whole path as a user takes it: pytest against the demo, then the gate, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


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


def run_gate(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """`seatrial gate FOLDER` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "seatrial.cli", "gate", str(folder), *args],
        cwd=REPOSITORY,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def command_line(reports: Path, *args: str) -> list[str]:
    """The command line of a run of the clone's own suites, with its reports elsewhere."""
    return [sys.executable, "-m", "pytest", f"--seatrial-reports={reports}", "-p", "no:cacheprovider", *args]
