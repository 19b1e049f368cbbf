"""Where baselines and calibrations are kept: a folder, or a bucket; files named ``ENVIRONMENT/NAME.json`` in either."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from seatrial.evidence.run import write_atomically


class PlaceProblem(Exception):
    """What is kept cannot be read or written; the message says which, why, and what to do."""


class Place(Protocol):
    """Small texts by name, each changed by one at a time. Every method raises PlaceProblem."""

    def names(self, environment: str = "") -> list[str]:
        """Of one environment or of all, in order."""

    def read(self, name: str) -> str | None:
        """The text, None where there is none."""

    def change(self, name: str, how: Callable[[str | None], str]) -> None:
        """Replace the text by what ``how`` makes of it, of None where there is none, in one step.

        Nobody else changes it in between. Whatever ``how`` raises leaves it as it was; it may be asked more than once.
        """

    def where(self, name: str) -> str:
        """The name for people."""


class Folder:
    """Files below a folder, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def names(self, environment: str = "") -> list[str]:
        """Of one environment or of all, in order."""
        found = self._path.glob(f"{environment or '*'}/*.json")
        return sorted(path.relative_to(self._path).as_posix() for path in found)

    def read(self, name: str) -> str | None:
        """The text, None where there is none."""
        try:
            return (self._path / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise PlaceProblem(f"{self.where(name)}: cannot be read: {error}") from None

    def change(self, name: str, how: Callable[[str | None], str]) -> None:
        """Under the lock of the folder, which the kernel gives up with the process: nobody waits for the dead."""
        path = self._path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = (path.parent / ".lock").open("w")
        except OSError as error:
            raise PlaceProblem(f"{path.parent}: cannot be written: {error.strerror or error}") from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.read(name)
            after = how(before)
            if after == before:
                return
            try:
                write_atomically(path, after)
            except OSError as error:
                raise PlaceProblem(f"{path}: cannot be written: {error.strerror or error}") from None

    def where(self, name: str) -> str:
        """The path."""
        return str(self._path / name)


def place_of(named: str | Path, project: Path = Path()) -> Place:
    """The bucket or folder of that name; a folder is relative to ``project``. Raises PlaceProblem."""
    if isinstance(named, Path) or "://" not in named:
        return Folder(project / named)
    if find_spec("obstore") is None:
        raise PlaceProblem(f"{named}: buckets take one package more: install `seatrial[bucket]`")
    # Imported here: those who keep folders need not have what buckets take.
    from seatrial.load.bucket import Bucket

    return Bucket(named)
