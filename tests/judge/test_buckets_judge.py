"""Quantiles by buckets: bounds that hold, verdicts with their resolution, and how often they are wrong."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.outcome import Outcome
from seatrial.judge.buckets import BucketRule, beyond, judge_buckets, quantile_bounds

INF = math.inf
EDGES = (0.05, 0.1, 0.25, 0.5, 1.0)
Ranges = dict[tuple[float, float], int]


def ranges(*counts: int, edges: tuple[float, ...] = EDGES) -> Ranges:
    bounds = (-INF, *edges, INF)
    return dict(zip(itertools.pairwise(bounds), counts, strict=True))


def histogram(values: np.ndarray, edges: tuple[float, ...] = EDGES) -> Ranges:
    counts = np.histogram(values, bins=[-INF, *np.nextafter(edges, INF), INF])[0]
    return ranges(*map(int, counts), edges=edges)


FAST = ranges(500, 480, 20, 0, 0, 0)
SLOW = ranges(100, 300, 500, 100, 0, 0)


@pytest.mark.parametrize(
    ("candidate", "control", "objective", "outcome", "words"),
    [
        (FAST, None, 0.25, Outcome.PASS, "fast enough"),
        (SLOW, None, 0.1, Outcome.FAIL, "too slow"),
        (FAST, None, 0.2, Outcome.PASS, "between 0 and 20 were slower"),
        (SLOW, None, 0.2, Outcome.FAIL, "between 100 and 600 were slower"),
        (ranges(0, 900, 100, 0, 0, 0), None, 0.2, Outcome.INCONCLUSIVE, "too coarse"),
        (ranges(10, 0, 0, 0, 0, 0), None, 0.2, Outcome.INCONCLUSIVE, "80 more requests"),
        (SLOW, FAST, None, Outcome.FAIL, "stable's between 50.0 and 100.0 ms"),
        (SLOW, FAST, 0.1, Outcome.FAIL, "too slow"),
        (SLOW, SLOW, 0.1, Outcome.INCONCLUSIVE, "stable is not shown to be faster"),
        (SLOW, FAST, 1.0, Outcome.FAIL, "too slow"),
        (FAST, SLOW, None, Outcome.PASS, "fast enough"),
        (FAST, FAST, None, Outcome.INCONCLUSIVE, "too coarse"),
        (ranges(0, 0, 0, 0, 0, 0), None, 0.25, Outcome.INCONCLUSIVE, "not decided"),
    ],
)
def test_verdicts(
    candidate: Ranges, control: Ranges | None, objective: float | None, outcome: Outcome, words: str
) -> None:
    verdict = judge_buckets(candidate, control, BucketRule(objective=objective))
    assert verdict.verdict is outcome, verdict.sentence
    assert words in verdict.sentence


@given(st.lists(st.integers(0, 100), min_size=6, max_size=6), st.floats(0.001, 2.0))
def test_what_lies_beyond_is_bounded_by_the_edges(counts: list[int], limit: float) -> None:
    found = ranges(*counts)
    least, most = beyond(found, limit)
    assert 0 <= least <= most <= sum(counts)
    if limit in EDGES:
        assert least == most


@given(st.lists(st.integers(0, 200), min_size=6, max_size=6), st.sampled_from([0.5, 0.95, 0.99]))
def test_bounds_are_in_order(counts: list[int], level: float) -> None:
    lower, upper = quantile_bounds(ranges(*counts), level, alpha=0.01)
    assert lower < upper


def test_equal_tracks_are_failed_no_more_often_than_said() -> None:
    """A/A with edges every 5 ms and next to no margin, which is where false alarms would come from."""
    rng = np.random.default_rng(7)
    edges = tuple(np.arange(0.01, 0.4, 0.005).tolist())
    rule = BucketRule(level=0.95, relative_margin=1e-6, absolute_margin=1e-9)
    failed = 0
    for _ in range(300):
        one, other = (histogram(rng.lognormal(-3, 0.5, 800), edges) for _ in range(2))
        failed += judge_buckets(one, other, rule).verdict is Outcome.FAIL
    assert failed <= 8  # at most 1 % of 300, and what chance adds to that with probability 0.004


def test_half_as_slow_again_is_found() -> None:
    rng = np.random.default_rng(8)
    edges = tuple(np.arange(0.01, 0.6, 0.01).tolist())
    stable, candidate = rng.lognormal(-3, 0.4, 2000), 1.5 * rng.lognormal(-3, 0.4, 2000)
    verdict = judge_buckets(histogram(candidate, edges), histogram(stable, edges), BucketRule())
    assert verdict.verdict is Outcome.FAIL
    true = float(np.quantile(1.5 * rng.lognormal(-3, 0.4, 200_000), 0.95))
    assert verdict.lower < true < verdict.upper
