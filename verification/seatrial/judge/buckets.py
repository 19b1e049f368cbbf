"""Are latencies within their objective, and no worse than stable's, as far as the buckets of a histogram can tell?

A histogram says how many requests took longer than each of its boundaries, and nothing of what lies between two.
Nothing is interpolated here: what a bucket leaves open counts for the candidate before it is failed, and against it
before it is passed. Shares beyond a boundary get the exact interval of a proportion, for requests that are independent
of each other.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass

from seatrial.evidence.outcome import Outcome
from seatrial.judge.latency import milliseconds
from seatrial.judge.proportions import Counts, clean_needed, rate_interval


@dataclass(frozen=True, kw_only=True)
class BucketRule:
    """The quantile ``level`` must be at most ``objective`` seconds (None: not said), and no more than
    ``max(relative_margin * stable's, absolute_margin)`` above stable's.
    """

    level: float = 0.95
    objective: float | None = None
    relative_margin: float = 0.10
    absolute_margin: float = 0.010
    confidence: float = 0.99

    def raised(self, value: float) -> float:
        """What a candidate may take where stable takes ``value``."""
        return value + max(self.relative_margin * value, self.absolute_margin)


@dataclass(frozen=True, kw_only=True)
class BucketVerdict:
    """Conclusion on one quantile. ``lower`` and ``upper`` bound the candidate's quantile in seconds, by boundaries.

    ``beyond_least`` and ``beyond_most`` are the requests that took longer than the objective: the same number where it
    is a boundary. ``needed`` is how many more fast requests would pass it; None where they would not.
    """

    verdict: Outcome
    n: int
    lower: float
    upper: float
    beyond_least: int
    beyond_most: int
    objective: float | None
    needed: int | None
    sentence: str


def judge_buckets(
    candidate: Mapping[tuple[float, float], int], control: Mapping[tuple[float, float], int] | None, rule: BucketRule
) -> BucketVerdict:
    """Judge one quantile of ``candidate``; ``control`` is None where only the objective applies.

    Both are counts by range of seconds, open below. It fails where the candidate is shown slower than stable beyond the
    margin, or over the objective and, where there is a control, slower than it. It passes where it is shown within the
    objective; without an objective, where it is shown to be no slower than stable beyond the margin. The probability to
    fail a candidate that is no worse than it may be, or to pass one that is, is at most ``1 - confidence``.
    """
    alpha, tail = 1 - rule.confidence, 1 - rule.level
    n = sum(candidate.values())
    lower, upper = quantile_bounds(candidate, rule.level, alpha=alpha)
    least, most = (0, n) if rule.objective is None else beyond(candidate, rule.objective)

    def over(limit: float, level: float) -> bool:
        failed = beyond(candidate, limit)[0]
        return rate_interval(Counts(failed=failed, total=n), alpha=level)[0] > tail

    def within(limit: float, level: float) -> bool:
        failed = beyond(candidate, limit)[1]
        return rate_interval(Counts(failed=failed, total=n), alpha=level)[1] <= tail

    objective_broken = rule.objective is not None and over(rule.objective, alpha)
    objective_met = rule.objective is not None and within(rule.objective, alpha)
    worse, no_worse = objective_broken, False
    limits = "" if rule.objective is None else f", objective {milliseconds(rule.objective)} ms"
    if control is not None:
        # Both of the control's bound and the candidate's share must hold: each gets half of what may go wrong.
        control_lower, control_upper = quantile_bounds(control, rule.level, alpha=alpha / 2)
        beyond_margin = over(rule.raised(control_upper), alpha / 2)
        worse = beyond_margin or (objective_broken and over(control_upper, alpha / 2))
        no_worse = within(rule.raised(control_lower), alpha / 2)
        limits += f", stable's {_range(control_lower, control_upper)} of {sum(control.values())} requests"
    name = f"p{rule.level * 100:g}"
    numbers = f"{name} {_range(lower, upper)} of {n} requests{limits} ({rule.confidence:.0%} confidence)"
    needed: int | None = 0
    if worse:
        verdict, sentence = Outcome.FAIL, f"too slow: {numbers}"
    elif objective_met or (rule.objective is None and no_worse):
        verdict, sentence = Outcome.PASS, f"fast enough: {numbers}"
    else:
        verdict, needed, why = _undecided(n, least, most, rule, objective_broken=objective_broken)
        sentence = f"{why}: {numbers}"
    if rule.objective is not None and least != most:
        sentence += (
            f"; {milliseconds(rule.objective)} ms lies inside of a bucket, so between {least} and {most} were slower"
        )
    return BucketVerdict(
        verdict=verdict,
        n=n,
        lower=lower,
        upper=upper,
        beyond_least=least,
        beyond_most=most,
        objective=rule.objective,
        needed=needed,
        sentence=sentence,
    )


def _undecided(
    n: int, least: int, most: int, rule: BucketRule, *, objective_broken: bool
) -> tuple[Outcome, int | None, str]:
    tail = 1 - rule.level
    if objective_broken:
        return Outcome.INCONCLUSIVE, None, "over the objective, but stable is not shown to be faster"
    if rule.objective is None:
        return Outcome.INCONCLUSIVE, None, "not shown to be as fast as stable: too few requests or too coarse buckets"
    if most > tail * n >= least and most > least:
        return Outcome.INCONCLUSIVE, None, "the buckets are too coarse to tell"
    needed = clean_needed(Counts(failed=most, total=n), tail, alpha=1 - rule.confidence)
    return Outcome.INCONCLUSIVE, needed, f"not decided, {needed} more requests within it would pass it"


def beyond(buckets: Mapping[tuple[float, float], int], limit: float) -> tuple[int, int]:
    """How many observations were certainly, and how many possibly, larger than ``limit``."""
    certain = sum(count for (lower, _), count in buckets.items() if lower >= limit)
    possible = sum(count for (_, upper), count in buckets.items() if upper > limit)
    return certain, possible


def quantile_bounds(buckets: Mapping[tuple[float, float], int], level: float, *, alpha: float) -> tuple[float, float]:
    """Boundaries between which the true quantile lies; each is wrong at most with probability ``alpha``.

    0 and infinity where the counts show nothing.
    """
    total, tail = sum(buckets.values()), 1 - level
    if not total:
        return 0.0, math.inf
    edges = sorted({edge for bounds in buckets for edge in bounds if math.isfinite(edge) and edge > 0})

    def reached(edge: float) -> bool:
        failed = beyond(buckets, edge)[0]
        return rate_interval(Counts(failed=failed, total=total), alpha=alpha)[0] <= tail

    def passed(edge: float) -> bool:
        failed = beyond(buckets, edge)[1]
        return rate_interval(Counts(failed=failed, total=total), alpha=alpha)[1] <= tail

    # What lies beyond shrinks from edge to edge, so that both turn from false to true once.
    first, last = bisect.bisect_left(edges, True, key=reached), bisect.bisect_left(edges, True, key=passed)
    return edges[first - 1] if first else 0.0, edges[last] if last < len(edges) else math.inf


def _range(lower: float, upper: float) -> str:
    if math.isinf(upper):
        return f"above {milliseconds(lower)} ms" if lower else "not bounded"
    return f"between {milliseconds(lower)} and {milliseconds(upper)} ms"
