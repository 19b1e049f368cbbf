"""By how much counters rose: restarts, births, gaps, and values that are none."""

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.metrics.increase import bucketed, counted
from seatrial.metrics.series import Buckets, NoEvidence, Series

INF = math.inf


def series(*values: float, first: float = 0.0, name: str = "requests", **labels: str) -> Series:
    times = tuple(first + 15.0 * n for n in range(len(values)))
    return Series(labels={"__name__": name, "instance": "a", **labels}, times=times, values=values)


rises = st.lists(st.integers(0, 50), min_size=1, max_size=10)


@given(st.integers(0, 1000), st.lists(rises, min_size=1, max_size=4))
def test_restarts_lose_nothing_that_was_scraped(begin: int, lives: list[list[int]]) -> None:
    """A life ends with the process; the next begins to count from zero, and its fall is seen."""
    values = list(accumulate(lives[0], initial=begin))
    expected = sum(lives[0])
    for life in lives[1:]:
        counts = list(accumulate(life))
        if counts[0] >= values[-1]:
            return  # nobody can tell this restart from a rise
        values += counts
        expected += counts[-1]
    assert counted([series(*map(float, values))]) == expected


@pytest.mark.parametrize(
    ("found", "among", "expected"),
    [
        ([series(5, 7, 12)], [], 7),
        ([series(5)], [], 0),
        ([], [], 0),
        ([series(5, 7), series(100, 103, instance="b")], [], 5),
        ([series(5, 7, 2)], [], 4),
        ([series(5, 7), series(3, 4, first=15, code="500")], [], 6),
        ([series(3, 4, first=15, code="500")], [series(5, 7)], 4),
        ([series(3, 4, first=15, code="500", instance="b")], [series(5, 7)], 1),
        ([series(1e12, 1e12 + 3)], [], 3),
    ],
    ids=[
        "rise",
        "one sample",
        "nothing",
        "two processes",
        "restart",
        "born later",
        "born after others of its process",
        "a new process",
        "large",
    ],
)
def test_counts(found: list[Series], among: list[Series], expected: int) -> None:
    assert counted(found, among=among) == expected


@pytest.mark.parametrize("values", [(1.0, math.nan), (math.inf, 1.0), (1.0, 1.5), (-1.0, 3.0)])
def test_what_is_no_count_is_no_evidence(values: tuple[float, ...]) -> None:
    with pytest.raises(NoEvidence, match="expected a count"):
        counted([series(*values)])


def buckets(counts: dict[str, tuple[float, ...]], instance: str = "a") -> list[Series]:
    return [series(*values, name="h_bucket", le=le, instance=instance) for le, values in counts.items()]


def test_classic_buckets_become_ranges() -> None:
    found = buckets({"0.1": (0, 3), "0.5": (0, 5), "+Inf": (10, 16)})
    assert bucketed(found) == {(-INF, 0.1): 3, (0.1, 0.5): 2, (0.5, INF): 1}


def test_processes_with_other_boundaries_share_what_they_have_in_common() -> None:
    found = [
        *buckets({"0.1": (0, 3), "0.5": (0, 5), "+Inf": (0, 6)}),
        *buckets({"0.2": (0, 1), "0.5": (0, 2), "+Inf": (0, 2)}, instance="b"),
    ]
    assert bucketed(found) == {(-INF, 0.5): 7, (0.5, INF): 1}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (buckets({"0.1": (0, 3)}), "up to +Inf"),
        ([*buckets({"+Inf": (0, 3)}), series(0, 3, name="h_bucket")], "its label le"),
        (buckets({"0.1": (0, 3), "+Inf": (0, 2)}), "fewer than the boundary before"),
    ],
)
def test_broken_histograms_are_no_evidence(found: list[Series], words: str) -> None:
    with pytest.raises(NoEvidence) as lack:
        bucketed(found)
    assert words in str(lack.value)


def native(*samples: dict[tuple[float, float], float]) -> Series:
    histograms = tuple(Buckets(count=sum(ranges.values()), ranges=ranges) for ranges in samples)
    return Series(labels={"__name__": "h"}, times=tuple(map(float, range(len(samples)))), histograms=histograms)


def test_native_buckets_rise_and_restart() -> None:
    found = native({(0, 1): 5, (1, 2): 1}, {(0, 1): 8, (1, 2): 1, (2, 4): 2}, {(0, 1): 1})
    assert bucketed([found]) == {(0, 1): 4, (1, 2): 0, (2, 4): 2}


def test_native_buckets_that_were_merged_are_no_evidence() -> None:
    with pytest.raises(NoEvidence, match="boundaries of its buckets changed"):
        bucketed([native({(0, 1): 5, (1, 2): 1}, {(0, 2): 9})])
