"""A client of Prometheus' HTTP API: queries at a moment and over a range, targets, alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatrial.environment.selector import Selector
from seatrial.http.bounded import ask
from seatrial.http.sync import Client
from seatrial.metrics.answer import Answered, Malformed, Refused, read_answer, read_series
from seatrial.metrics.series import NoEvidence, Series, Window


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one answer may cost: seconds, bytes and series."""

    within: float = 15.0
    max_bytes: int = 32_000_000
    max_series: int = 10_000


class Prometheus:
    """Questions to one server. Every one may raise CannotLook, and NoEvidence where the answer is a part."""

    def __init__(self, client: Client, bounds: Bounds) -> None:
        self._client, self._bounds = client, bounds

    def instant(self, query: str, *, at: float) -> tuple[Series, ...]:
        """The series of ``query`` at a moment, in seconds since 1970."""
        return self._series("/api/v1/query", {"query": query, "time": f"{at:.3f}"})

    def range(self, query: str, window: Window, *, step: float) -> tuple[Series, ...]:
        """The series of ``query`` over a window, computed every ``step`` seconds."""
        form = {"query": query, "start": f"{window.start:.3f}", "end": f"{window.end:.3f}", "step": f"{step:g}"}
        return self._series("/api/v1/query_range", form)

    def samples(self, selector: Selector, window: Window) -> tuple[Series, ...]:
        """The samples of a window as they were scraped.

        Nothing is computed between them, as ``increase()`` does, so that differences of counters stay whole numbers.
        Times of samples are those of the scrapes; markers of staleness are not among them.
        """
        milliseconds = max(1, round(window.length * 1000))
        return self.instant(f"{selector}[{milliseconds}ms]", at=window.end)

    def alerts(self) -> tuple[Mapping[str, Any], ...]:
        """Pending and firing alerts as the server tells them."""
        return self._listed(self._get("/api/v1/alerts"), "alerts")

    def _listed(self, answered: Answered, key: str) -> tuple[Mapping[str, Any], ...]:
        found = answered.data.get(key) if isinstance(answered.data, dict) else None
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise Malformed(f"{self._client.base_url}: expected a list of {key}; seen {str(found)[:80]}")
        return tuple(found)

    def _get(self, path: str) -> Answered:
        bounds = self._bounds
        answer = ask(self._client, "GET", path, within=bounds.within, max_bytes=bounds.max_bytes)
        return _whole(_envelope(answer.status, answer.body, answer.where), answer.where)

    def _series(self, path: str, form: Mapping[str, str]) -> tuple[Series, ...]:
        bounds = self._bounds
        # The server gives up before we do, and then says so itself.
        form = {**form, "timeout": f"{bounds.within:g}s"}
        answer = ask(self._client, "POST", path, within=bounds.within, max_bytes=bounds.max_bytes, form=form)
        where = f"{answer.where} {form['query']}"
        answered = _whole(_envelope(answer.status, answer.body, where), where)
        return read_series(answered.data, where, most=bounds.max_series)


def _envelope(status: int, body: bytes, where: str) -> Answered:
    if 300 <= status < 400:
        raise Refused(f"{where}: HTTP {status}: expected the API itself; declare the address that it redirects to")
    if status in (401, 403):
        raise Refused(f"{where}: HTTP {status}: we are not allowed to ask: see metrics.auth or metrics.basic")
    return read_answer(status, body, where)


def _whole(answered: Answered, where: str) -> Answered:
    if answered.warnings:
        raise NoEvidence(f"{where}: the answer may be a part of what there is: {'; '.join(answered.warnings)}")
    return answered
