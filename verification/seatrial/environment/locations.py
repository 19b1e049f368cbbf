"""Where fixtures live: the project's own folder first, then the data that travels with the package, for the demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import seatrial

SHIPPED_TO_OTHERS: Final = frozenset({"demo", "base"})
"""What a project that is not ours gets from the package; the other environments are examples of this repository."""


def shipped() -> Path:
    """The folder that holds ``fixtures``, ``synthetic`` and ``load``: in the wheel, or the repository of a clone."""
    package = Path(seatrial.__file__).resolve().parent
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parents[1]


@dataclass(frozen=True, kw_only=True)
class FixtureDirectory:
    """A folder with ``environments/`` and ``policies/``; ``only`` limits what is taken from it."""

    path: Path
    only: frozenset[str] | None = None

    def file(self, kind: str, name: str) -> Path | None:
        """``<kind>/<name>.toml`` in this folder, or None."""
        if self.only is not None and name not in self.only:
            return None
        path = self.path / kind / f"{name}.toml"
        return path if path.is_file() else None

    def names(self, kind: str) -> list[str]:
        """Names of the files of ``kind`` that this folder offers."""
        found = sorted(path.stem for path in (self.path / kind).glob("*.toml"))
        return [name for name in found if self.only is None or name in self.only]


def fixture_directories(project: Path, given: str | None = None) -> list[FixtureDirectory]:
    """Folders to look in, nearest first: the one given or the project's own, then the shipped data."""
    own = Path(given) if given else project / "fixtures"
    theirs = shipped() / "fixtures"
    first = FixtureDirectory(path=own)
    if own.resolve() == theirs.resolve():
        return [first]
    return [first, FixtureDirectory(path=theirs, only=SHIPPED_TO_OTHERS)]


def data_folders(project: Path, kind: str) -> tuple[Path, ...]:
    """Folders of ``kind``, such as ``load/profiles``: the project's own, then the shipped one.

    Of two files of one name the project's own is meant. The folders need not exist.
    """
    return tuple(dict.fromkeys([(project / kind).resolve(), (shipped() / kind).resolve()]))
