"""What conversations have left behind and must remove, written down before it is made, so that nothing is forgotten."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from seatrial.conversation.script import Step

NAME: Final = "journal.ndjson"


@dataclass(frozen=True, kw_only=True)
class Debt:
    """Requests that a conversation owes its environment."""

    session: str
    environment: str
    service: str
    track: str
    steps: Sequence[Mapping[str, Any]]
    values: Mapping[str, str] = field(default_factory=dict)

    def as_steps(self) -> tuple[Step, ...]:
        """The requests. Raises ValueError where the journal holds none that are valid."""
        return tuple(Step.model_validate(step) for step in self.steps)


class Journal:
    """An append-only file in the run's folder: a debt, its values as they become known, and that it is paid."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def owe(self, debt: Debt) -> None:
        """Write a debt down, or what has become known of it. Raises OSError."""
        self._append({"owed": asdict(debt)})

    def paid(self, session: str) -> None:
        """Write down that nothing is left of a conversation. Raises OSError."""
        self._append({"paid": session})

    def _append(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        # One write of one line: several processes of a run share the file.
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode("utf-8", "backslashreplace"))
            os.fsync(handle)
        finally:
            os.close(handle)


def debts(path: Path) -> list[Debt]:
    """What a journal says is still owed, as last known. A torn last line is what a killed process leaves."""
    owed: dict[str, Debt] = {}
    for entry in _entries(path):
        if isinstance(entry.get("owed"), dict):
            try:
                debt = Debt(**entry["owed"])
            except TypeError:
                continue
            owed[debt.session] = debt
        else:
            owed.pop(str(entry.get("paid")), None)
    return list(owed.values())


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
