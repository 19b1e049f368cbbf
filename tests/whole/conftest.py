"""The suites of this repository against the demo."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.verified import REPOSITORY, Verified, Verify, clean_environment, command_line, run_gate


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Run the suites of this repository against the demo and let the gate decide.

    Without ``journeys`` no browser is started, which takes longer than all else that most tests look at.
    """

    def go(*args: str, faults: Sequence[str] = (), journeys: bool = False) -> Verified:
        switched = [f"--demo-fault={fault}" for fault in faults]
        if not journeys:
            switched.append("--ignore=synthetic/journeys")
        run = subprocess.run(
            command_line(tmp_path, "--env=demo", *switched, *args),
            cwd=REPOSITORY,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        folder = (tmp_path / "latest").resolve()
        gate = run_gate(folder)
        return Verified(
            pytest_exit=run.returncode,
            gate_exit=gate.returncode,
            output=run.stdout + run.stderr,
            summary=gate.stdout + gate.stderr,
            folder=folder,
        )

    return go
