"""Runs against the runs before them: the run is the unit, both sets must hold, and nothing is decided too early."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.outcome import Outcome
from seatrial.judge.baseline import BaselineRule, Reference, judge_against, location_and_spread

RULE = BaselineRule(watched=())


def levels(p50: Any, p95: Any = None) -> dict[float, list[float]]:
    median = np.atleast_1d(np.asarray(p50, dtype=float))
    return {0.5: median.tolist(), 0.95: (2 * median if p95 is None else np.atleast_1d(p95)).tolist()}


def before(count: int = 12, spread: float = 0.03, *, name: str = "the latest runs", at: float = 0.1) -> Reference:
    wave = np.array([(-1) ** number for number in range(count)]) * spread
    return Reference(name=name, levels=levels(at * np.exp(wave)))


@pytest.mark.parametrize(
    ("seen", "outcome", "told"),
    [
        (0.098, Outcome.PASS, "not slower by the margin than the runs promoted before it: p"),
        (0.150, Outcome.FAIL, "slower than the runs that were promoted before it: p"),
        (0.109, Outcome.INCONCLUSIVE, "neither shown slower than the runs before it nor shown not to be: p"),
    ],
)
def test_verdicts_carry_their_numbers(seen: float, outcome: Outcome, told: str) -> None:
    rule = BaselineRule(watched=(), relative_margin=0.15)
    verdict = judge_against(levels(seen), [before(spread=0.02)], rule)
    assert verdict.verdict is outcome, verdict.sentence
    assert verdict.sentence.startswith(told)
    assert "over the latest runs (n=12, which differ by 2.1%)" in verdict.sentence
    assert "margin " in verdict.sentence
    assert "(99% confidence)" in verdict.sentence


def test_what_would_decide_it_does() -> None:
    rule = BaselineRule(watched=(), relative_margin=0.15)
    history = before(spread=0.05)
    first = judge_against(levels(0.1), [history], rule)
    assert first.verdict is Outcome.INCONCLUSIVE
    assert first.needed is not None
    assert f"{first.needed} more run" in first.sentence
    again = judge_against(levels([0.1] * (1 + first.needed)), [history], rule)
    assert again.verdict is Outcome.PASS, again.sentence


def test_at_the_margin_no_number_of_runs_decides() -> None:
    verdict = judge_against(levels(0.1 * 1.1), [before(spread=0.02)], RULE)
    assert verdict.needed is None
    assert "more runs of it would hardly decide it" in verdict.sentence


@pytest.mark.parametrize("count", [1, 9])
def test_fewer_runs_than_ten_decide_nothing(count: int) -> None:
    verdict = judge_against(levels(10.0), [before(count)], RULE)
    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert verdict.lacking == 10 - count
    assert f"{count} promoted runs before it, and it takes 10 to know how much they differ: {10 - count} more" in (
        verdict.sentence
    )


def test_both_sets_must_hold() -> None:
    rule = BaselineRule(watched=(), relative_margin=0.25)
    latest, anchor = before(at=0.16), before(at=0.1, name="the anchor")
    assert judge_against(levels(0.16), [latest], rule).verdict is Outcome.PASS
    both = judge_against(levels(0.16), [latest, anchor], rule)
    assert both.verdict is Outcome.FAIL
    assert both.decisive is not None
    assert both.decisive.reference == "the anchor"
    assert judge_against(levels(0.1), [latest, anchor], rule).verdict is Outcome.PASS


def test_a_watched_quantile_can_fail_and_holds_nobody_up() -> None:
    rule = BaselineRule()
    history = before()
    tail = {**history.levels, 0.99: [0.3] * 12}
    with_tail = Reference(name="x", levels=tail)
    slow = judge_against({**levels(0.098), 0.99: [0.9]}, [with_tail], rule)
    assert (slow.verdict, slow.decisive.name if slow.decisive else "") == (Outcome.FAIL, "p99")
    short = Reference(name="x", levels={**history.levels, 0.99: [0.3] * 3})
    wide = BaselineRule(relative_margin=0.25)
    assert judge_against({**levels(0.098), 0.99: [0.9]}, [short], wide).verdict is Outcome.PASS


def test_one_odd_run_does_not_hide_a_regression() -> None:
    history = before(20, spread=0.02)
    odd = {level: [*values[:-1], 100.0] for level, values in history.levels.items()}
    assert judge_against(levels(0.15), [Reference(name="x", levels=odd)], RULE).verdict is Outcome.FAIL


def test_runs_that_agree_to_the_digit_are_not_certain() -> None:
    location, spread = location_and_spread(np.log(np.full(10, 0.1)), floor=0.01)
    assert (math.exp(location), spread) == (pytest.approx(0.1), 0.01)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match=r"missing \[0.95\]"):
        judge_against({0.5: [0.1]}, [before()], RULE)
    with pytest.raises(ValueError, match="at least one set"):
        judge_against(levels(0.1), [], RULE)


@given(
    seen=st.floats(0.001, 10),
    history=st.lists(st.floats(0.001, 10), min_size=10, max_size=30),
    margin=st.floats(0.01, 1),
)
def test_never_both_and_slower_is_never_better(seen: float, history: list[float], margin: float) -> None:
    rule = BaselineRule(watched=(), relative_margin=margin)
    reference = [Reference(name="x", levels=levels(history))]
    rank = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.FAIL: 2}
    verdicts = [judge_against(levels(seen * factor), reference, rule) for factor in (1.0, 1.5, 4.0)]
    assert [rank[v.verdict] for v in verdicts] == sorted(rank[v.verdict] for v in verdicts)
    for level in verdicts[0].levels:
        assert level.lower <= level.difference <= level.upper


def share(outcome: Outcome, *, drift: float, effect: float, margin: float = 0.10, runs: int = 10) -> float:
    """Of 500 simulated histories; a run is 500 requests."""
    generator = np.random.default_rng([int(drift * 100), int(effect * 100), runs])
    rule = BaselineRule(watched=(), relative_margin=margin)
    found = 0
    for _ in range(500):
        drifts = drift * generator.standard_normal(runs + 1)
        drifts[-1] += math.log(effect)
        latencies = np.sort(0.1 * np.exp(0.5 * generator.standard_normal((runs + 1, 500)) + drifts[:, None]), axis=1)
        told = {0.5: latencies[:, 250], 0.95: latencies[:, 475]}
        reference = Reference(name="x", levels={level: each[:-1].tolist() for level, each in told.items()})
        seen = {level: each[-1:].tolist() for level, each in told.items()}
        found += judge_against(seen, [reference], rule).verdict is outcome
    return found / 500


@pytest.mark.parametrize("drift", [0.05, 0.10])
def test_false_alarms_are_rare_though_runs_differ(drift: float) -> None:
    assert share(Outcome.FAIL, drift=drift, effect=1.0) <= 0.01


@pytest.mark.parametrize("drift", [0.05, 0.10])
def test_wrong_promotions_are_rare(drift: float) -> None:
    assert share(Outcome.PASS, drift=drift, effect=1.25, margin=0.25, runs=20) <= 0.015


def test_regressions_are_seen() -> None:
    assert share(Outcome.FAIL, drift=0.05, effect=1.5) >= 0.95
    assert share(Outcome.PASS, drift=0.05, effect=1.0, margin=0.25, runs=20) >= 0.7
