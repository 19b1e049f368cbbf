"""Finds the reports in files and folders, reads each with the right reader, and keeps the hashes of what was read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from seatrial.gate import allure, junit, results
from seatrial.gate.evidence import Reading

IGNORED_FOLDERS: Final = frozenset({"samples"})
MAX_FILES: Final = 200_000
MAX_JSON: Final = 64 * 1024 * 1024
"""Bytes; larger JSON files are refused, since they are read whole."""
MAX_RESULT: Final = 16 * 1024 * 1024
"""The same of one Allure result."""
MAX_FILE: Final = 16 * 1024 * 1024 * 1024
"""Bytes; XML is streamed, but no report is as large as this, and hashing it would take minutes."""
CHUNK: Final = 256 * 1024

_GLOBALS: Final = "-globals.json"
_CONTAINER: Final = "-container.json"
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
    found = _Found()
    if not root.is_dir():
        found.file(str(root), root.name, f"{prefix}{root.name}")
        return found.reading()
    for count, (relative, path, problem) in enumerate(_walk(str(root))):
        source = prefix + relative
        if count >= MAX_FILES:
            found.problem(source, f"is beyond the {MAX_FILES} files that are read", grave=True)
            break
        if problem:
            found.problem(source, problem)
        else:
            found.report(path, relative.rpartition("/")[2], source)
    if not found.files and not found.readings:
        return Reading.of_problem(str(place), "holds no report: expected *.xml, *-result.json or evidence.json")
    return found.reading()


def _walk(root: str) -> Iterator[tuple[str, str, str]]:
    """Entries that may be reports in the order of their names: name below the root, path, what is wrong with it.

    Without recursion, since folders may nest deeper than the stack, and without a look at each entry: a folder of
    results holds a hundred thousand.
    """
    below = root.rstrip("/") + "/"
    waiting = [("", _FOLDER)]
    while waiting:
        relative, kind = waiting.pop()
        path = below + relative if relative else root
        if kind == _LINK:
            target, problem = _behind(path, root)
            if problem or (Path(target).is_file() and _is_report(relative.rpartition("/")[2])):
                yield relative, target, problem
            # A linked folder that lies inside is read where it lies.
        elif kind == _FOLDER:
            try:
                inside = [*_entries(relative, path)]
            except OSError as error:
                yield relative, path, f"cannot be read: {error.strerror}"
                continue
            inside.sort(reverse=True)
            waiting += inside
        else:
            # A pipe would never end, and opening a device may do something.
            yield relative, path, "" if kind == _FILE else "cannot be read: it is no regular file"


_FOLDER: Final = "folder"
_LINK: Final = "link"
_FILE: Final = "file"
_OTHER: Final = "other"


def _entries(relative: str, path: str) -> Iterator[tuple[str, str]]:
    below = f"{relative}/" if relative else ""
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if entry.is_symlink():
                if name not in IGNORED_FOLDERS:
                    yield below + name, _LINK
            elif entry.is_dir(follow_symlinks=False):
                if name not in IGNORED_FOLDERS:
                    yield below + name, _FOLDER
            elif _is_report(name):
                yield below + name, _FILE if entry.is_file(follow_symlinks=False) else _OTHER


def _behind(link: str, root: str) -> tuple[str, str]:
    try:
        target = Path(link).resolve(strict=True)
    except (OSError, RuntimeError):
        return link, "is a link that leads nowhere"
    inside = target.is_relative_to(root)
    return str(target), "" if inside else "is a link out of the folder, and was not followed"


def _is_report(name: str) -> bool:
    if name[-4:].lower() == ".xml":
        # What a check attached to its Allure result is no report.
        return not name[:-4].endswith("-attachment")
    return name.endswith(("-result.json", _GLOBALS, _CONTAINER)) or name in _JSON_READERS


class _Found:
    """What the files of one place said."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.files: dict[str, str] = {}
        self.results = allure.Results()

    def problem(self, source: str, message: str, *, grave: bool = False) -> None:
        self.readings.append(Reading.of_problem(source, message, grave=grave))

    def reading(self) -> Reading:
        joined = Reading.joined([*self.readings, self.results.reading()])
        return replace(joined, files=self.files)

    def file(self, path: str, name: str, source: str) -> None:
        if not _is_report(name):
            self.problem(source, "is no report: expected *.xml, *-result.json or evidence.json")
        else:
            self.report(path, name, source)

    def report(self, path: str, name: str, source: str) -> None:
        try:
            if name[-4:].lower() == ".xml":
                self._xml(path, source)
            else:
                self._json(path, name, source)
        except OSError as error:
            self.problem(source, f"cannot be read: {error.strerror or error}")

    def _xml(self, path: str, source: str) -> None:
        quick, digest = _streamed(junit.read_quickly, path, source)
        if quick is None:
            # Again, from the start: what is judged and what is hashed are the bytes of the same pass.
            reading, digest = _streamed(junit.read, path, source)
        else:
            reading = quick
        self.readings.append(reading)
        self.files[source] = digest

    def _json(self, path: str, name: str, source: str) -> None:
        limit = MAX_JSON if name in _JSON_READERS else MAX_RESULT
        content, self.files[source] = _content(path, limit)
        if content is None:
            self.problem(source, f"is larger than {limit >> 20} MiB, and is no report")
        elif name in _JSON_READERS:
            self.readings.append(_JSON_READERS[name](content, source))
        elif name.endswith(_GLOBALS):
            self.readings.append(allure.read_globals(content, source))
        elif name.endswith(_CONTAINER):
            self.results.add_container(content, source)
        else:
            self.results.add(content, source)


_Told = TypeVar("_Told")


def _streamed(read: Callable[[Iterator[bytes], str], _Told], path: str, source: str) -> tuple[_Told, str]:
    """What ``read`` says of the file, and the file's hash. Raises OSError."""
    digest = hashlib.sha256()
    chunks = _chunks(path, digest)
    reading = read(chunks, source)
    # Also what comes after the place where reading stopped is part of the file.
    for _ in chunks:
        pass
    return reading, digest.hexdigest()


def _content(path: str, limit: int) -> tuple[bytes | None, str]:
    """The file's bytes, None where there are more than ``limit``, and their hash. Raises OSError."""
    descriptor = os.open(path, _FLAGS)
    try:
        size = _size(descriptor)
        # A hundred thousand results are small: one call reads all and sees that there is no more.
        content = os.read(descriptor, min(size, CHUNK) + 1)
        if len(content) == size:
            return (content if size <= limit else None), hashlib.sha256(content).hexdigest()
        digest = hashlib.sha256(content)
        parts = [content]
        seen = len(content)
        while chunk := os.read(descriptor, CHUNK):
            digest.update(chunk)
            seen += len(chunk)
            if seen <= limit:
                parts.append(chunk)
        return (b"".join(parts) if seen <= limit else None), digest.hexdigest()
    finally:
        os.close(descriptor)


def _chunks(path: str, digest: hashlib._Hash) -> Iterator[bytes]:
    """The file's bytes, hashed as they are read: what is in the record is what was judged. Raises OSError."""
    descriptor = os.open(path, _FLAGS)
    try:
        _size(descriptor)
        while chunk := os.read(descriptor, CHUNK):
            digest.update(chunk)
            yield chunk
    finally:
        os.close(descriptor)


_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
"""A pipe or a link might have been put there since it was found; neither is opened."""


def _size(descriptor: int) -> int:
    """Bytes of an open file. Raises OSError for what is none that can be read to its end."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    if found.st_size > MAX_FILE:
        raise OSError(f"it is larger than {MAX_FILE >> 30} GiB")
    return found.st_size
