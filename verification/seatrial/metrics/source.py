"""Where samples come from: a Prometheus, or the pages of the processes themselves, scraped twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from seatrial.environment.model import Metrics
from seatrial.environment.selection import ServiceTarget
from seatrial.environment.selector import Matcher, Selector, parse_matchers
from seatrial.evidence.outcome import CannotLook
from seatrial.http.sync import Client
from seatrial.metrics.exposition import scrape
from seatrial.metrics.prometheus import Prometheus
from seatrial.metrics.series import NoEvidence, Series, Window

STARTED = "process_start_time_seconds"
"""Gauge by which client libraries tell when a process began."""


class Source(Protocol):
    """What can be asked for samples. Every question may raise CannotLook, and NoEvidence."""

    @property
    def since(self) -> float | None:
        """When looking began, where nothing before it can be known."""

    def samples(self, selector: Selector, target: ServiceTarget, window: Window) -> tuple[Series, ...]:
        """The samples of one track within a window, as they were scraped."""

    def values(self, query: str, target: ServiceTarget, window: Window) -> tuple[Series, ...]:
        """PromQL over a window, ``${select}`` replaced by the conditions for one track."""


class ServerSource:
    """Samples that a Prometheus keeps. ``release`` is what ``${release}`` in conditions stands for."""

    since = None

    def __init__(self, server: Prometheus, settings: Metrics, *, release: str) -> None:
        self._server, self._settings, self._release = server, settings, release

    def samples(self, selector: Selector, target: ServiceTarget, window: Window) -> tuple[Series, ...]:
        """The samples of one track within a window, as they were scraped."""
        return self._server.samples(selector.where(self.conditions(target)), window)

    def values(self, query: str, target: ServiceTarget, window: Window) -> tuple[Series, ...]:
        """PromQL over a window, ``${select}`` replaced by the conditions for one track."""
        text = query.replace("${select}", ",".join(map(str, self.conditions(target))))
        return self._server.range(text, window, step=self._settings.step)

    def conditions(self, target: ServiceTarget) -> tuple[Matcher, ...]:
        """The conditions that tell one service and, where it has a candidate beside it, one track."""
        declared = target.service.metrics
        assert declared is not None, "only services with metrics are asked for"
        found = service_conditions(target)
        if target.service.url.candidate is not None:
            text = declared.tracks.candidate if target.track == "candidate" else declared.tracks.stable
            if "${release}" in text and not self._release:
                raise CannotLook(
                    f"services.{target.name}.metrics.tracks: ${{release}} needs --release, which is not given"
                )
            found += parse_matchers(text.replace("${release}", self._release))
        return found


def service_conditions(target: ServiceTarget) -> tuple[Matcher, ...]:
    """The conditions that tell a service's series: those declared, or that of Prometheus' own label ``job``."""
    declared = target.service.metrics
    if declared is None or declared.select is None:
        return (Matcher(label="job", operator="=", value=target.name),)
    return parse_matchers(declared.select)


@dataclass(frozen=True, kw_only=True)
class _Page:
    at: float
    series: Mapping[tuple[tuple[str, str], ...], Series]

    def started(self) -> float | None:
        return next((one.values[0] for one in self.series.values() if one.name == STARTED), None)


class ScrapeSource:
    """Two scrapes of each process: one as early in the run as can be, one when a question is asked.

    An address must lead to one process. Where another one answers the second time, its counters are taken from zero,
    as after a restart. Scrapes are kept by the end of the window that is asked for, so that one check sees one moment.
    """

    def __init__(
        self,
        settings: Metrics,
        client_for: Callable[[ServiceTarget], Client],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._client_for, self._clock = settings, client_for, clock
        self._first: dict[tuple[str, str], _Page | CannotLook] = {}
        self._latest: dict[tuple[str, str], tuple[float, _Page]] = {}

    @property
    def since(self) -> float | None:
        """When the first scrape was made."""
        return min((page.at for page in self._first.values() if isinstance(page, _Page)), default=None)

    def begin(self, targets: Iterable[ServiceTarget]) -> None:
        """Make the first scrape of every process; one that does not answer is remembered, and is no evidence later."""
        for target in targets:
            try:
                self._first[_key(target)] = self._page(target)
            except CannotLook as problem:
                self._first[_key(target)] = problem

    def samples(self, selector: Selector, target: ServiceTarget, window: Window) -> tuple[Series, ...]:
        """What both scrapes say. A series that is new in the second counts from zero."""
        latest = self._at(target, window.end)
        first = self._first.get(_key(target))
        if first is None or isinstance(first, CannotLook):
            raise NoEvidence(f"there is no earlier scrape to compare with: {first or 'none was made'}")
        restarted = first.started() != latest.started()
        found = []
        for key, one in latest.series.items():
            if not selector.matches(one.name, one.labels):
                continue
            earlier = first.series.get(key)
            zero = earlier is None or (restarted and one.name != STARTED)
            before = 0.0 if zero or earlier is None else earlier.values[0]
            found.append(Series(labels=one.labels, times=(first.at, latest.at), values=(before, one.values[0])))
        return tuple(found)

    def gauges(self, selector: Selector, target: ServiceTarget, window: Window) -> tuple[Series, ...]:
        """What the second scrape alone says."""
        page = self._at(target, window.end)
        return tuple(one for one in page.series.values() if selector.matches(one.name, one.labels))

    def values(self, query: str, target: ServiceTarget, window: Window) -> tuple[Series, ...]:  # noqa: ARG002
        """Nobody computes PromQL where there is no Prometheus. Raises CannotLook."""
        raise CannotLook(f"services.{target.name}.metrics: PromQL needs metrics.prometheus: {query}")

    def _at(self, target: ServiceTarget, moment: float) -> _Page:
        kept = self._latest.get(_key(target))
        if kept is None or kept[0] != moment:
            kept = (moment, self._page(target))
            self._latest[_key(target)] = kept
        return kept[1]

    def _page(self, target: ServiceTarget) -> _Page:
        settings, at = self._settings, self._clock()
        found = scrape(
            self._client_for(target),
            target.service.health.metrics or "/metrics",
            at=at,
            within=settings.timeout,
            max_bytes=settings.max_bytes,
            max_series=settings.max_series,
        )
        return _Page(at=at, series={tuple(sorted(one.labels.items())): one for one in found})


def _key(target: ServiceTarget) -> tuple[str, str]:
    return target.name, target.track
