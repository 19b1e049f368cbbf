"""Whether a decision in a folder is the one that was recorded: by its receipt, and by the audit log if there is one."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seatrial.gate import receipt as receipts
from seatrial.gate.audit import DEFAULT_LOG, Entry
from seatrial.gate.precedent import History
from seatrial.gate.receipt import Receipt

_MEND: Final = "ask the gate again"


class NotAsRecorded(ValueError):
    """A decision that is not the one that was recorded; the message says why."""


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What a log tells of decisions, at one state of its file."""

    state: tuple[int, int, int]
    problem: str
    lines: dict[str, tuple[int, str]]
    """Number and decision of each line by its hash."""
    newest: dict[tuple[str, str], tuple[str, str]]
    """Of each environment and release the time and the hash of the last decision that counts."""

    @classmethod
    def of(cls, path: Path, state: tuple[int, int, int]) -> _Known:
        history = History.read(path)
        decisions = [entry for entry in history.entries if entry.kind == "decision"]
        newest: dict[tuple[str, str], tuple[str, str]] = {}
        for entry in decisions:
            about, told = _about(entry)
            if not entry.facts.get("shadow") and told >= newest.get(about, ("", "")):
                newest[about] = told
        lines = {entry.hash: (entry.seq, entry.decision) for entry in decisions}
        return cls(state=state, problem=history.problem, lines=lines, newest=newest)


def _about(entry: Entry) -> tuple[tuple[str, str], tuple[str, str]]:
    facts = entry.facts
    about = (str(facts.get("environment", "")), str(facts.get("release", "")))
    return about, (str(facts.get("decided", "")), entry.decision)


class AuditLog:
    """An audit log that decisions are held against. It is read anew when its file has changed.

    One that was ``named`` must have every decision; one that only lies at hand those that say that they are in it.
    """

    def __init__(self, path: Path, *, named: bool) -> None:
        self.path = path
        self.named = named
        self._known: _Known | None = None

    @classmethod
    def beside(cls, reports: Path, given: Path | None) -> AuditLog:
        """The log that was given, else the one that the gate keeps in the folder of its reports."""
        return cls(reports / DEFAULT_LOG.name, named=False) if given is None else cls(given, named=True)

    def vouch(self, decision: Path, digest: str) -> None:
        """Return where the ``decision`` with this hash is the one that was recorded; raises NotAsRecorded, OSError."""
        beside = decision.with_name(receipts.NAME)
        if beside.is_symlink() or (beside.exists() and not beside.is_file()):
            raise NotAsRecorded(f"{beside.name} beside it is no regular file")
        receipt = Receipt.beside(decision)
        if receipt is not None and receipt.decision != digest:
            raise NotAsRecorded(f"it is not the decision that its receipt names: it was altered since; {_MEND}")
        if not self.named and (not self.path.exists() or (receipt is not None and receipt.log != self.path.name)):
            return
        known = self._read()
        if known.problem:
            raise NotAsRecorded(known.problem)
        if receipt is None:
            found = any(decided == digest for _, decided in known.lines.values())
        else:
            found = known.lines.get(receipt.hash) == (receipt.seq, digest)
        if not found:
            raise NotAsRecorded(f"it is not in the audit log {self.path}; {_MEND}")

    def newest(self, environment: str, release: str) -> tuple[str, str]:
        """Time and hash of the last decision that it has about these; empty where it has none."""
        return self._read().newest.get((environment, release), ("", "")) if self.path.exists() else ("", "")

    def _read(self) -> _Known:
        try:
            found = self.path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise NotAsRecorded(f"the audit log {self.path} is no regular file")
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
        except FileNotFoundError:
            state = (0, 0, 0)
        known = self._known
        if known is None or known.state != state:
            known = self._known = _Known.of(self.path, state)
        return known
