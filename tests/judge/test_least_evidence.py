"""The least on which a release is taken back by itself: one less never does, and what is healthy hardly ever.

Health is looked at in `tests/checks/test_smoke.py`, and the platform's own counters beside their Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import LEAST_FAILURES, ErrorRule, judge_errors
from seatrial.judge.proportions import Counts, rate_interval
from seatrial.judge.sequential import SequentialJudge, SequentialRule
from seatrial.judge.sequential_errors import look_at_errors
from seatrial.judge.trend import TrendRule, judge_trend
from seatrial.rollout.assess import users_served
from seatrial.rollout.story import Story
from seatrial.rollout.traffic import Seen

RULE = ErrorRule(objective=0.01)
LATENCY = SequentialRule()
TREND = TrendRule()


def looked_at(failed: int) -> Outcome:
    return look_at_errors(Counts(failed=failed, total=failed), Counts(failed=0, total=failed), RULE).verdict


def at_the_end(failed: int) -> Outcome:
    return judge_errors(Counts(failed=failed, total=failed), Counts(failed=0, total=500), RULE).verdict


def objective_alone(failed: int) -> Outcome:
    return judge_errors(Counts(failed=failed, total=failed), None, RULE).verdict


def users_at_night(failed: int) -> Outcome:
    """All that few users asked failed."""
    seen = [Seen(kind="fresh", user=0, at=float(one), took=0.1, error="http-503") for one in range(failed)]
    story = Story(strategy="canary", stable="1.4.2", candidate="1.5.0", seen=seen)
    return users_served.run(story, Objectives(), 30.0).outcome


def pairs(count: int) -> Outcome:
    """Looks at a candidate that takes ten times as long in each of so many pairs."""
    noise = np.exp(0.1 * np.random.default_rng(1).normal(size=(3, count)))
    judge = SequentialJudge(LATENCY, 0.1 * np.exp(0.1 * np.random.default_rng(2).normal(size=LATENCY.warm_up)))
    return judge.feed(0.1 * noise[0], 1.0 * noise[1]).verdict


def parts(count: int) -> Outcome:
    """Memory that grows sevenfold, seen in so many of the parts of the time."""
    times = np.arange(count, dtype=np.float64)
    return judge_trend(times, 1 + 6 * times / count + 0.1 * np.random.default_rng(4).random(count), TREND).verdict


@pytest.mark.parametrize(
    ("judge", "least"),
    [
        pytest.param(looked_at, 8, id="error-rate while it is watched"),
        pytest.param(at_the_end, LEAST_FAILURES, id="error-rate at the end"),
        pytest.param(objective_alone, LEAST_FAILURES, id="error-rate, nothing to compare with"),
        pytest.param(users_at_night, LEAST_FAILURES, id="three requests at night"),
        pytest.param(pairs, LATENCY.least_blocks * LATENCY.block, id="latency"),
        pytest.param(parts, TREND.least_blocks, id="trend"),
    ],
)
def test_one_less_than_the_least_never_takes_back(judge: Callable[[int], Outcome], least: int) -> None:
    assert judge(least - 1) is Outcome.INCONCLUSIVE
    assert judge(least) is Outcome.FAIL


def test_fewer_failures_than_the_least_are_none_however_few_requests_there_were() -> None:
    """Beside a stable that fails none it even takes eight, as the first row says."""
    for total in range(1, 60):
        for failed in range(min(LEAST_FAILURES, total + 1)):
            look = look_at_errors(Counts(failed=failed, total=total), Counts(failed=0, total=total), RULE)
            assert look.verdict is not Outcome.FAIL


LOOKS, EACH, RUNS, HEALTHY = 10, 60, 2000, 0.001


def share(taken_back: Sequence[bool]) -> tuple[float, float]:
    """Of the runs, and its upper bound at 95 %."""
    count = sum(taken_back)
    return count / len(taken_back), rate_interval(Counts(failed=count, total=len(taken_back)), alpha=0.05)[1]


def ours(candidate: np.ndarray, stable: np.ndarray) -> bool:
    """Looked at after each sixty requests, and once more at the end; with too few failures there is nothing to see."""
    if candidate.sum() < LEAST_FAILURES:
        return False
    for look in range(1, LOOKS + 1):
        both = (Counts(failed=int(each[: look * EACH].sum()), total=look * EACH) for each in (candidate, stable))
        if look_at_errors(*both, RULE).verdict is Outcome.FAIL:
            return True
    ended = (Counts(failed=int(each.sum()), total=LOOKS * EACH) for each in (candidate, stable))
    return judge_errors(*ended, RULE).verdict is Outcome.FAIL


def static(candidate: np.ndarray) -> bool:
    """At each look 99 % of the latest sixty requests must succeed."""
    return bool((candidate.reshape(LOOKS, EACH).mean(axis=1) > 0.01).any())


def test_a_healthy_build_survives_ten_looks_which_a_static_rule_does_not_grant_it() -> None:
    generator = np.random.default_rng(11)
    draws = generator.random((RUNS, 2, LOOKS * EACH)) < HEALTHY
    false_alarms, at_most = share([ours(candidate, stable) for candidate, stable in draws])
    assert false_alarms < 0.01
    assert at_most < 0.01
    statically, _ = share([static(candidate) for candidate, _ in draws])
    # One failure among sixty is more than 1 %, and ten looks meet one in 1 - 0.999^600 of runs.
    assert statically == pytest.approx(1 - 0.999**600, abs=0.03)
