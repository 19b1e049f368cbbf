import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule, judge_errors
from seatrial.judge.proportions import Counts, clean_needed, difference_interval, excess_p_value, rate_interval

RULE = ErrorRule()


def counts(failed, total):
    return Counts(failed=failed, total=total)


@pytest.mark.parametrize(
    ("candidate", "control", "verdict", "needed"),
    [
        ((0, 500), (0, 500), Outcome.PASS, 0),
        ((0, 459), (0, 459), Outcome.PASS, 0),
        ((0, 458), (0, 458), Outcome.INCONCLUSIVE, 1),
        ((1, 500), (0, 500), Outcome.INCONCLUSIVE, 162),
        ((50, 500), (0, 500), Outcome.FAIL, 0),
        ((50, 500), (50, 500), Outcome.INCONCLUSIVE, None),
        ((0, 500), (50, 500), Outcome.PASS, 0),
        ((500, 500), (0, 500), Outcome.FAIL, 0),
        ((500, 500), (500, 500), Outcome.INCONCLUSIVE, None),
        ((30, 3000), (3, 3000), Outcome.FAIL, 0),
        ((0, 500), None, Outcome.PASS, 0),
        ((50, 500), None, Outcome.FAIL, 0),
        ((0, 100), None, Outcome.INCONCLUSIVE, 359),
        ((0, 0), None, Outcome.INCONCLUSIVE, 459),
        ((0, 500), (0, 0), Outcome.INCONCLUSIVE, 0),
    ],
)
def test_verdicts(candidate, control, verdict, needed):
    found = judge_errors(counts(*candidate), None if control is None else counts(*control), RULE)
    assert (found.verdict, found.needed) == (verdict, needed), found.sentence
    assert found.sentence


def shares(n, candidate, stable, runs=60, seed=1):
    generator = np.random.default_rng(seed)
    seen: dict[tuple[int, int], Outcome] = {}
    found = []
    for pair in zip(generator.binomial(n, candidate, runs), generator.binomial(n, stable, runs), strict=True):
        key = (int(pair[0]), int(pair[1]))
        if key not in seen:
            seen[key] = judge_errors(counts(key[0], n), counts(key[1], n), RULE).verdict
        found.append(seen[key])
    return {outcome: found.count(outcome) / runs for outcome in Outcome}


def test_ten_percent_errors_are_always_found():
    assert shares(500, 0.1, 0.001)[Outcome.FAIL] == 1.0


def test_one_percent_against_a_tenth_is_found_within_three_thousand_requests():
    assert shares(3000, 0.01, 0.001)[Outcome.FAIL] >= 0.95


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.01, 0.05, 0.1])
def test_equal_rates_raise_false_alarms_about_as_rarely_as_promised(rate):
    # 60 runs at 1 %: more than 3 has a probability of 0.3 %.
    assert shares(500, rate, rate)[Outcome.FAIL] <= 3 / 60


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_the_test_of_a_difference_is_exact(rate):
    """The true probability of rejecting a true hypothesis, summed over all outcomes, stays below the level."""
    n, shift, alpha = 60, 0.02, 0.01
    size = 0.0
    ours, theirs = (stats.binom.pmf(np.arange(n + 1), n, share) for share in (rate + shift, rate))
    for i in range(n + 1):
        for j in range(n + 1):
            weight = ours[i] * theirs[j]
            if weight > 1e-6 and excess_p_value(counts(i, n), counts(j, n), shift, alpha=alpha) <= alpha:
                size += weight
    assert size <= alpha


def test_clopper_pearson_against_scipy():
    for failed, total in ((0, 30), (3, 30), (30, 30)):
        theirs = stats.binomtest(failed, total).proportion_ci(0.98, method="exact")
        assert rate_interval(counts(failed, total), alpha=0.01) == pytest.approx((theirs.low, theirs.high))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(60, 120), st.integers(0, 60), st.integers(60, 120))
def test_the_interval_of_a_difference_holds_the_estimate_and_mirrors(i, n, j, m):
    one, other = counts(i, n), counts(j, m)
    lower, upper = difference_interval(one, other, alpha=0.01)
    assert lower <= one.rate - other.rate <= upper
    assert difference_interval(other, one, alpha=0.01) == pytest.approx((-upper, -lower))


@given(st.integers(0, 20), st.integers(20, 2000))
def test_clean_needed_is_the_smallest_number(failed, total):
    more = clean_needed(counts(failed, total), 0.01, alpha=0.01)
    assert rate_interval(counts(failed, total + more), alpha=0.01)[1] <= 0.01
    if more:
        assert rate_interval(counts(failed, total + more - 1), alpha=0.01)[1] > 0.01


def test_a_count_cannot_exceed_its_total():
    with pytest.raises(ValueError, match="3 of 2"):
        counts(3, 2)
