"""Finds the reports below a folder, reads each with the right reader, and keeps their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from seatrial.gate import junit, results
from seatrial.gate.evidence import Problem, Reading

OWN_OUTPUT: Final = frozenset({"decision.json", "summary.md"})
IGNORED_FOLDERS: Final = frozenset({"samples"})
MAX_FILES: Final = 200_000


def read(places: Sequence[Path]) -> Reading:
    """Everything that the reports in ``places`` (files or folders) say, and what is wrong with them.

    Whatever happens to one file is a problem in the reading, and the others are still read.
    """
    readings = []
    for place in places:
        root = place.resolve()
        if not root.exists():
            readings.append(Reading.of_problem(str(place), "there is no such file or folder"))
            continue
        base = root if root.is_dir() else root.parent
        for count, path in enumerate(_files(root), start=1):
            if count > MAX_FILES:
                readings.append(Reading.of_problem(str(place), f"holds more than {MAX_FILES} files", grave=True))
                break
            readings.append(_read(path, path.relative_to(base).as_posix(), base))
    return Reading.joined(readings)


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for entry in sorted(root.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            if entry.name not in IGNORED_FOLDERS and not entry.name.startswith("."):
                yield from _files(entry)
        elif entry.name not in OWN_OUTPUT and _reader(entry) is not None:
            yield entry


Reader = Callable[[Path, str], Reading]


def _reader(path: Path) -> Reader | None:
    if path.suffix == ".xml":
        return junit.read
    if path.name == "evidence.json":
        return results.read_evidence
    if path.name == "seatrial-run.json":
        return results.read_run
    if path.name.endswith("-result.json"):
        return results.read_allure
    return None


def _read(path: Path, source: str, base: Path) -> Reading:
    if path.is_symlink() and not path.resolve().is_relative_to(base):
        return Reading.of_problem(source, "is a link out of the folder, and was not followed", grave=True)
    reader = _reader(path)
    if reader is None:
        return Reading.of_problem(
            source, "is no report that can be read: expected .xml, *-result.json or evidence.json"
        )
    try:
        digest = _sha256(path)
        reading = reader(path, source)
    except OSError as error:
        return Reading.of_problem(source, f"cannot be read: {error.strerror or error}")
    return replace(reading, files={source: digest})


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def nothing_found(reading: Reading, places: Sequence[Path]) -> Problem | None:
    """The problem that there is no report at all, where that is so."""
    if reading.files or reading.problems:
        return None
    return Problem(source=", ".join(map(str, places)), message="holds no report")
