"""What a promotion rests on beside the reports: approvals, and decisions of the environments before, out of files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from seatrial.gate import precedent, replay
from seatrial.gate.precedent import History, Precedent

LARGEST_APPROVAL: Final = 64 * 1024
LARGEST_DECISION: Final = 256 * 1024 * 1024


class UnreadableFile(ValueError):
    """A file that was named and cannot be read."""


def approvals(paths: Sequence[str]) -> tuple[str, ...]:
    """The texts of approvals; what is wrong with one is for the decision to say. Raises UnreadableFile."""
    return tuple(_read(Path(path), LARGEST_APPROVAL).decode("utf-8", errors="replace") for path in paths)


def precedents(
    environments: Collection[str], releases: Collection[str], promoted: Sequence[str], log: Path, *, named: bool
) -> tuple[Precedent, ...]:
    """Decisions of ``environments`` about ``releases``: those in ``promoted`` files or folders, and those of the log.

    Where the log was ``named``, the files must be in it. Raises UnreadableFile.
    """
    if not environments:
        return ()
    history = History.read(log)
    files = [_of_file(path, history if named else None) for path in _files(promoted)]
    known = {told.decision for told in files}
    logged = [told for told in history.precedents(environments, releases) if told.decision not in known or told.problem]
    taken_back = [told for told in history.precedents(environments, releases) if told.verdict == "rollback"]
    return tuple(dict.fromkeys([*files, *logged, *taken_back]))


def _of_file(path: Path, history: History | None) -> Precedent:
    content = _read(path, LARGEST_DECISION)
    try:
        recorded = replay.load(content)
    except replay.RecordProblem as problem:
        return Precedent(source=str(path), problem=f"{path}: {problem}")
    told = precedent.of_record(str(path), recorded.sha256, recorded.values)
    if history is not None and not history.knows(recorded.sha256):
        return replace(told, problem=history.problem or f"{path} is not in the audit log {history.path}")
    return told


def _files(given: Sequence[str]) -> Iterator[Path]:
    for name in given:
        place = Path(name)
        found = sorted(place.rglob("decision.json")) if place.is_dir() else [place]
        if not found:
            raise UnreadableFile(f"there is no decision.json below {place}")
        yield from found


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from None
