"""Finds the reports in files and folders, reads each with the right reader, and keeps the hashes of what was read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from seatrial.gate import junit, results
from seatrial.gate.evidence import Reading

IGNORED_FOLDERS: Final = frozenset({"samples"})
MAX_FILES: Final = 200_000
MAX_JSON: Final = 64 * 1024 * 1024
"""Bytes; larger JSON files are refused, since they are read whole. XML is streamed and may be of any size."""
CHUNK: Final = 256 * 1024

_JSON_READERS: Final = {"evidence.json": results.read_evidence, "seatrial-run.json": results.read_run}


def read(places: Sequence[Path]) -> Reading:
    """Everything that the reports in ``places`` (files or folders) say, and what is wrong with them.

    Whatever happens to one file is a problem in the reading, and the others are still read. Names in the record are
    those below the folder, so that moving it changes nothing; of several places each has its number in front.
    """
    several = len(places) > 1
    return Reading.joined(
        _place(place, f"{position}/" if several else "") for position, place in enumerate(places, start=1)
    )


def folder_of(places: Sequence[Path]) -> Path | None:
    """Where a decision about ``places`` belongs: the first that is a folder, or that which holds the first file."""
    for place in places:
        if place.is_dir():
            return place
        if place.is_file():
            return place.parent
    return None


def _place(place: Path, prefix: str) -> Reading:
    try:
        root = place.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return Reading.of_problem(str(place), "there is no such file or folder")
    if not root.is_dir():
        return _file(root, f"{prefix}{root.name}")
    readings = []
    for count, (entry, path, problem) in enumerate(_walk(root)):
        source = f"{prefix}{entry.relative_to(root).as_posix()}"
        if count >= MAX_FILES:
            readings.append(Reading.of_problem(source, f"is beyond the {MAX_FILES} files that are read", grave=True))
            break
        readings.append(Reading.of_problem(source, problem) if problem else _file(path, source))
    if not readings:
        return Reading.of_problem(str(place), "holds no report: expected *.xml, *-result.json or evidence.json")
    return Reading.joined(readings)


def _walk(root: Path) -> Iterator[tuple[Path, Path, str]]:
    """Entries that may be reports in the order of their names: the entry, the file behind it, what is wrong with it.

    Without recursion, since folders may nest deeper than the stack.
    """
    waiting = [root]
    while waiting:
        entry = waiting.pop()
        if entry.is_symlink():
            target, problem = _behind(entry, root)
            if problem or (target.is_file() and _is_report(entry)):
                yield entry, target, problem
            # A linked folder that lies inside is read where it lies.
        elif entry.is_dir():
            try:
                inside = [path for path in entry.iterdir() if not path.name.startswith(".")]
            except OSError as error:
                yield entry, entry, f"cannot be read: {error.strerror}"
                continue
            waiting += sorted((path for path in inside if path.name not in IGNORED_FOLDERS), reverse=True)
        elif _is_report(entry):
            yield entry, entry, ""


def _behind(link: Path, root: Path) -> tuple[Path, str]:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return link, "is a link that leads nowhere"
    return target, "" if target.is_relative_to(root) else "is a link out of the folder, and was not followed"


def _is_report(path: Path) -> bool:
    if path.suffix.lower() == ".xml":
        # What a check attached to its Allure result is no report.
        return not path.stem.endswith("-attachment")
    return path.name in _JSON_READERS or path.name.endswith("-result.json")


def _file(path: Path, source: str) -> Reading:
    if not _is_report(path):
        return Reading.of_problem(source, "is no report: expected *.xml, *-result.json or evidence.json")
    digest = hashlib.sha256()
    try:
        chunks = _chunks(path, digest)
        if path.suffix.lower() == ".xml":
            reading = junit.read(chunks, source)
            # Also what comes after the place where reading stopped is part of the file.
            for _ in chunks:
                pass
        else:
            reading = _json(chunks, path.name, source)
    except OSError as error:
        return Reading.of_problem(source, f"cannot be read: {error.strerror or error}")
    return replace(reading, files={source: digest.hexdigest()})


def _json(chunks: Iterator[bytes], name: str, source: str) -> Reading:
    content = bytearray()
    too_long = False
    for chunk in chunks:
        too_long = too_long or len(content) + len(chunk) > MAX_JSON
        if not too_long:
            content += chunk
    if too_long:
        return Reading.of_problem(source, f"is larger than {MAX_JSON >> 20} MiB, and is no report")
    return _JSON_READERS.get(name, results.read_allure)(bytes(content), source)


def _chunks(path: Path, digest: hashlib._Hash) -> Iterator[bytes]:
    """The file's bytes, hashed as they are read: what is in the record is what was judged. Raises OSError."""
    # A pipe would never end and a link might have been put there since; neither is opened.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError("it is no regular file")
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            yield chunk
