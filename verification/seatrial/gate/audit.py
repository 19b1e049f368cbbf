"""The audit log: one canonical line for each decision, approval and action, each bound to the one before by its hash.

Lines are only ever added, one writer at a time, and each is on the disk before anybody is told of what it says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seatrial.evidence.run import timestamp
from seatrial.gate.canonical import canonical, sha256

SCHEMA: Final = 1
DEFAULT_LOG: Final = Path("reports/audit.jsonl")
KINDS: Final = ("decision", "approval", "execution", "drill", "repair")
BEGINNING: Final = "0" * 64
"""What the first line follows."""
LONGEST_LINE: Final = 1024 * 1024
"""Bytes; nothing that the gate writes comes near it."""


class NotRecorded(Exception):
    """The log took nothing, and is as it was; the message says why. What was to be recorded must not count."""


class LineProblem(ValueError):
    """A line that is not as it was written."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line."""

    seq: int
    time: str
    """When it was written, by the clock of the machine, whatever time the decision was asked for."""
    kind: str
    decision: str
    """SHA-256 of the ``decision.json`` that it is about; empty where it is about none."""
    facts: Mapping[str, Any]
    previous: str
    hash: str

    @classmethod
    def following(
        cls, last: Entry | None, kind: str, decision: str, facts: Mapping[str, Any], now: dt.datetime
    ) -> Entry:
        """The entry that comes after ``last``."""
        values: dict[str, Any] = {
            "seq": last.seq + 1 if last else 1,
            "time": timestamp(now),
            "kind": kind,
            "decision": decision,
            "facts": facts,
            "previous": last.hash if last else BEGINNING,
        }
        return cls(**values, hash=sha256(canonical({**values, "schema": SCHEMA})))

    @classmethod
    def parse(cls, line: bytes) -> Entry:
        """Out of a line without its end. Raises LineProblem unless it is exactly what a gate wrote."""
        try:
            values = json.loads(line.decode("ascii"))
            if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
                raise LineProblem(f"it is no line of an audit log of schema {SCHEMA}")
            entry = cls(**values)
            told = {"seq": int, "time": str, "kind": str, "decision": str, "facts": dict, "previous": str, "hash": str}
            if any(type(values[name]) is not kind for name, kind in told.items()):
                raise LineProblem("a value in it is of the wrong type")
            text = entry.line()
        except LineProblem:
            raise
        except (TypeError, ValueError, RecursionError):
            raise LineProblem("it is no line of an audit log") from None
        if entry.hash != entry.computed():
            raise LineProblem("its hash is not that of its content")
        if text.encode() != line + b"\n":
            raise LineProblem("it is not in the form in which lines are written")
        return entry

    def computed(self) -> str:
        """The hash of the content, as it should be."""
        return sha256(canonical({**self._content(), "schema": SCHEMA}))

    def line(self) -> str:
        """The text, with its end."""
        return canonical({**self._content(), "schema": SCHEMA, "hash": self.hash}) + "\n"

    def _content(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "time": self.time,
            "kind": self.kind,
            "decision": self.decision,
            "facts": self.facts,
            "previous": self.previous,
        }


class Log:
    """An open log, held by this process alone until it is closed; see :func:`opened`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.last = self._tail()

    def append(self, kind: str, facts: Mapping[str, Any], *, decision: str = "", now: dt.datetime) -> Entry:
        """Add a line and see it onto the disk. Raises NotRecorded, and then the log is as it was."""
        assert kind in KINDS
        entry = Entry.following(self.last, kind, decision, facts, now)
        data = entry.line().encode()
        if len(data) > LONGEST_LINE:
            raise NotRecorded(f"{self.path}: a line of {len(data)} bytes is longer than {LONGEST_LINE}")
        size = os.fstat(self._descriptor).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
            os.fsync(self._descriptor)
        except BaseException as error:
            # What fitted of the line is taken back, so that the next writer finds a whole one at the end.
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)
            if isinstance(error, OSError):
                raise NotRecorded(f"{self.path}: {error.strerror or error}") from None
            raise
        self.last = entry
        return entry

    def mend(self, now: dt.datetime) -> Path | None:
        """Move a half-written last line into a file beside the log, and say so in a line; None where it is whole."""
        torn = _after_last_line(self._descriptor)
        if not torn:
            return None
        digest = hashlib.sha256(torn).hexdigest()
        aside = self.path.with_name(f"{self.path.name}.torn-{digest[:12]}")
        try:
            aside.write_bytes(torn)
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - len(torn))
        except OSError as error:
            raise NotRecorded(f"{self.path}: {error.strerror or error}") from None
        self.last = self._tail()
        self.append("repair", {"bytes": len(torn), "sha256": digest, "kept": aside.name}, now=now)
        return aside

    def _tail(self) -> Entry | None:
        line = _last_line(self._descriptor)
        if not line or _after_last_line(self._descriptor):
            return None
        try:
            return Entry.parse(line.rstrip(b"\n"))
        except LineProblem as problem:
            words = f"its last line was changed: {problem}; `seatrial audit verify {self.path}` says where"
            raise NotRecorded(f"{self.path}: {words}") from None

    def refuse_torn(self) -> None:
        """Raises NotRecorded where the last line is half-written: a writer was killed, and nothing can follow."""
        if _after_last_line(self._descriptor):
            words = f"its last line is half-written; `seatrial audit repair {self.path}` moves it aside"
            raise NotRecorded(f"{self.path}: {words}")


@contextmanager
def opened(path: Path, *, torn: bool = False) -> Iterator[Log]:
    """The log at ``path``, made where it is not there; others wait until it is closed.

    Raises NotRecorded where it cannot be opened, or ends in what is no whole line; ``torn`` lets a half-written one be.
    """
    # POSIX alone has it; elsewhere the gate fails here, which a pipeline treats as hold.
    import fcntl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise NotRecorded(f"{path}: {error.strerror or error}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRecorded(f"{path}: it is no regular file")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            log = Log(path, descriptor)
        except OSError as error:
            raise NotRecorded(f"{path}: {error.strerror or error}") from None
        if not torn:
            log.refuse_torn()
        yield log
    finally:
        # Closing gives the lock back.
        os.close(descriptor)


def _after_last_line(descriptor: int) -> bytes:
    """What follows the last end of a line."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, LONGEST_LINE, max(0, size - LONGEST_LINE))
    return tail[tail.rfind(b"\n") + 1 :]


def _last_line(descriptor: int) -> bytes:
    """The last whole line with its end; empty where there is none."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 2 * LONGEST_LINE, max(0, size - 2 * LONGEST_LINE))
    end = tail.rfind(b"\n") + 1
    return tail[tail.rfind(b"\n", 0, max(0, end - 1)) + 1 : end]
