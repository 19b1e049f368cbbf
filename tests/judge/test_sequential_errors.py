"""Failures, looked at as often as anybody likes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule
from seatrial.judge.proportions import Counts
from seatrial.judge.sequential_errors import _bets, look_at_errors

RULE = ErrorRule(objective=0.01)


def counts(failed: int, total: int) -> Counts:
    return Counts(failed=failed, total=total)


@pytest.mark.parametrize(
    ("candidate", "control", "verdict"),
    [
        ((0, 0), (0, 0), Outcome.INCONCLUSIVE),
        ((0, 300), (0, 300), Outcome.INCONCLUSIVE),
        ((0, 700), (0, 700), Outcome.PASS),
        ((2, 2), (0, 2), Outcome.INCONCLUSIVE),
        ((12, 100), (0, 100), Outcome.FAIL),
        ((100, 1000), (100, 1000), Outcome.INCONCLUSIVE),
        ((60, 3000), (3, 3000), Outcome.FAIL),
        ((10, 100), None, Outcome.FAIL),
        ((0, 700), None, Outcome.PASS),
    ],
)
def test_verdicts(candidate: tuple[int, int], control: tuple[int, int] | None, verdict: Outcome) -> None:
    look = look_at_errors(counts(*candidate), None if control is None else counts(*control), RULE)
    assert look.verdict is verdict, look.explanation


def test_what_is_missing_is_enough() -> None:
    look = look_at_errors(counts(1, 200), counts(0, 200), RULE)
    assert look.needed > 0
    assert f"{look.needed} more clean requests would pass it" in look.explanation
    total = 200 + look.needed
    assert look_at_errors(counts(1, total), counts(0, total), RULE).verdict is Outcome.PASS
    assert look_at_errors(counts(1, total - 1), counts(0, total - 1), RULE).verdict is not Outcome.PASS


def test_failures_that_stable_shares_are_not_the_candidates() -> None:
    both = look_at_errors(counts(60, 600), counts(60, 600), RULE, alone=(2, 2))
    mine = look_at_errors(counts(60, 600), counts(5, 600), RULE, alone=(57, 2))
    assert both.verdict is Outcome.INCONCLUSIVE
    assert mine.verdict is Outcome.FAIL


def test_a_healthy_build_survives_many_looks() -> None:
    generator = np.random.default_rng(11)
    rolled_back = 0
    for _ in range(100):
        failed = [np.cumsum(generator.random(600) < 0.001) for _ in range(2)]
        for n in range(60, 601, 60):
            candidate, control = (counts(int(each[n - 1]), n) for each in failed)
            if look_at_errors(candidate, control, RULE).verdict is Outcome.FAIL:
                rolled_back += 1
                break
    assert rolled_back <= 1


@given(total=st.integers(1, 5000), failed=st.integers(0, 200), more=st.integers(1, 50))
def test_more_failures_are_never_less_evidence(total: int, failed: int, more: int) -> None:
    fewer, many = min(failed, total), min(failed + more, total)
    one = look_at_errors(counts(fewer, total), None, RULE)
    other = look_at_errors(counts(many, total), None, RULE)
    assert other.evidence >= one.evidence * (1 - 1e-9)
    assert other.evidence_within <= one.evidence_within * (1 + 1e-9)


def test_unequal_numbers_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="expected pairs; seen 10 and 20 requests"):
        look_at_errors(counts(0, 20), counts(0, 10), RULE)


@given(
    stable=st.floats(0.0, 0.9),
    part=st.floats(0.0, 1.0),
    objective=st.sampled_from([0.001, 0.01, 0.2]),
    relative=st.sampled_from([0.05, 0.5, 2.5]),
)
def test_no_bet_wins_against_what_is_tolerated(stable: float, part: float, objective: float, relative: float) -> None:
    """The expectation of a pair's likelihood ratio is at most one where the candidate is within what is tolerated."""
    absolute = objective / 20
    for bets, limit in zip(
        _bets(objective, relative, absolute), (stable * (1 + relative), stable + absolute), strict=True
    ):
        candidate = part * min(limit, 1.0)
        mine = candidate * np.exp(bets[0]) + (1 - candidate) * np.exp(bets[1])
        others = stable * np.exp(bets[2]) + (1 - stable) * np.exp(bets[3])
        assert (mine * others <= 1 + 1e-6).all()


def test_what_is_only_a_little_worse_is_never_shown_to_be() -> None:
    assert look_at_errors(counts(105, 10_000), counts(100, 10_000), RULE).evidence < 1


def test_one_percent_against_a_tenth_is_mostly_seen_before_the_end() -> None:
    generator = np.random.default_rng(12)
    rule = ErrorRule(objective=0.01, confidence=0.998)
    found = 0
    for _ in range(40):
        mine, others = (np.cumsum(generator.random(3000) < rate) for rate in (0.01, 0.001))
        found += any(
            look_at_errors(counts(int(mine[n]), n + 1), counts(int(others[n]), n + 1), rule).verdict is Outcome.FAIL
            for n in range(299, 3000, 100)
        )
    assert found >= 28
