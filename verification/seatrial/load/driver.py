"""Runs the sending processes: started, bounded, and ended whatever happens. Locust is never imported here."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from seatrial.evidence.outcome import CannotLook
from seatrial.load.profile import PACKAGE

ASK_EVERY: Final = 1.0
"""Seconds between two looks at what was measured so far."""
LEAD: Final = 0.2
"""Seconds from the word to start to the start itself, so that every process has heard it."""
READY: Final = 60.0
"""Seconds that the processes may take to start and to measure their own overhead."""
LOG_TAIL: Final = 2_000
"""Characters of the log that an error shows."""


def _tail(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
    return text[-LOG_TAIL:] or "(the log is empty)"


class _Processes:
    """The processes that share a plan, each leading a process group of its own."""

    def __init__(self, plan: Path, log: Path, count: int) -> None:
        # They must find this very package, also in a clone where nothing is installed.
        search = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._log = log
        self._all: list[subprocess.Popen[bytes]] = []
        with log.open("ab") as output:
            for index in range(count):
                self._all.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "seatrial.load.worker", str(plan), str(index)],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=output,
                        env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
                        start_new_session=True,
                    )
                )

    def tell(self, line: str) -> None:
        """A line to each; one that is gone says by its exit code and log why."""
        for process in self._all:
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                process.stdin.write(line.encode() + b"\n")
                process.stdin.flush()

    def wait_until_ready(self, within: float) -> None:
        """Until each is ready. Raises CannotLook where one has failed, or is not ready ``within`` seconds."""
        end = time.monotonic() + within
        for process in self._all:
            assert process.stdout is not None
            if not select.select([process.stdout], [], [], max(end - time.monotonic(), 0.0))[0]:
                raise CannotLook(
                    f"the load process was not ready within {within:.0f} s; its log ends:\n{_tail(self._log)}"
                )
            if not process.stdout.readline():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(end - time.monotonic(), 1.0))
                self.check()

    def check(self) -> bool:
        """Whether all have ended. Raises CannotLook where one failed."""
        codes = [process.poll() for process in self._all]
        for code in codes:
            if code:
                how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"failed with exit code {code}"
                raise CannotLook(f"the load process {how}; its log ends:\n{_tail(self._log)}")
        return None not in codes

    def wait(self, seconds: float) -> bool:
        """Whether all end within ``seconds``. Raises CannotLook as soon as one failed."""
        end = time.monotonic() + seconds
        while not self.check():
            running = next(process for process in self._all if process.poll() is None)
            with suppress(subprocess.TimeoutExpired):
                running.wait(timeout=min(ASK_EVERY, max(end - time.monotonic(), 0.0)))
            if time.monotonic() >= end:
                return self.check()
        return True

    def end(self) -> None:
        """Kill what still runs, with its groups, and close the pipes."""
        for process in self._all:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with suppress(BrokenPipeError):
                    pipe.close()


def run_workers(
    plan: Path,
    log: Path,
    *,
    bearer: str | None,
    within: float,
    workers: int = 1,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Send the plan in so many processes, which begin together, and wait for their end, at most ``within`` seconds.

    ``enough`` is asked once a second, and stops them where the rest need not be sent.

    Raises CannotLook where Locust is not installed, or a process failed or overran, with the end of its log.
    """
    if importlib.util.find_spec("locust") is None:
        raise CannotLook("Locust is not installed, so no load can be sent: pip install 'seatrial[load]'")
    log.unlink(missing_ok=True)
    processes = _Processes(plan, log, workers)
    try:
        processes.tell(json.dumps({"bearer": bearer}))
        processes.wait_until_ready(READY)
        processes.tell(f"start {time.monotonic() + LEAD!r}")
        end, stopped = time.monotonic() + within, False
        while not processes.wait(ASK_EVERY):
            if time.monotonic() >= end:
                raise CannotLook(
                    f"the load process did not end within {within:.0f} s and was killed; its log ends:\n{_tail(log)}"
                )
            if not stopped and enough():
                stopped = True
                processes.tell("stop")
    finally:
        processes.end()
