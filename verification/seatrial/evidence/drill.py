"""The record that a drill leaves in its run's folder: what was broken on purpose, and how long the way back took."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from seatrial.evidence.outcome import Outcome
from seatrial.evidence.run import State, write_atomically

KIND: Final = "seatrial drill"
SCHEMA: Final = 1
NAME: Final = "drill.json"

DrillKind = Literal["rollback", "recovery"]


class RecordProblem(Exception):
    """A record that cannot be relied on; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class CommandRun:
    """A command of a drill. ``began`` and ``seconds`` are on the drill's clock; ``exit`` is None where it has none.

    ``problem`` is empty where the command came to its end by itself and was content; ``output`` is its end, bounded.
    """

    words: tuple[str, ...]
    began: float
    seconds: float
    exit: int | None
    problem: str
    output: str
    started: bool = True


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What was to come back. ``seconds`` is how long that took, None where it did not."""

    name: str
    seconds: float | None
    words: str


@dataclass(frozen=True, kw_only=True)
class Users:
    """What users of one address, ``where``, would have met, who come at a steady pace.

    ``asked`` and ``failed`` are as many as would have come by then, also while a look hung and none could be made;
    ``gap`` is the longest time in seconds in which there was no good answer.
    """

    where: str
    asked: int
    failed: int
    gap: float


@dataclass(frozen=True, kw_only=True)
class DrillRecord:
    """One drill. Times are seconds; those of the commands and of ``first_change`` and ``first_error`` since it began.

    ``left`` says how the environment was left where that is not as it was found; it is empty otherwise.
    """

    drill: DrillKind
    environment: str
    run_id: str
    state: State
    started: str
    finished: str
    objective: float
    outcome: Outcome
    message: str
    left: str
    subjects: tuple[Subject, ...] = ()
    commands: tuple[CommandRun, ...] = ()
    probes: int = 0
    errors: int = 0
    first_change: float | None = None
    first_error: float | None = None
    examples: tuple[str, ...] = ()
    """Errors that were seen, each kind once."""
    users: tuple[Users, ...] = ()
    """By address, from the first change of a rollback drill until all was as it had been."""
    left_at_most: float | None = None
    """Share of users who may still have got another version when one counted as back, at 95 %."""

    @property
    def moment(self) -> dt.datetime:
        """When it ended."""
        return dt.datetime.fromisoformat(self.finished)

    @property
    def concluded(self) -> bool:
        """Whether it ended with something to say of the way back."""
        return self.state == "finished" and self.outcome in (Outcome.PASS, Outcome.FAIL)

    def write(self, folder: Path, clean: Callable[[str], str]) -> Path:
        """Write it into ``folder`` in one step, redacted by ``clean``, with a hash. Raises OSError."""
        content = _cleaned({"kind": KIND, "schema": SCHEMA, **asdict(self)}, clean)
        path = folder / NAME
        text = json.dumps({**content, "sha256": _sha256(content)}, sort_keys=True, indent=1)
        write_atomically(path, text + "\n")
        return path


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(inner, clean) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner, clean) for inner in value]
    return clean(str(value)) if isinstance(value, str) else value


def _sha256(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_record(path: Path) -> DrillRecord:
    """The record at ``path``. Raises RecordProblem."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordProblem(f"{path}: cannot be read: {error}") from None
    if not isinstance(content, dict) or content.get("kind") != KIND or content.get("schema") != SCHEMA:
        raise RecordProblem(f"{path}: expected a {KIND} of schema {SCHEMA}")
    told = content.pop("sha256", None)
    if told != _sha256(content):
        raise RecordProblem(f"{path}: the content does not match its hash: it was edited by hand, or damaged")
    del content["kind"], content["schema"]
    try:
        found = msgspec.convert(content, DrillRecord)
        if found.moment.tzinfo is None:
            raise RecordProblem(f"{path}: finished: expected a time with its zone, seen {found.finished!r}")
    except ValueError as error:  # msgspec's own is one
        raise RecordProblem(f"{path}: {error}") from None
    return found


def records_in(folder: Path, environment: str) -> Iterator[DrillRecord]:
    """Records of an environment in the runs of ``folder``, the newest first. Raises RecordProblem."""
    paths = [path for path in folder.glob(f"*/{NAME}") if not path.parent.is_symlink()]
    found = [record for path in paths if (record := read_record(path)).environment == environment]
    yield from sorted(found, key=lambda record: (record.moment, record.run_id), reverse=True)
