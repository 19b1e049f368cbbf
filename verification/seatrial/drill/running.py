"""Runs one command of a drill: in its own session, for no longer than it may take, with the end of what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Final

from seatrial.evidence.drill import CommandRun

KEPT: Final = 8_000
"""Bytes of a command's output that are kept: its end, where it says what went wrong."""
_MARGIN: Final = 2_000
GRACE: Final = 5.0
"""Seconds that a command which was told to end gets to do so."""
_NOT_STARTED: Final = (126, 127)
"""With these a shell says that it could not start what it was asked to."""


def run_command(
    words: Sequence[str], *, within: float, now: Callable[[], float], clean: Callable[[str], str]
) -> CommandRun:
    """Run ``words`` to their end, or stop them and their children after ``within`` seconds.

    ``clean`` takes the secrets out of the output before it is cut, so that no half of one is left.

    An interruption from the terminal does not reach them: half a rollback is worse than a whole one.
    """
    began = now()

    def ran(code: int | None, problem: str, output: str = "", *, started: bool = True) -> CommandRun:
        return CommandRun(
            words=tuple(words),
            began=round(began, 3),
            seconds=round(now() - began, 3),
            exit=code,
            problem=problem,
            output=output,
            started=started,
        )

    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                list(words),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return ran(None, f"it could not be started: {error.strerror or error}", started=False)
        try:
            code = process.wait(within)
        except subprocess.TimeoutExpired:
            _stop(process)
            return ran(None, f"it had not ended after {within:g} s and was stopped", _tail(output, clean))
        if code in _NOT_STARTED:
            return ran(code, f"it could not be started: exit code {code}", _tail(output, clean), started=False)
        return ran(code, "" if code == 0 else f"it ended with exit code {code}", _tail(output, clean))


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            return


def _tail(output: IO[bytes], clean: Callable[[str], str]) -> str:
    size = output.seek(0, os.SEEK_END)
    begin = max(0, size - KEPT - _MARGIN)
    output.seek(begin)
    text = clean(output.read(KEPT + _MARGIN).decode("utf-8", "replace"))
    # What stands at the cut may be the rest of a secret, which nobody recognises.
    return f"(the end of {size} bytes) {text[_MARGIN:]}" if begin else text
