"""Runs one command without a shell: bounded in time and in what is kept of its output, and never left running."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Literal

HEAD: Final = 16 * 1024
TAIL: Final = 48 * 1024
"""Bytes that are kept of the begin and of the end of an output."""
GRACE: Final = 10.0
"""Seconds between asking a command to end and killing it."""

End = Literal["exited", "timed out", "interrupted", "not started"]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One command and how it ended."""

    argv: tuple[str, ...]
    end: End
    exit_code: int | None
    milliseconds: int
    output: str
    """Standard output and error as they came, the middle left out where it is long."""

    @property
    def good(self) -> bool:
        """Whether it ended by itself, and well."""
        return self.end == "exited" and self.exit_code == 0


class _Output:
    def __init__(self) -> None:
        self._head, self._tail, self._left_out = b"", b"", 0

    def add(self, data: bytes) -> None:
        room = HEAD - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        extra = max(0, len(self._tail) - TAIL)
        self._left_out += extra
        self._tail = self._tail[extra:]

    def text(self, clean: Callable[[str], str]) -> str:
        # Cleaned before it is cut apart: half a secret would not be known. What was cut already is cut in full lines.
        head, tail = self._head, self._tail
        if not self._left_out:
            return clean((head + tail).decode(errors="replace"))
        parts = head[: head.rfind(b"\n") + 1], tail.partition(b"\n")[2]
        first, last = (clean(part.decode(errors="replace")) for part in parts)
        return f"{first}... {self._left_out} bytes are left out ...\n{last}"


def run(argv: Sequence[str], *, seconds: float | None, environ: Mapping[str, str], clean: Callable[[str], str]) -> Ran:
    """Run ``argv`` to its end. An interruption is passed on, waited for, and told as the end; it is not raised."""
    started = time.monotonic()
    output = _Output()

    def ended(end: End, code: int | None, words: str = "") -> Ran:
        took = round((time.monotonic() - started) * 1000)
        told = words or output.text(clean)
        return Ran(argv=tuple(map(clean, argv)), end=end, exit_code=code, milliseconds=took, output=told)

    with _terminations_interrupt():
        try:
            process = subprocess.Popen(
                argv,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return ended("not started", None, clean(str(error)))
        try:
            finished = _watch(process, output, None if seconds is None else started + seconds)
            end: End = "exited" if finished else "timed out"
        except KeyboardInterrupt:
            end = "interrupted"
        if end != "exited":
            _stop(process, output, signal.SIGINT if end == "interrupted" else signal.SIGTERM)
        code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return ended(end, code)


def _watch(process: subprocess.Popen[bytes], output: _Output, deadline: float | None) -> bool:
    """Take the output in until the process ends. False where ``deadline`` came first."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    os.set_blocking(descriptor, False)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            # Read after the process is known to have ended, so that nothing of it is lost; what it left running in
            # the background may keep the pipe open, and is not waited for.
            over = process.poll() is not None
            closed = _drain(descriptor, output)
            if over:
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False
            if closed:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
            else:
                selector.select(0.05)


def _drain(descriptor: int, output: _Output) -> bool:
    """Take in what is there. True where nothing more can come."""
    with suppress(BlockingIOError):
        while data := os.read(descriptor, 65536):
            output.add(data)
        return True
    return False


def _stop(process: subprocess.Popen[bytes], output: _Output, first: signal.Signals) -> None:
    """Ask the whole group to end, then see to it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, first)
    with suppress(KeyboardInterrupt):
        _watch(process, output, time.monotonic() + GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _terminations_interrupt() -> Iterator[None]:
    """A pipeline that is cancelled sends SIGTERM: it must not leave the command running and unrecorded."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
