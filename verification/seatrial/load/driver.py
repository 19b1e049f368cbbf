"""Runs the sending process: started, bounded, and ended whatever happens. Locust is never imported here."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from seatrial.evidence.outcome import CannotLook
from seatrial.load.profile import PACKAGE

ASK_EVERY = 1.0
"""Seconds between two looks at what was measured so far."""
LOG_TAIL = 2_000
"""Characters of the log that an error shows."""


def _tail(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
    return text[-LOG_TAIL:] or "(the log is empty)"


def _wait(process: subprocess.Popen[bytes], within: float, enough: Callable[[], bool]) -> int | None:
    """The exit code; None where it did not end in time."""
    end, stopped = time.monotonic() + within, False
    assert process.stdin is not None
    while time.monotonic() < end:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=ASK_EVERY)
        if not stopped and enough():
            stopped = True
            with suppress(BrokenPipeError):
                process.stdin.write(b"stop\n")
                process.stdin.flush()
    return None


def run_worker(
    plan: Path, log: Path, *, bearer: str | None, within: float, enough: Callable[[], bool] = lambda: False
) -> None:
    """Send the plan in a process group of its own and wait for its end, at most ``within`` seconds.

    ``enough`` is asked once a second, and stops it where the rest need not be sent.

    Raises CannotLook where Locust is not installed, or the process failed or overran, with the end of its log.
    """
    if importlib.util.find_spec("locust") is None:
        raise CannotLook("Locust is not installed, so no load can be sent: pip install 'seatrial[load]'")
    # The worker must find this very package, also in a clone where nothing is installed.
    search = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "seatrial.load.worker", str(plan)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
            start_new_session=True,
        )
    try:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it died at once: its exit code and log say why
            process.stdin.write(json.dumps({"bearer": bearer}).encode() + b"\n")
            process.stdin.flush()
        code = _wait(process, within, enough)
        if code is None:
            raise CannotLook(
                f"the load process did not end within {within:.0f} s and was killed; its log ends:\n{_tail(log)}"
            )
        if code != 0:
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"failed with exit code {code}"
            raise CannotLook(f"the load process {how}; its log ends:\n{_tail(log)}")
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
