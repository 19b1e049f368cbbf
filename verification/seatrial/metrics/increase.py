"""By how much counters rose between the samples of a window: whole numbers, since nothing is extrapolated.

Prometheus' ``increase()`` stretches what it saw to the ends of the window, so that it answers 3.07 where 3 requests
were made, and takes nothing in where a series has one sample only. Exact tests want counts; what it does stands at
https://prometheus.io/docs/prometheus/latest/querying/functions/#increase
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from seatrial.metrics.series import Buckets, NoEvidence, Series

_WHOLE = 1e-6
"""Tolerated distance from a whole number: counters travel as floats."""


def beginnings(series: Iterable[Series]) -> dict[tuple[tuple[str, str], ...], float]:
    """When each process was first scraped within the window, told from all series that it has there."""
    found: dict[tuple[tuple[str, str], ...], float] = {}
    for one in series:
        if one.times:
            found[one.target] = min(one.times[0], found.get(one.target, math.inf))
    return found


def increase(series: Series, begun: float) -> float:
    """By how much one counter rose, over its samples.

    A fall is a restart, after which it counts from zero. A series whose first sample is later than ``begun``, when its
    process was first scraped, was not there before: label values appear with their first event, and leaving that out
    would lose the very first errors. Raises NoEvidence for a value that is no number.
    """
    _finite(series.values, series)
    previous = 0.0 if series.times[0] > begun else series.values[0]
    total = 0.0
    for value in series.values:
        total += value - previous if value >= previous else value
        previous = value
    return total


def counted(series: Sequence[Series], *, among: Sequence[Series] = ()) -> int:
    """The events that counters have counted, summed over all of them.

    ``among`` are series of the same processes, by which it is told when each was first scraped. Raises NoEvidence where
    there is no series or no count.
    """
    begun = beginnings((*series, *among))
    total = 0
    for one in series:
        if one.times:
            total += _whole(increase(one, begun[one.target]), one)
    return total


def bucketed(series: Sequence[Series], *, among: Sequence[Series] = ()) -> Mapping[tuple[float, float], int]:
    """Observations of histograms in a window, by ranges of their value that all processes share.

    Classic ones are series ``_bucket`` with the label ``le``; native ones hold their buckets themselves. Raises
    NoEvidence where boundaries changed within the window or processes have none in common.
    """
    native = [one for one in series if one.histograms]
    if native:
        return _native(native)
    begun = beginnings((*series, *among))
    processes: dict[tuple[tuple[str, str], ...], dict[float, int]] = {}
    for one in series:
        if not one.times:
            continue
        try:
            bound = float(one.labels["le"])
        except (KeyError, ValueError):
            raise NoEvidence(f"{one}: expected a bucket of a histogram, with a boundary as its label le") from None
        rises = processes.setdefault(one.target, {})
        rises[bound] = rises.get(bound, 0) + _whole(increase(one, begun[one.target]), one)
    if not processes:
        return {}
    shared = sorted(set.intersection(*(set(rises) for rises in processes.values())))
    if not shared or not math.isinf(shared[-1]):
        raise NoEvidence(f"{series[0].name}: expected buckets up to +Inf that all processes have; seen up to {shared}")
    cumulative = [sum(rises[bound] for rises in processes.values()) for bound in shared]
    ranges: dict[tuple[float, float], int] = {}
    lower, below = -math.inf, 0
    for bound, total in zip(shared, cumulative, strict=True):
        if total < below:
            raise NoEvidence(f"{series[0].name}: le={bound:g} counts fewer than the boundary before it")
        ranges[lower, bound] = total - below
        lower, below = bound, total
    return ranges


def _native(series: Iterable[Series]) -> Mapping[tuple[float, float], int]:
    ranges: dict[tuple[float, float], int] = {}
    for one in series:
        previous: Buckets | None = None
        for sample in one.histograms:
            _finite((sample.count, *sample.ranges.values()), one)
            restarted = previous is None or sample.count < previous.count
            before = {} if restarted or previous is None else previous.ranges
            if previous is not None:
                for key in {*sample.ranges, *before}:
                    rise = _whole(sample.ranges.get(key, 0.0) - before.get(key, 0.0), one)
                    if rise < 0:
                        raise NoEvidence(f"{one}: the boundaries of its buckets changed within the window")
                    ranges[key] = ranges.get(key, 0) + rise
            previous = sample
    return ranges


def _whole(value: float, series: Series) -> int:
    nearest = round(value)
    if abs(value - nearest) > _WHOLE * max(1.0, abs(value)):
        raise NoEvidence(f"{series}: expected a counter of whole events; seen a rise of {value:g}")
    return nearest


def _finite(values: Iterable[float], series: Series) -> None:
    for value in values:
        if not math.isfinite(value) or value < 0:
            raise NoEvidence(f"{series}: expected a count; seen {value:g}")
