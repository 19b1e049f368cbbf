"""Slow leaks: false alarms and detection by simulation with fixed seeds, and what cannot be said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.outcome import Outcome
from seatrial.judge.trend import TrendRule, judge_trend

RULE = TrendRule(relative_margin=0.25)
TIMES = np.linspace(0.0, 600.0, 600)


def latencies(
    generator: np.random.Generator, *, rise: float = 0.0, rho: float = 0.0, spread: float = 0.3
) -> np.ndarray:
    """600 answers around 100 ms, log-normal; the noise of one is kept by the next at ``rho``."""
    noise = generator.normal(size=600)
    for index in range(1, 600):
        noise[index] = rho * noise[index - 1] + np.sqrt(1 - rho**2) * noise[index]
    return 0.1 * (1 + rise * TIMES / 600.0) * np.exp(spread * noise)


def share(verdict: Outcome, **situation: float) -> float:
    generator = np.random.default_rng(7)
    found = [judge_trend(TIMES, latencies(generator, **situation), RULE).verdict for _ in range(300)]
    return found.count(verdict) / 300


@pytest.mark.parametrize("rho", [0.0, 0.7, 0.9])
def test_what_is_level_is_not_called_rising(rho: float) -> None:
    assert share(Outcome.FAIL, rho=rho) <= 0.01


def test_what_is_level_passes() -> None:
    assert share(Outcome.PASS) >= 0.75
    assert share(Outcome.PASS, spread=0.1) == 1.0


@pytest.mark.parametrize(("rise", "least"), [(0.5, 0.95), (1.0, 0.99)])
def test_a_leak_is_seen(rise: float, least: float) -> None:
    assert share(Outcome.FAIL, rise=rise) >= least


def test_a_rise_within_the_margin_is_no_failure() -> None:
    assert share(Outcome.FAIL, rise=0.1) <= 0.01


def test_the_numbers_are_those_of_the_line() -> None:
    trend = judge_trend(TIMES, 0.1 + TIMES * 0.0005, RULE)
    assert trend.verdict is Outcome.FAIL
    assert trend.rise == pytest.approx(0.3, rel=0.01)
    assert trend.level == pytest.approx(0.1, rel=0.05)
    assert (trend.n, trend.blocks) == (600, 20)
    assert trend.p_value < 0.001


def test_a_constant_is_level() -> None:
    trend = judge_trend(TIMES, np.full(600, 5.0), RULE)
    assert (trend.verdict, trend.rise, trend.p_value) == (Outcome.PASS, 0.0, 1.0)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (np.array([]), "0 values"),
        (np.linspace(0, 1, 9), "9 values"),
        (np.full(50, 3.0), "50 values, and it takes at least 10, spread over time"),
        (np.concatenate([np.zeros(40), [600.0]]), "values in 2 of 20 parts"),
    ],
)
def test_too_little_says_nothing(times: np.ndarray, words: str) -> None:
    trend = judge_trend(times, np.ones(len(times)), RULE)
    assert trend.verdict is Outcome.INCONCLUSIVE
    assert words in trend.reason


def test_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        judge_trend(TIMES, np.full(600, np.nan), RULE)


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e6)), min_size=10, max_size=80))
def test_anything_is_judged_and_the_interval_holds_the_rise(seen: list[tuple[float, float]]) -> None:
    times, values = (np.array(part) for part in zip(*seen, strict=True))
    trend = judge_trend(times, values, RULE)
    if not trend.reason:
        assert trend.lower <= trend.rise + 1e-6 * abs(trend.rise) + 1e-9
        assert trend.rise <= trend.upper + 1e-6 * abs(trend.rise) + 1e-9


def teeth(period: float, phase: float, *, leak: float = 0.0) -> np.ndarray:
    """Memory of 200 MiB, of which a garbage collector takes back 60 in every period."""
    return 200 + 60 * ((TIMES / period + phase) % 1) + leak * TIMES / 600


MEMORY = TrendRule(relative_margin=0.10, absolute_margin=16.0, blocks=30)


@pytest.mark.parametrize("period", [7.0, 45.0, 100.0, 250.0, 400.0])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.6])
def test_what_is_collected_is_no_leak(period: float, phase: float) -> None:
    trend = judge_trend(TIMES, teeth(period, phase), MEMORY)
    assert trend.verdict is not Outcome.FAIL, trend


@pytest.mark.parametrize("period", [7.0, 45.0, 100.0])
def test_a_leak_below_the_teeth_is_one(period: float) -> None:
    assert judge_trend(TIMES, teeth(period, 0.3, leak=60.0), MEMORY).verdict is Outcome.FAIL


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(200 + 80 * (1 - np.exp(-TIMES / 100)), id="a cache fills"),
        pytest.param(np.where(TIMES < 250, 200.0, 280.0), id="a model is loaded"),
    ],
)
def test_what_does_not_go_on_is_held_and_said(values: np.ndarray) -> None:
    jitter = np.random.default_rng(3).normal(size=600)
    trend = judge_trend(TIMES, values + jitter, MEMORY)
    assert trend.verdict is Outcome.INCONCLUSIVE
    assert trend.rise < MEMORY.absolute_margin or "does not go on" in trend.note


def test_what_stable_does_too_is_not_the_releases() -> None:
    generator = np.random.default_rng(5)
    mine, stable = (latencies(generator, rise=0.6) for _ in range(2))
    assert judge_trend(TIMES, mine, RULE).verdict is Outcome.FAIL
    trend = judge_trend(TIMES, mine, RULE, beside=(TIMES, stable))
    assert trend.verdict is Outcome.INCONCLUSIVE
    assert "stable's own address" in trend.note


@pytest.mark.parametrize("count", [600, 20, 0])
def test_a_level_stable_hides_no_leak_nor_does_too_little_of_it(count: int) -> None:
    generator = np.random.default_rng(6)
    mine, stable = latencies(generator, rise=0.6), latencies(generator)
    beside = TIMES[:count] * 1.0, stable[:count]
    assert judge_trend(TIMES, mine, RULE, beside=beside).verdict is Outcome.FAIL


def test_half_of_the_margin_is_tolerated() -> None:
    trend = judge_trend(TIMES, 0.1 * (1 + 0.12 * TIMES / 600), TrendRule(relative_margin=0.25))
    assert trend.verdict is Outcome.PASS
