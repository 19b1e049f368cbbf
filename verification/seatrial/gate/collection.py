"""Finds the reports below a folder, reads each with the right reader, and keeps their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from seatrial.gate import junit, results
from seatrial.gate.evidence import Reading

OWN_OUTPUT: Final = frozenset({"decision.json", "summary.md"})
IGNORED_FOLDERS: Final = frozenset({"samples"})
MAX_FILES: Final = 200_000


def read(places: Sequence[Path]) -> Reading:
    """Everything that the reports in ``places`` (files or folders) say, and what is wrong with them.

    Whatever happens to one file is a problem in the reading, and the others are still read.
    """
    readings: list[Reading] = []
    for place in places:
        try:
            readings += _place(place)
        except (OSError, RuntimeError, ValueError) as error:
            # Of a link that goes round pathlib says RuntimeError, of a name that no file can have ValueError.
            readings.append(Reading.of_problem(str(place), f"cannot be read: {_reason(error)}", grave=True))
    return Reading.joined(readings)


def _place(place: Path) -> Iterator[Reading]:
    root = place.resolve()
    if not root.exists():
        yield Reading.of_problem(str(place), "there is no such file or folder")
        return
    base = root if root.is_dir() else root.parent
    for count, path in enumerate(_files(root), start=1):
        if count > MAX_FILES:
            yield Reading.of_problem(str(place), f"holds more than {MAX_FILES} files", grave=True)
            return
        yield _read(path, path.relative_to(base).as_posix(), base)


def _files(root: Path) -> Iterator[Path]:
    """Reports below ``root``, or ``root`` itself; without recursion, since folders may nest deeper than the stack."""
    waiting = [root]
    while waiting:
        path = waiting.pop()
        if path.is_dir() and not path.is_symlink():
            kept = (p for p in path.iterdir() if p.name not in IGNORED_FOLDERS and not p.name.startswith("."))
            waiting += sorted(kept, reverse=True)
        elif path == root or (path.name not in OWN_OUTPUT and _reader(path) is not None):
            yield path


Reader = Callable[[Path, str], Reading]


def _reader(path: Path) -> Reader | None:
    if path.suffix == ".xml":
        # What a check attached to its Allure result is no report.
        return None if path.stem.endswith("-attachment") else junit.read
    if path.name == "evidence.json":
        return results.read_evidence
    if path.name == "seatrial-run.json":
        return results.read_run
    if path.name.endswith("-result.json"):
        return results.read_allure
    return None


def _read(path: Path, source: str, base: Path) -> Reading:
    reader = _reader(path)
    if reader is None:
        return Reading.of_problem(
            source, "is no report that can be read: expected .xml, *-result.json or evidence.json"
        )
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(base):
            return Reading.of_problem(source, "is a link out of the folder, and was not followed", grave=True)
        if path.exists() and not path.is_file():
            # Opening a pipe would wait for a writer for ever.
            return Reading.of_problem(source, "is no regular file")
        digest = _sha256(path)
        reading = reader(path, source)
    except (OSError, RuntimeError) as error:
        return Reading.of_problem(source, f"cannot be read: {_reason(error)}")
    return replace(reading, files={source: digest})


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
