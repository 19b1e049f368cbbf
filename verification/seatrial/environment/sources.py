"""The files that an environment is made of: found, read, put into order, and able to say which of them set a key."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seatrial.environment.locations import FixtureDirectory
from seatrial.environment.positions import line_numbers
from seatrial.environment.values import NAME

BASE: Final = "base"

Key = tuple[str | int, ...]
"""A key from the root of the document; elements of lists by index, from 0."""


def is_base(name: str) -> bool:
    """Whether a file of this name is there to be extended and is no environment: ``base``, and what begins with _."""
    return name == BASE or name.startswith("_")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file as it was read."""

    path: Path
    data: Mapping[str, Any]
    """What it sets, without ``extends``."""
    lines: Mapping[Key, int]

    def line(self, key: Key) -> int | None:
        """The line that sets ``key``, or the first that sets something below it; None where it sets neither."""
        if key in self.lines:
            return self.lines[key]
        return min((line for path, line in self.lines.items() if path[: len(key)] == key), default=None)

    def sets(self, key: Key) -> bool:
        """Whether ``key`` itself, and not only something above or below it, has a value here."""
        value: Any = self.data
        for part in key:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The files of an environment, its own first, then what it extends: a file has its way with those after it."""

    sources: tuple[Source, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, the environment's own first."""
        return tuple(source.path for source in self.sources)

    def merged(self) -> dict[str, Any]:
        """What the files say together."""
        result: dict[str, Any] = {}
        for source in reversed(self.sources):
            result = merge(result, source.data)
        return result

    def place(self, key: Key) -> str:
        """File and line that set ``key``; those of what it would stand in, where no file sets it."""
        for length in range(len(key), 0, -1):
            for source in self.sources:
                line = source.line(key[:length])
                if line is not None:
                    return f"{source.path}:{line}"
        return str(self.sources[0].path)

    def origin(self, key: Key) -> str | None:
        """File and line of the value of ``key``, or None where it is the default."""
        source = next((source for source in self.sources if source.sets(key)), None)
        if source is None:
            return None
        line = source.line(key)
        return f"{source.path}:{line}" if line else str(source.path)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``over`` on top: tables are merged key by key, everything else, lists too, is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def read(path: Path, name: str, directories: Sequence[FixtureDirectory]) -> tuple[Chain | None, list[str]]:
    """The file at ``path`` and all that it extends, or every reason why they cannot be read.

    What a file extends is looked up in its own folder first, so that the shipped demo is never built on the ``base``
    of another project. A file reached on two ways counts once, below all that extend it.
    """
    reader = _Reader(directories)
    reader.read(path, name, ())
    if reader.problems:
        return None, list(dict.fromkeys(reader.problems))
    return Chain(sources=tuple(reversed(reader.sources.values()))), []


class _Reader:
    def __init__(self, directories: Sequence[FixtureDirectory]) -> None:
        self._directories = directories
        self.sources: dict[Path, Source] = {}
        self.problems: list[str] = []

    def read(self, path: Path, name: str, above: tuple[tuple[Path, str], ...]) -> None:
        """Read what ``path`` extends, then itself, so that ``sources`` runs from the lowest layer to the topmost."""
        if path in self.sources:
            return
        if path in [upper for upper, _ in above]:
            circle = " -> ".join([*(upper for _, upper in above), name])
            self.problems.append(f"{above[-1][0]}: extends: goes round in a circle: {circle}")
            return
        try:
            # Some editors begin a file with a byte order mark.
            text = path.read_text(encoding="utf-8-sig")
            data = tomllib.loads(text)
        except OSError as error:
            self.problems.append(f"{path}: cannot be read: {error.strerror}")
            return
        except ValueError as error:
            self.problems.append(f"{path}: not readable as TOML: {error}")
            return
        lines = line_numbers(text.replace("\r\n", "\n"))
        source = Source(path=path, lines=lines, data={key: data[key] for key in data if key != "extends"})
        for parent in self._parents(data.get("extends", []), f"{path}:{lines.get(('extends',), 1)}"):
            found = self._find(path, parent)
            if found is None:
                near = difflib.get_close_matches(parent, self._names(path), n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                where = f"{path}:{lines.get(('extends',), 1)}"
                self.problems.append(f"{where}: extends: expected the name of a file, seen {parent!r}{hint}")
                continue
            self.read(found, parent, (*above, (path, name)))
        self.sources[path] = source

    def _parents(self, extends: Any, where: str) -> list[str]:
        parents = [extends] if isinstance(extends, str) else extends
        if isinstance(parents, list) and all(isinstance(parent, str) for parent in parents):
            return parents
        self.problems.append(f"{where}: extends: expected a name or a list of names, seen {extends!r}")
        return []

    def _find(self, child: Path, name: str) -> Path | None:
        if not NAME.fullmatch(name.removeprefix("_")):
            return None
        candidates = (directory.file("environments", name) for directory in self._near(child))
        return next((path for path in candidates if path is not None), None)

    def _names(self, child: Path) -> list[str]:
        own = child.stem
        return [name for directory in self._near(child) for name in directory.names("environments") if name != own]

    def _near(self, child: Path) -> Iterator[FixtureDirectory]:
        yield from sorted(self._directories, key=lambda directory: directory.path / "environments" != child.parent)
