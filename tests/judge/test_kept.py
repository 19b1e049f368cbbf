"""Of very many pairs a part is compared: which, and that it does not depend on how they came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.evidence.outcome import Outcome
from seatrial.judge.exceedance import pooled_value
from seatrial.judge.kept import MOST, Kept
from seatrial.judge.latency import LatencyRule, compare_kept, compare_latency

RULE = LatencyRule(ceiling=5.0)


def fed(n: int, *, most: int, piece: int) -> Kept:
    """Pairs whose latencies are their numbers."""
    kept = Kept(most)
    for begin in range(0, n, piece):
        numbers = np.arange(begin, min(begin + piece, n), dtype=np.float64)
        kept.add(numbers, numbers + 0.5)
    return kept


@settings(deadline=None)
@given(n=st.integers(0, 3000), most=st.integers(2, 300), piece=st.integers(10, 1000))
def test_what_is_kept_is_bounded_in_order_and_the_same_however_it_came(n: int, most: int, piece: int) -> None:
    kept, at_once = fed(n, most=most, piece=piece), fed(n, most=most, piece=max(n, 1))
    assert kept.n == n
    assert len(kept.control) <= most
    assert kept.whole == (n <= most)
    assert np.array_equal(kept.control, at_once.control)
    assert np.array_equal(kept.candidate, kept.control + 0.5)
    assert (np.diff(kept.control) > 0).all()


@settings(deadline=None)
@given(n=st.integers(64, 20_000), most=st.integers(16, 64))
def test_what_is_kept_is_spread_evenly(n: int, most: int) -> None:
    kept = fed(n, most=most, piece=997)
    # One of each stretch of neighbours; the last may be cut short, and then have none.
    stretches = (kept.control // kept.of).astype(int)
    assert np.array_equal(stretches, np.arange(len(stretches)))
    assert len(stretches) >= n // kept.of > most / 4


@pytest.mark.parametrize("period", [2, 3, 4, 8, 10])
def test_servers_in_turn_keep_their_shares(period: int) -> None:
    numbers = fed(400_000, most=10_000, piece=50_000).control.astype(int)
    shares = np.bincount(numbers % period) / len(numbers)
    # Four standard deviations of a share of so many draws.
    assert shares == pytest.approx(1 / period, abs=4 * (0.25 / len(numbers)) ** 0.5)


def test_pairs_of_unequal_number_are_refused() -> None:
    with pytest.raises(ValueError, match="expected pairs; seen 2 and 3 latencies"):
        Kept().add(np.ones(2), np.ones(3))


@pytest.mark.parametrize(("factor", "outcome"), [(1.0, Outcome.PASS), (1.12, Outcome.FAIL)])
def test_more_pairs_than_are_kept_are_judged_and_told(factor: float, outcome: Outcome) -> None:
    generator = np.random.default_rng(1)
    n = 2 * MOST + 1000
    stable, candidate = (0.1 * np.exp(0.5 * generator.standard_normal(n)) for _ in range(2))
    verdict = compare_latency(stable, factor * candidate, RULE)
    assert verdict.verdict is outcome
    assert verdict.n == n
    assert f"n={n} pairs, {verdict.decisive.n} of them compared" in verdict.sentence
    assert MOST / 2 <= verdict.decisive.n <= MOST
    kept = Kept()
    for begin in range(0, n, 10_000):
        kept.add(stable[begin : begin + 10_000], factor * candidate[begin : begin + 10_000])
    assert compare_kept(kept, RULE) == verdict


def test_where_some_are_left_out_more_are_not_asked_for() -> None:
    generator = np.random.default_rng(1)
    stable, candidate = (0.1 * np.exp(0.5 * generator.standard_normal(MOST + 1)) for _ in range(2))
    verdict = compare_latency(stable, 1.1 * candidate, LatencyRule(tolerated=1.0))
    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert verdict.needed is None


floats = st.lists(st.floats(0, 9, width=16), min_size=1, max_size=40)


@settings(deadline=None)
@given(control=floats, candidate=floats, shift=st.floats(-5, 5, width=16), share=st.floats(0, 1))
def test_a_value_of_both_in_one_order(control: list[float], candidate: list[float], shift: float, share: float) -> None:
    one, other = np.sort(control), np.sort(candidate)
    both = np.sort([*one, *(other - shift)])
    position = round(share * (len(both) - 1))
    assert pooled_value(one, other, shift, position) == both[position]
