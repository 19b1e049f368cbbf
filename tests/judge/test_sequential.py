"""The judge that looks as often as it likes: laws that hold for any data, and a few fixed simulations."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.signal import lfilter

from seatrial.evidence.outcome import Outcome
from seatrial.judge.evidence_value import EFFECTS, Tally, log_evidence
from seatrial.judge.exceedance import Latencies
from seatrial.judge.power import plan
from seatrial.judge.scores import SequentialRule
from seatrial.judge.sequential import SequentialJudge

RULE = SequentialRule(ceiling=5.0)


def draw(seed: int, pairs: int, *, effect: float = 1.0, spread: float = 0.3, rho: float = 0.0) -> list[Latencies]:
    """Latencies of both tracks around 100 ms, and 150 of stable before."""
    generator = np.random.default_rng(seed)
    noise = [
        lfilter([1.0], [1.0, -rho], generator.standard_normal(size + 200) * math.sqrt(1 - rho**2))[200:]
        for size in (150, pairs, pairs)
    ]
    warm_up, stable, candidate = (0.1 * np.exp(spread * each) for each in noise)
    return [warm_up, stable, candidate * effect]


def verdicts(runs: int, **how: float) -> dict[Outcome, float]:
    found = []
    for seed in range(runs):
        warm_up, stable, candidate = draw(seed, 600, **how)
        found.append(SequentialJudge(RULE, warm_up).feed(stable, candidate).verdict)
    return {outcome: found.count(outcome) / runs for outcome in Outcome}


@pytest.mark.parametrize("direction", [(2, 1.2), (8, 2.0), (30, 4.0), (200, -3.0)])
def test_the_evidence_is_the_bayes_factor_of_the_t_test(direction: tuple[int, float]) -> None:
    n, c = direction
    tally = Tally(blocks=n, total=np.array([c]), squares=np.ones(1), values=n, single=np.ones(1))
    exact = [
        integrate.quad(
            lambda r, d=d: np.exp(stats.chi.logpdf(r, n) + d * c * r - n * d**2 / 2),
            max(0.0, math.sqrt(n) - 10),
            math.sqrt(n) + 30,
            limit=500,
        )[0]
        for d in EFFECTS
    ]
    assert log_evidence(tally)[0] == pytest.approx(math.log(np.mean(exact)), abs=2e-3)


def test_nothing_is_evidence_of_nothing() -> None:
    assert log_evidence(Tally()) == 0.0
    assert log_evidence(Tally().add(np.zeros((1, 50)))) == 0.0


def test_correlated_blocks_count_for_less() -> None:
    generator = np.random.default_rng(3)
    values = generator.standard_normal(64) + 0.6
    shuffled, sorted_ = Tally().add(values[None]), Tally().add(np.sort(values)[None])
    assert sorted_.correlation > 0.5 > shuffled.correlation
    assert log_evidence(sorted_) < log_evidence(shuffled)


class TestVerdicts:
    def test_equal_releases_are_hardly_ever_rolled_back(self) -> None:
        for rho in (0.0, 0.9):
            assert verdicts(100, rho=rho)[Outcome.FAIL] <= 0.02

    def test_slower_ones_are(self) -> None:
        assert verdicts(40, effect=1.5)[Outcome.FAIL] == 1.0
        assert verdicts(40, effect=1.25)[Outcome.FAIL] >= 0.95

    def test_a_change_of_the_margin_is_not_promoted(self) -> None:
        assert verdicts(40, effect=1.10)[Outcome.PASS] == 0.0

    def test_equal_ones_of_little_spread_are_promoted(self) -> None:
        assert verdicts(40, spread=0.05)[Outcome.PASS] >= 0.9

    def test_timeouts_are_slow_whatever_the_clock_said(self) -> None:
        warm_up, stable, candidate = draw(1, 600)
        candidate[::4] = 5.0
        assert SequentialJudge(RULE, warm_up).feed(stable, candidate).verdict is Outcome.FAIL
        stable[::4] = 5.0
        assert SequentialJudge(RULE, warm_up).feed(stable, candidate).verdict is not Outcome.FAIL

    def test_a_slow_tail_is_seen_where_the_median_is_not(self) -> None:
        warm_up, stable, candidate = draw(2, 3000)
        candidate[candidate > np.quantile(candidate, 0.9)] *= 2
        look = SequentialJudge(RULE, warm_up).feed(stable, candidate)
        assert look.verdict is Outcome.FAIL
        assert max(look.scores, key=lambda score: score.log_e).name == "p95"


@pytest.mark.parametrize("slow", [5, 10, 20])
def test_a_slow_start_of_stable_does_not_keep_a_good_candidate_from_being_promoted(slow: int) -> None:
    """Five of a hundred are all that is beyond p95: the level is then one that no request reaches afterwards."""
    after = []
    for seed in range(10):
        warm_up, stable, candidate = draw(seed, 1500, spread=0.1)
        warm_up[:slow] = 0.6
        look = SequentialJudge(replace(RULE, relative_margin=5.0), warm_up[:100]).feed(stable, candidate)
        assert look.verdict is Outcome.PASS
        after.append(look.n)
    assert np.median(after) <= 700


def test_the_levels_are_those_of_the_pairs_once_there_are_enough() -> None:
    warm_up, stable, candidate = draw(1, 400)
    judge = SequentialJudge(replace(RULE, confidence=1 - 1e-12), 3 * warm_up)
    told = [judge.feed(stable[n : n + 10], candidate[n : n + 10]).scores[0].latency for n in range(0, 400, 10)]
    halves = [np.quantile(stable[:n], 0.5, method="inverted_cdf") for n in (100, 200)]
    # A look after n pairs tells the levels that those pairs were scored by.
    assert told[:10] == [pytest.approx(3 * np.quantile(warm_up, 0.5, method="inverted_cdf"))] * 10
    assert told[10:20] == [halves[0]] * 10
    assert told[20:] == [halves[1]] * 20


def test_a_stable_that_begins_to_fail_keeps_its_levels() -> None:
    warm_up, stable, candidate = draw(1, 600)
    stable[::10] = candidate[::10] = 5.0
    look = SequentialJudge(RULE, warm_up).feed(stable, candidate)
    assert all(math.isfinite(score.latency) for score in look.scores)
    assert math.isfinite(look.evidence)


class TestWords:
    def test_a_rollback_says_what_was_counted(self) -> None:
        warm_up, stable, candidate = draw(1, 600, effect=1.5)
        look = SequentialJudge(RULE, warm_up).feed(stable, candidate)
        assert look.explanation.startswith(
            f"slower than stable by more than is tolerated after {look.n} pairs: evidence "
        )
        assert "against a limit of 100" in look.explanation
        assert look.needed == 0

    def test_what_is_open_says_how_many_more(self) -> None:
        warm_up, stable, candidate = draw(1, 100, effect=1.3)
        look = SequentialJudge(RULE, warm_up).feed(stable, candidate)
        assert look.verdict is Outcome.INCONCLUSIVE
        assert look.needed is not None
        assert look.needed > 0
        assert f"about {look.needed} more pairs" in look.explanation

    def test_too_short_a_warm_up_judges_nothing(self) -> None:
        warm_up, stable, candidate = draw(1, 600, effect=3.0)
        look = SequentialJudge(RULE, warm_up[:99]).feed(stable, candidate)
        assert look.verdict is Outcome.INCONCLUSIVE
        assert look.explanation == "not judged: 99 latencies of stable in the warm-up, and it takes at least 100"

    def test_a_stable_that_fails_judges_nothing(self) -> None:
        warm_up, stable, candidate = draw(1, 600)
        warm_up[::10] = 5.0
        look = SequentialJudge(RULE, warm_up).feed(stable, candidate)
        assert "there is nothing to compare with" in look.explanation


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan])
def test_what_is_no_latency_is_refused(wrong: float) -> None:
    warm_up, stable, candidate = draw(1, 20)
    candidate[3] = wrong
    with pytest.raises(ValueError, match="above zero"):
        SequentialJudge(RULE, warm_up).feed(stable, candidate)
    with pytest.raises(ValueError, match="expected pairs; seen 20 and 19"):
        SequentialJudge(RULE, warm_up).feed(stable, candidate[1:])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(1, 399), max_size=6), effect=st.floats(0.7, 1.6))
def test_in_how_many_pieces_pairs_come_changes_nothing(seed: int, cuts: list[int], effect: float) -> None:
    warm_up, stable, candidate = draw(seed, 400, effect=effect)
    whole = SequentialJudge(RULE, warm_up).feed(stable, candidate)
    pieces = SequentialJudge(RULE, warm_up)
    edges = [0, *sorted(set(cuts)), 400]
    for begin, end in itertools.pairwise(edges):
        pieces.feed(stable[begin:end], candidate[begin:end])
    assert pieces.look.verdict is whole.verdict
    assert pieces.look.n == whole.n
    assert pieces.look.evidence == pytest.approx(whole.evidence)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100.0), effect=st.floats(0.7, 1.6))
def test_the_unit_does_not_matter(seed: int, scale: float, effect: float) -> None:
    def verdict(factor: float) -> tuple[Outcome, int]:
        warm_up, stable, candidate = (each * factor for each in draw(seed, 400, effect=effect))
        look = SequentialJudge(SequentialRule(absolute_margin=0.01 * factor), warm_up).feed(stable, candidate)
        return look.verdict, look.n

    assert verdict(scale) == verdict(1.0)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), faster=st.floats(0.3, 0.999))
def test_a_faster_candidate_is_never_more_suspect(seed: int, faster: float) -> None:
    warm_up, stable, candidate = draw(seed, 190, effect=1.1)
    slow = SequentialJudge(RULE, warm_up).feed(stable, candidate)
    fast = SequentialJudge(RULE, warm_up).feed(stable, candidate * faster)
    for before, after in zip(slow.scores, fast.scores, strict=True):
        assert after.candidate <= before.candidate


class TestPlan:
    def test_more_spread_takes_more_pairs(self) -> None:
        needed = []
        for spread in (0.1, 0.3, 0.6):
            _, stable, candidate = draw(5, 1500, spread=spread)
            needed.append(plan(stable, candidate, RULE, pairs=600).needed)
        assert needed == sorted(needed)

    def test_a_larger_budget_sees_a_smaller_change(self) -> None:
        _, stable, candidate = draw(5, 1500, spread=0.5)
        seen = [plan(stable, candidate, RULE, pairs=pairs).visible for pairs in (300, 600, 5000)]
        assert None not in seen
        assert seen == sorted(seen, reverse=True)

    def test_what_is_tolerated_is_never_seen(self) -> None:
        _, stable, candidate = draw(5, 1500)
        told = plan(stable, candidate, RULE, pairs=600, effect=0.02)
        assert told.needed is None
        assert "within what is tolerated" in str(told)

    def test_the_sentence(self) -> None:
        _, stable, candidate = draw(5, 1500, spread=0.5)
        told = plan(stable, candidate, RULE, pairs=300)
        assert str(told) == (
            f"with the spread of 1500 pairs measured lately it takes {told.needed} pairs to see +25%; "
            f"the budget of 300 sees {told.visible:+.0%}"
        )

    def test_too_few_pairs_plan_nothing(self) -> None:
        with pytest.raises(ValueError, match="expected at least 300 pairs, seen 50 and 50"):
            plan(np.full(50, 0.1), np.full(50, 0.1), RULE, pairs=100)
