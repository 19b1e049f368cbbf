"""Do requests to the candidate fail more often than they may: against stable, and against the objective?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from seatrial.evidence.outcome import Outcome
from seatrial.judge.proportions import Counts, clean_needed, difference_interval, excess_p_value, rate_interval

LEAST_FAILURES: Final = 3
"""Fewer failures of the candidate roll nothing back, whatever the odds: that many is what a restart of a pod makes."""


@dataclass(frozen=True, kw_only=True)
class ErrorRule:
    """What counts as too many failures.

    ``objective`` is the largest tolerated share of failed requests. Against stable the candidate may be worse by
    ``max(relative_margin * stable's rate, absolute_margin)``; the absolute margin is a tenth of the objective where it
    is not given. Like a slower one, a candidate shown to be worse by more than ``tolerated`` of that is failed.
    """

    objective: float = 0.01
    relative_margin: float = 0.10
    absolute_margin: float | None = None
    tolerated: float = 0.5
    confidence: float = 0.99

    def margin(self, control_rate: float) -> float:
        """How much worse than stable, at this rate of failures, is tolerated."""
        absolute = self.objective / 10 if self.absolute_margin is None else self.absolute_margin
        return max(self.relative_margin * control_rate, absolute)


@dataclass(frozen=True, kw_only=True)
class ErrorVerdict:
    """Conclusion on failures. Rates, difference, bounds and what is tolerated are shares between 0 and 1.

    ``lower`` and ``upper`` bound the candidate's rate, ``difference_lower`` and ``difference_upper`` its difference to
    stable's (NaN without a control). ``needed`` is the number of further clean requests that would pass it, None where
    clean requests are not what is missing.
    """

    verdict: Outcome
    candidate: Counts
    control: Counts | None
    objective: float
    lower: float
    upper: float
    difference: float = math.nan
    difference_lower: float = math.nan
    difference_upper: float = math.nan
    tolerated: float = math.nan
    needed: int | None = 0
    confidence: float
    sentence: str

    @property
    def n(self) -> int:
        """Requests to the candidate."""
        return self.candidate.total


def percent(share: float) -> str:
    """``share`` as a percentage with two decimals, for people."""
    return f"{share:.2%}"


def judge_errors(candidate: Counts, control: Counts | None, rule: ErrorRule) -> ErrorVerdict:
    """Judge the failures of ``candidate``; ``control`` is None where only the objective applies.

    Fails where there are `LEAST_FAILURES`, and the candidate is shown to be worse than stable beyond what is tolerated,
    or shown to be over the objective and worse than stable. Passes where it is shown to be within the objective. Over
    the objective but not shown to be worse than stable is inconclusive: what both share is not the release's doing. The
    probability to fail a candidate no worse than stable, and that to pass one over the objective, are at most
    ``1 - confidence`` each, for requests that fail independently of each other.
    """
    alpha = 1 - rule.confidence
    sided = f"{rule.confidence * 100:.3g}% confidence"
    if candidate.total == 0 or (control is not None and control.total == 0):
        return ErrorVerdict(
            verdict=Outcome.INCONCLUSIVE,
            candidate=candidate,
            control=control,
            objective=rule.objective,
            lower=0.0,
            upper=1.0,
            needed=clean_needed(candidate, rule.objective, alpha=alpha),
            confidence=rule.confidence,
            sentence="no requests were answered or failed on one of the tracks: there is nothing to judge",
        )
    lower, upper = rate_interval(candidate, alpha=alpha)
    seen = f"{candidate} requests failed, {percent(candidate.rate)} [{percent(lower)}, {percent(upper)}]"
    over = lower > rule.objective
    difference = difference_lower = difference_upper = tolerated = math.nan
    worse = over
    if control is not None:
        tolerated = rule.tolerated * rule.margin(control.rate)
        difference = candidate.rate - control.rate
        difference_lower, difference_upper = difference_interval(candidate, control, alpha=alpha)
        # Whoever is shown worse beyond what is tolerated is also shown worse at all, so that for a candidate no worse
        # than stable the two roads to a failure together stay within one allowance for false alarms.
        beyond = excess_p_value(candidate, control, tolerated, alpha=alpha) <= alpha
        worse = beyond or (over and excess_p_value(candidate, control, 0.0, alpha=alpha) <= alpha)
        seen += (
            f", {control} of stable's; difference {difference:+.2%} [{difference_lower:+.2%}, {difference_upper:+.2%}]"
        )
    limit = f"objective {percent(rule.objective)}"
    limit += f", tolerated over stable {percent(tolerated)}" if control is not None else ""
    needed: int | None = 0
    if worse and candidate.failed < LEAST_FAILURES:
        verdict, needed = Outcome.INCONCLUSIVE, None
        sentence = f"too few failures to tell, {LEAST_FAILURES} are the least: {seen}, {limit} ({sided})"
    elif worse:
        verdict = Outcome.FAIL
        sentence = f"too many requests failed: {seen}, {limit} ({sided})"
    elif over:
        verdict, needed = Outcome.INCONCLUSIVE, None
        sentence = f"over the objective, but stable is not shown to be better: {seen}, {limit} ({sided})"
    elif upper <= rule.objective:
        verdict = Outcome.PASS
        sentence = f"failures within the objective: {seen}, {limit} ({sided})"
    else:
        verdict, needed = Outcome.INCONCLUSIVE, clean_needed(candidate, rule.objective, alpha=alpha)
        sentence = f"too few requests to tell: {seen}, {limit} ({sided}); {needed} more clean requests would pass it"
    return ErrorVerdict(
        verdict=verdict,
        candidate=candidate,
        control=control,
        objective=rule.objective,
        lower=lower,
        upper=upper,
        difference=difference,
        difference_lower=difference_lower,
        difference_upper=difference_upper,
        tolerated=tolerated,
        needed=needed,
        confidence=rule.confidence,
        sentence=sentence,
    )
