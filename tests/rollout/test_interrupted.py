"""A watch that is stopped in the middle: what it saw stays, and the gate holds, naming what is missing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.metrics import eventually
from support.verified import REPOSITORY, clean_environment, run_gate

HOLD = 10


@contextmanager
def watching(reports: Path) -> Iterator[subprocess.Popen[str]]:
    """A watch of the demo that has users, and waits for a word that never comes; begun as a script does it with `&`."""
    words = ["watch-rollout", "--env=demo", f"--words={reports / 'words'}", f"--reports={reports}", "-m", "watch"]
    words += [f"--audit={reports / 'audit.jsonl'}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "seatrial.cli", *words],
        cwd=REPOSITORY,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        eventually(lambda: traffic(reports), lambda seen: seen.count("\n") > 5, within=60)
        yield process
    finally:
        process.kill()
        process.communicate()


def traffic(reports: Path) -> str:
    found = list(reports.glob("2*/samples/rollout/chat/traffic.ndjson"))
    return found[0].read_text() if found else ""


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM])
def test_an_interruption_is_decided_upon(tmp_path: Path, number: signal.Signals) -> None:
    with watching(tmp_path) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == HOLD, output
    assert "canary/share[chat]@candidate" in missing(tmp_path)
    assert "planned checks have no outcome" in output
    assert "policy violation" not in output, "the item that was interrupted says what it was"
    assert "foreign" not in output, "and is nobody else's, and no pass"
    assert traffic(tmp_path).endswith("\n")


@pytest.mark.long
def test_after_a_kill_the_watch_ends_too_and_the_gate_holds(tmp_path: Path) -> None:
    with watching(tmp_path) as process:
        (child,) = children(process.pid)
        process.kill()
        process.communicate(timeout=60)
    eventually(lambda: Path(f"/proc/{child}").exists(), lambda there: not there, within=60)
    decided = run_gate(tmp_path / "latest", "--env=demo")
    assert decided.returncode == HOLD, decided.stdout
    assert "canary/share[chat]@candidate" in missing(tmp_path)


def missing(reports: Path) -> list[str]:
    """Checks that the decision names as without an outcome."""
    return list(json.loads((reports / "latest" / "decision.json").read_text())["missing"])


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
