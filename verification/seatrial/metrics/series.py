"""Series as they were sampled: labels, times and values, and nothing made up between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """One sample of a histogram: observations by value, as disjoint ranges from ``lower`` to ``upper``.

    Of a classic histogram the ranges are open below and closed above; in a native one that holds for positive values,
    and every boundary is a power of two's root, so that it makes no difference for latencies.
    """

    count: float
    ranges: Mapping[tuple[float, float], float]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series, oldest sample first. ``times`` are seconds since 1970, one for each value.

    Of a native histogram there are ``histograms`` instead of values.
    """

    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float] = ()
    histograms: Sequence[Buckets] = field(default=())

    @property
    def name(self) -> str:
        """Name of the metric; empty of a computed series."""
        return self.labels.get("__name__", "")

    @property
    def target(self) -> tuple[tuple[str, str], ...]:
        """Which process was scraped, as far as the labels say: its job and instance, and the pod where it is told."""
        return tuple((key, self.labels[key]) for key in ("job", "instance", "pod") if key in self.labels)

    def __str__(self) -> str:
        inside = ", ".join(f'{key}="{value}"' for key, value in sorted(self.labels.items()) if key != "__name__")
        return f"{self.name}{{{inside}}}"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A span of time in seconds since 1970, with ``words`` for people: what it lies before or after."""

    start: float
    end: float
    words: str = ""

    @property
    def length(self) -> float:
        """Seconds; 0 where it has not begun."""
        return max(0.0, self.end - self.start)

    def __str__(self) -> str:
        return f"{self.length:.0f} s{' ' if self.words else ''}{self.words}"


class NoEvidence(Exception):
    """There is nothing, or nothing that can be relied on, to judge by: outcome *inconclusive*, never zero."""
