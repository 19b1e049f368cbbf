import math

import numpy as np
import pytest
from scipy.signal import lfilter

from seatrial.evidence.outcome import Outcome
from seatrial.judge.blocks import block_mean
from seatrial.judge.exceedance import quantile_interval
from seatrial.judge.latency import LatencyRule, compare_latency
from seatrial.judge.objective import judge_objective

RULE = LatencyRule(ceiling=5.0)


def noise(generator, n, correlation):
    innovations = generator.standard_normal(n + 200) * math.sqrt(1 - correlation**2)
    return lfilter([1.0], [1.0, -correlation], innovations)[200:]


def verdicts(*, runs, n=500, spread=0.25, correlation=0.7, effect=1.0, base=0.1, rule=RULE, seed=7):
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        stable, candidate = (base * np.exp(spread * noise(generator, n, correlation)) for _ in range(2))
        found.append(compare_latency(stable, candidate * effect, rule).verdict)
    return {outcome: found.count(outcome) / runs for outcome in Outcome}


@pytest.mark.parametrize("spread", [0.1, 0.25, 0.5])
def test_equal_releases_raise_at_most_one_false_alarm_in_a_hundred(spread):
    assert verdicts(runs=120, spread=spread)[Outcome.FAIL] <= 0.01


def test_a_change_of_exactly_the_margin_is_called_a_regression_about_as_rarely_as_promised():
    # 200 runs at 1 %: more than 7 has a probability below 0.2 %.
    tight = LatencyRule(relative_margin=1e-9, absolute_margin=1e-9)
    assert verdicts(runs=200, rule=tight)[Outcome.FAIL] <= 7 / 200


def test_equal_releases_of_a_fast_service_pass():
    assert verdicts(runs=60, base=0.02, spread=0.15, correlation=0.3)[Outcome.PASS] == 1.0
    assert verdicts(runs=60, base=0.02, spread=0.15)[Outcome.PASS] >= 0.97


@pytest.mark.parametrize(
    ("effect", "spread", "at_least"),
    [(2.0, 0.1, 1.0), (2.0, 0.25, 1.0), (2.0, 0.5, 0.99), (1.25, 0.1, 1.0), (1.5, 0.25, 0.99)],
)
def test_regressions_are_found(effect, spread, at_least):
    assert verdicts(runs=100, effect=effect, spread=spread)[Outcome.FAIL] >= at_least


def test_twenty_five_percent_at_a_wide_spread_is_found_with_enough_pairs():
    generator = np.random.default_rng(3)
    found = 0
    for _ in range(40):
        shared = noise(generator, 2500, 0.7)
        stable, candidate = (
            0.1 * np.exp(0.5 * math.sqrt(0.5) * (shared + noise(generator, 2500, 0.7))) for _ in range(2)
        )
        found += compare_latency(stable, 1.25 * candidate, RULE).verdict is Outcome.FAIL
    assert found >= 39


def test_below_the_absolute_margin_a_doubling_is_no_news():
    assert verdicts(runs=50, base=0.001, effect=2.0, correlation=0.3)[Outcome.PASS] == 1.0


def test_the_interval_covers_the_true_difference():
    generator = np.random.default_rng(11)
    true = 0.1 * (math.exp(0.3 * 1.6449) * 0.2)
    inside = 0
    for _ in range(100):
        stable, candidate = (0.1 * np.exp(0.3 * generator.standard_normal(600)) for _ in range(2))
        lower, upper = quantile_interval(stable, 1.2 * candidate, 0.95, alpha=0.05)
        inside += lower <= true <= upper
    assert inside / 100 >= 0.84  # nominal 90 %, 100 draws


def test_a_tail_of_timeouts_fails_although_the_median_is_equal():
    generator = np.random.default_rng(5)
    stable, candidate = (0.02 * np.exp(0.1 * generator.standard_normal(500)) for _ in range(2))
    candidate[generator.random(500) < 0.1] = 5.0
    verdict = compare_latency(stable, candidate, RULE)
    assert verdict.verdict is Outcome.FAIL
    assert verdict.decisive.name == "p95"
    assert verdict.decisive.candidate == 5.0
    assert verdict.decisive.lower > 4.9


def test_a_control_that_times_out_is_no_control():
    generator = np.random.default_rng(5)
    stable, candidate = (0.02 * np.exp(0.1 * generator.standard_normal(500)) for _ in range(2))
    stable[generator.random(500) < 0.1] = 5.0
    verdict = compare_latency(stable, candidate, RULE)
    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert "nothing to compare with" in verdict.sentence
    assert verdict.needed is None


def test_too_few_pairs_say_how_many_are_needed():
    verdict = compare_latency(np.full(120, 0.02), np.full(120, 0.02), RULE)
    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert verdict.needed == 80
    assert [level.reason == "" for level in verdict.levels] == [True, False, False]


def test_no_pairs_are_inconclusive():
    assert compare_latency(np.array([]), np.array([]), RULE).verdict is Outcome.INCONCLUSIVE


def test_p99_is_judged_only_where_there_are_enough_pairs():
    for n, known in ((999, False), (1000, True)):
        levels = {level.name: level for level in compare_latency(np.full(n, 0.02), np.full(n, 0.02), RULE).levels}
        assert (levels["p99"].reason == "") is known


def test_the_number_of_pairs_asked_for_decides():
    generator = np.random.default_rng(2)

    def draw(n):
        return [0.1 * np.exp(0.4 * generator.standard_normal(n)) * effect for effect in (1, 1.15)]

    first = compare_latency(*draw(300), RULE)
    assert first.verdict is Outcome.INCONCLUSIVE
    assert first.needed is not None
    again = [compare_latency(*draw(300 + 2 * first.needed), RULE).verdict for _ in range(20)]
    assert again.count(Outcome.FAIL) >= 12


def test_identical_constant_latencies_pass():
    verdict = compare_latency(np.full(500, 0.02), np.full(500, 0.02), RULE)
    assert verdict.verdict is Outcome.PASS


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="expected pairs; seen 3 and 2"):
        compare_latency(np.ones(3), np.ones(2), RULE)


def test_the_verdict_is_a_function_of_the_samples():
    generator = np.random.default_rng(9)
    stable, candidate = generator.random(500), generator.random(500)
    assert compare_latency(stable, candidate, RULE) == compare_latency(stable.copy(), candidate.copy(), RULE)


def test_block_means_widen_for_correlated_series():
    generator = np.random.default_rng(1)
    errors = []
    for correlation in (0.0, 0.8):
        draws = [block_mean(noise(generator, 1000, correlation)).error for _ in range(50)]
        errors.append(float(np.median(draws)))
    assert errors[1] / errors[0] == pytest.approx(3.0, rel=0.3)  # sqrt((1 + 0.8) / (1 - 0.8))


@pytest.mark.parametrize(
    ("scale", "n", "verdict"),
    [(0.02, 500, Outcome.PASS), (0.2, 500, Outcome.FAIL), (0.06, 500, Outcome.INCONCLUSIVE), (0.02, 80, "needs 10")],
)
def test_objective(scale, n, verdict):
    latencies = scale * np.exp(0.3 * np.random.default_rng(4).standard_normal(n))
    found = judge_objective(latencies, 0.95, 0.1)
    if verdict == "needs 10":
        assert (found.verdict, found.needed) == (Outcome.INCONCLUSIVE, 10)
    else:
        assert found.verdict is verdict
        assert found.lower <= found.seen <= found.upper


def test_objective_trusts_correlated_requests_less():
    latencies = 0.06 * np.exp(0.3 * noise(np.random.default_rng(4), 1000, 0.95))
    found = judge_objective(latencies, 0.95, 0.1)
    assert found.design_effect > 2
    assert judge_objective(np.array([]), 0.95, 0.1).verdict is Outcome.INCONCLUSIVE


def test_a_quarter_slower_with_nothing_shared_is_found_on_the_whole():
    found = verdicts(runs=60, n=600, spread=0.5, correlation=0.0, effect=1.25)
    assert found[Outcome.FAIL] >= 58 / 60


def test_what_is_found_on_the_whole_alone_says_so():
    generator = np.random.default_rng(1)
    stable, candidate = (0.1 * np.exp(0.5 * generator.standard_normal(600)) for _ in range(2))
    verdict = compare_latency(stable, 1.25 * candidate, RULE)
    assert verdict.by_overall is not None
    assert verdict.sentence.startswith(
        f"slower than stable by more than is tolerated: at least {verdict.by_overall.least:+.1%} overall, where +5."
    )
    assert 0.05 < verdict.by_overall.least < 0.25


def test_what_is_shown_within_the_margin_passes_although_it_is_beyond_what_is_tolerated():
    generator = np.random.default_rng(1)
    stable, candidate = (0.2 * np.exp(0.05 * generator.standard_normal(3000)) for _ in range(2))
    verdict = compare_latency(stable, 1.08 * candidate, RULE)
    assert verdict.overall is not None
    assert verdict.overall.slower
    assert verdict.verdict is Outcome.PASS


def test_noise_of_each_track_that_lasts_is_no_regression():
    assert verdicts(runs=100, n=600, spread=0.5, correlation=0.9)[Outcome.FAIL] <= 0.02


def test_an_objective_of_p99_is_undecidable_below_a_thousand_requests():
    latencies = 0.02 * np.exp(0.3 * np.random.default_rng(4).standard_normal(999))
    found = judge_objective(latencies, 0.99, 0.1)
    assert math.isnan(found.seen)
    assert "p99 undecidable (it takes 1000 requests to tell it)" in found.sentence
    assert found.verdict is Outcome.PASS  # that no more than one in a hundred is slower takes 459
    assert "nan" not in found.sentence
