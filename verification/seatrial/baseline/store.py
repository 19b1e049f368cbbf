"""The folder of series: one file each, ``ENVIRONMENT/SERVICE.PROFILE.FINGERPRINT.json``, changed by one at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seatrial.baseline.series import Series, SeriesProblem, loads
from seatrial.environment.model import Environment
from seatrial.evidence.run import write_atomically
from seatrial.load.calibration_record import baselines_folder
from seatrial.load.fingerprint import sha256_of

NOT_SERIES = ".calibration.json"
"""Ends the names of files beside the series that are records of another kind."""


class StoreProblem(Exception):
    """A file of the store that cannot be relied on or written; the message says which, why, and what to do."""


def store_of(environment: Environment, fixtures: Path, project: Path) -> Store:
    """The store that an environment names, else ``baselines`` in the folder of ``fixtures``."""
    return Store(folder=baselines_folder(environment, fixtures, project))


@dataclass(frozen=True, kw_only=True)
class Store:
    """A folder of series. It need not be there yet."""

    folder: Path

    def path(self, environment: str, service: str, profile: str, fingerprint: Mapping[str, str]) -> Path:
        """Where the series lies, whether or not it is there."""
        return self.folder / environment / f"{service}.{profile}.{sha256_of(dict(fingerprint))[:12]}.json"

    def files(self, environment: str = "") -> list[Path]:
        """Every file of a series, of one environment or of all, in order."""
        pattern = f"{environment or '*'}/*.json"
        return sorted(path for path in self.folder.glob(pattern) if not path.name.endswith(NOT_SERIES))

    def read(self, path: Path) -> Series:
        """The series in a file of this store. Raises StoreProblem."""
        try:
            series = loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise StoreProblem(f"{path}: cannot be read: {error}") from None
        except SeriesProblem as problem:
            raise StoreProblem(
                f"{path}: {problem}; bring it back from version control, or remove it and begin anew"
            ) from None
        meant = self.path(series.environment, series.service, series.profile, series.fingerprint)
        if meant.relative_to(self.folder).parts != path.parts[-2:]:
            raise StoreProblem(f"{path}: it is that of {meant.relative_to(self.folder)}: somebody copied or renamed it")
        return series

    def find(self, environment: str, service: str, profile: str, fingerprint: Mapping[str, str]) -> Series | None:
        """The series, or None where there is none. Raises StoreProblem."""
        path = self.path(environment, service, profile, fingerprint)
        return self.read(path) if path.exists() else None

    def kin(self, environment: str, service: str, profile: str = "") -> list[Series]:
        """Every series of a service, whatever its fingerprint. Raises StoreProblem."""
        found = [self.read(path) for path in self.files(environment) if path.name.startswith(f"{service}.")]
        return [one for one in found if one.service == service and profile in ("", one.profile)]

    def change(self, empty: Series, how: Callable[[Series], Series]) -> Series:
        """Replace a series by what ``how`` makes of it, of ``empty`` where there is none; one process at a time.

        Whatever ``how`` raises leaves the file as it was. Raises StoreProblem.
        """
        path = self.path(empty.environment, empty.service, empty.profile, empty.fingerprint)
        with self._alone(empty.environment):
            before = self.read(path) if path.exists() else empty
            after = how(before)
            if after != before or not path.exists():
                try:
                    write_atomically(path, after.dumps())
                except OSError as error:
                    raise StoreProblem(f"{path}: cannot be written: {error.strerror or error}") from None
            return after

    @contextmanager
    def _alone(self, environment: str) -> Iterator[None]:
        """Hold the environment's lock; the kernel gives it up with the process, so nobody waits for the dead."""
        folder = self.folder / environment
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / ".lock").open("w")
        except OSError as error:
            raise StoreProblem(f"{folder}: cannot be written: {error.strerror or error}") from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
