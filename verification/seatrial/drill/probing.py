"""Looks at the addresses that users reach all through a drill: does each answer healthy, and as which version?"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from seatrial.environment.selection import ServiceTarget
from seatrial.http.sync import Client, ExchangeError, diagnose, open_client

STEADY: Final = 8
"""Good answers in a row that an address must give to count as healthy."""
MOST: Final = 200_000
"""Looks at one address, after which a drill that should have ended long ago looks no more."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One look at one address: is it ready, and as which version? Times are seconds on the drill's clock.

    ``error`` is empty where it was healthy; ``ours`` says that the network or this machine is to blame for it.
    """

    where: str
    at: float
    took: float
    version: str = ""
    error: str = ""
    ours: bool = False

    @property
    def end(self) -> float:
        """When it was answered."""
        return self.at + self.took


def look(client: Client, target: ServiceTarget, now: Callable[[], float]) -> Probe:
    """Look once, each request on a connection of its own and without a cookie, as users do who have just come."""
    health, at = target.service.health, now()
    version = error = ""
    ours = False
    try:
        for path in (health.ready, health.version):
            client.cookies.clear()
            answer = client.get(path, headers={"Connection": "close"})
            if answer.status_code >= 400:
                error = f"{path}: HTTP {answer.status_code}"
                break
        else:
            version = str(answer.json()[health.version_field])
    except ExchangeError as problem:
        said = diagnose(problem)
        error, ours = said.words, said.ours
    except (KeyError, TypeError, ValueError):
        error = f"{health.version}: no field {health.version_field!r} in the answer"
    return Probe(where=target.label, at=at, took=now() - at, version=version, error=error, ours=ours)


class Probing:
    """Looks at every target for as long as its block lasts, each from a thread of its own, ``rate`` times a second.

    What was seen is also a line of ``path`` each, at once, so that a killed drill leaves it.
    """

    def __init__(
        self, targets: Sequence[tuple[ServiceTarget, str | None]], *, run_id: str, rate: float, path: Path
    ) -> None:
        self.names = tuple(target.label for target, _ in targets)
        self._run_id = run_id
        self.rate = rate
        self._pause = 1 / rate
        self._path = path
        self._start = time.monotonic()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._seen: list[Probe] = []
        self._threads = [
            threading.Thread(target=self._ask, args=one, name=f"seatrial-drill-{one[0].label}", daemon=True)
            for one in targets
        ]

    def __enter__(self) -> Self:
        self._stream = self._path.open("w", encoding="utf-8")
        self._start = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._stream.close()

    @property
    def now(self) -> float:
        """Seconds since the drill began."""
        return time.monotonic() - self._start

    def since(self, moment: float) -> list[Probe]:
        """Looks that began at ``moment`` or later and have been answered, in the order of the answers."""
        with self._lock:
            return [probe for probe in self._seen if probe.at >= moment]

    def steady(
        self, moment: float, good: Callable[[Probe], bool], names: Sequence[str] = (), *, looks: int = STEADY
    ) -> float | None:
        """Since when every address, or those of ``names``, has been good without a break, in one version.

        None while one of them is not, or has not been for so many ``looks`` since ``moment``.
        """
        seen = self.since(moment)
        begins = []
        for name in names or self.names:
            run: list[Probe] = []
            for probe in reversed([probe for probe in seen if probe.where == name]):
                if not good(probe) or (run and probe.version != run[-1].version):
                    break
                run.append(probe)
            if len(run) < looks:
                return None
            begins.append(run[-1].end)
        return max(begins)

    def _ask(self, target: ServiceTarget, bearer: str | None) -> None:
        try:
            with open_client(target, run_id=self._run_id, bearer=bearer) as client:
                self._ask_with(client, target)
        except OSError as problem:  # the certificates to trust cannot be read
            self._take(Probe(where=target.label, at=self.now, took=0.0, error=str(problem), ours=True))

    def _ask_with(self, client: Client, target: ServiceTarget) -> None:
        for _ in range(MOST):
            probe = look(client, target, lambda: self.now)
            self._take(probe)
            if self._over.wait(max(0.0, self._pause - probe.took)):
                return

    def _take(self, probe: Probe) -> None:
        with self._lock:
            self._seen.append(probe)
            self._stream.write(json.dumps(asdict(probe)) + "\n")
            self._stream.flush()
