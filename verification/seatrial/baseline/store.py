"""The place of series: one file each, ``ENVIRONMENT/SERVICE.PROFILE.FINGERPRINT.json``, changed by one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seatrial.baseline.series import Series, SeriesProblem, loads
from seatrial.environment.model import Environment
from seatrial.load.calibration_record import baselines_place
from seatrial.load.fingerprint import sha256_of
from seatrial.load.place import Place, PlaceProblem

NOT_SERIES: Final = ".calibration.json"
"""Ends the names of files beside the series that are records of another kind."""


def store_of(environment: Environment, fixtures: Path, project: Path) -> Store:
    """The store that an environment names, else ``baselines`` in the folder of ``fixtures``. Raises PlaceProblem."""
    return Store(place=baselines_place(environment, fixtures, project))


@dataclass(frozen=True, kw_only=True)
class Store:
    """The series of a folder or bucket. It need not be there yet. Every method raises PlaceProblem."""

    place: Place

    def name(self, environment: str, service: str, profile: str, fingerprint: Mapping[str, str]) -> str:
        """That of the series, whether or not it is there."""
        return f"{environment}/{service}.{profile}.{sha256_of(dict(fingerprint))[:12]}.json"

    def names(self, environment: str = "") -> list[str]:
        """Every series, of one environment or of all, in order."""
        return [name for name in self.place.names(environment) if not name.endswith(NOT_SERIES)]

    def read(self, name: str) -> Series | None:
        """The series of that name, or None where there is none."""
        text = self.place.read(name)
        return None if text is None else self._series(name, text)

    def _series(self, name: str, text: str) -> Series:
        where = self.place.where(name)
        try:
            series = loads(text)
        except SeriesProblem as problem:
            raise PlaceProblem(
                f"{where}: {problem}; bring it back from version control, or remove it and begin anew"
            ) from None
        meant = self.name(series.environment, series.service, series.profile, series.fingerprint)
        if meant != name:
            raise PlaceProblem(f"{where}: it is that of {meant}: somebody copied or renamed it")
        return series

    def all(self, environment: str = "") -> dict[str, Series]:
        """Every series by name, of one environment or of all."""
        found = {name: self.read(name) for name in self.names(environment)}
        return {name: series for name, series in found.items() if series is not None}

    def find(self, environment: str, service: str, profile: str, fingerprint: Mapping[str, str]) -> Series | None:
        """The series, or None where there is none."""
        return self.read(self.name(environment, service, profile, fingerprint))

    def kin(self, environment: str, service: str, profile: str = "") -> list[Series]:
        """Every series of a service, whatever its fingerprint."""
        names = [name for name in self.names(environment) if name.partition("/")[2].startswith(f"{service}.")]
        found = [series for name in names if (series := self.read(name)) is not None]
        return [one for one in found if one.service == service and profile in ("", one.profile)]

    def change(self, empty: Series, how: Callable[[Series], Series]) -> Series:
        """Replace a series by what ``how`` makes of it, of ``empty`` where there is none; one process at a time.

        Whatever ``how`` raises leaves the file as it was.
        """
        name = self.name(empty.environment, empty.service, empty.profile, empty.fingerprint)
        made = [empty]

        def rewritten(text: str | None) -> str:
            before = empty if text is None else self._series(name, text)
            made[0] = how(before)
            return made[0].dumps() if text is None or made[0] != before else text

        self.place.change(name, rewritten)
        return made[0]
