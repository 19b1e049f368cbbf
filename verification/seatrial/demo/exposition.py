"""Metrics in Prometheus' text exposition format 0.0.4: counters, gauges and histograms, no more than the demo needs.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

LATENCY_BUCKETS: Final = (0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds, dense where the demo answers."""


class Metric(Protocol):
    """Anything that can write its lines."""

    def lines(self) -> Iterator[str]:
        """HELP, TYPE and the samples."""


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value!r}" if inside else f"{name} {value!r}"


def _header(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


class Counter:
    """A total per combination of label values."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...] = ()) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._values: dict[tuple[str, ...], int] = {} if labels else {(): 0}

    def increment(self, *values: str) -> None:
        """Count one for these label values, given in the order of the labels."""
        self._values[values] = self._values.get(values, 0) + 1

    def lines(self) -> Iterator[str]:
        """HELP, TYPE and the samples."""
        yield from _header(self._name, "counter", self._text)
        for values, count in sorted(self._values.items()):
            yield _sample(self._name, dict(zip(self._labels, values, strict=True)), count)


class Gauge:
    """A value read when it is asked for; ``labels`` are constant."""

    def __init__(
        self, name: str, text: str, read: Callable[[], float], labels: Mapping[str, str] | None = None
    ) -> None:
        self._name, self._text, self._read, self._labels = name, text, read, labels or {}

    def lines(self) -> Iterator[str]:
        """HELP, TYPE and the sample."""
        yield from _header(self._name, "gauge", self._text)
        yield _sample(self._name, self._labels, self._read())


class Histogram:
    """Durations in seconds, cumulative by bucket."""

    def __init__(self, name: str, text: str, buckets: tuple[float, ...] = LATENCY_BUCKETS) -> None:
        self._name, self._text, self._buckets = name, text, buckets
        self._counts = [0] * (len(buckets) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Take one duration in."""
        self._counts[bisect.bisect_left(self._buckets, seconds)] += 1
        self._sum += seconds

    def lines(self) -> Iterator[str]:
        """HELP, TYPE, the buckets, sum and count."""
        yield from _header(self._name, "histogram", self._text)
        total = 0
        for bound, count in zip((*map(str, self._buckets), "+Inf"), self._counts, strict=True):
            total += count
            yield _sample(f"{self._name}_bucket", {"le": bound}, total)
        yield f"{self._name}_sum {self._sum!r}"
        yield f"{self._name}_count {total}"


def exposition(metrics: Iterable[Metric]) -> str:
    """The text of a ``/metrics`` page."""
    return "\n".join(line for metric in metrics for line in metric.lines()) + "\n"
