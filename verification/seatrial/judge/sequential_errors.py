"""Do requests to the candidate fail more often than they may? Looked at as often as anybody likes.

Three e-processes on counts, all of them Beta mixtures (Robbins 1970; Ville 1939 bounds them at any time):

* *over*: the candidate's rate against "at most the objective";
* *worse*: of the pairs of which one request alone failed, the candidate's share against "at most one half", which holds
  where the candidate fails no more often than stable, whatever fails on both at once;
* *beyond*: both tracks' counts against "the candidate's rate is at most stable's and the margin", as a mixture over all
  rates divided by the largest likelihood that allows (universal inference: Wasserman, Ramdas, Balakrishnan 2020).

The evidence for a rollback is the average of *beyond* and of the lesser of *over* and *worse*. The evidence for a
promotion is that of the candidate's rate against "at least the objective". Requests are taken to fail independently of
those before them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule, percent
from seatrial.judge.proportions import Counts

LEAST_FAILURES: Final = 3
"""Fewer failures of the candidate roll nothing back, whatever the odds: that many is what a restart of a pod makes."""
_POINTS: Final = 400
_MOST_NEEDED: Final = 10_000_000


@dataclass(frozen=True, kw_only=True)
class ErrorLook:
    """What is known by now. ``evidence`` is the e-value for FAIL, ``evidence_within`` that for PASS; each decides at
    ``target``. ``needed`` is how many more requests, all of them clean, would pass it; 0 where it is decided.
    """

    verdict: Outcome
    candidate: Counts
    control: Counts | None
    evidence: float
    evidence_within: float
    target: float
    needed: int
    objective: float

    @property
    def decided(self) -> bool:
        """Whether no further request would change the verdict."""
        return self.verdict is not Outcome.INCONCLUSIVE

    @property
    def explanation(self) -> str:
        """One paragraph: what was counted, what it is worth, and what it would take."""
        words = {
            Outcome.FAIL: "too many requests failed",
            Outcome.PASS: "failures within the objective",
        }.get(self.verdict, "too few requests to tell")
        seen = f"{self.candidate} requests failed"
        seen += f", {self.control} of stable's" if self.control is not None else ""
        value = self.evidence_within if self.verdict is Outcome.PASS else self.evidence
        left = "" if self.decided else f"; {self.needed} more clean requests would pass it"
        return (
            f"{words}: {seen}, objective {percent(self.objective)}, evidence {value:.3g} against a limit of "
            f"{self.target:.0f}{left}"
        )


def look_at_errors(
    candidate: Counts, control: Counts | None, rule: ErrorRule, *, alone: tuple[int, int] | None = None
) -> ErrorLook:
    """Judge the counts so far; ``control`` is None where only the objective applies.

    ``alone`` are the pairs in which only the candidate's, and only stable's request failed; without it failures are
    taken never to have met in a pair. What once is decided should be kept: a later look may be weaker.
    """
    target = 1 / (1 - rule.confidence)
    over = _log_above(candidate, rule.objective)
    slower = over
    if control is not None:
        mine, others = alone if alone is not None else (candidate.failed, control.failed)
        # Uniform over all shares above one half.
        worse = _log_mixture(Counts(failed=mine, total=mine + others), 0.5, 1.0, 1.0, above=True)
        beyond = _log_beyond(candidate, control, rule.margin(control.rate) if control.total else 1.0, rule.objective)
        slower = float(np.logaddexp(beyond, min(over, worse))) - math.log(2)
    within = _log_below(candidate, rule.objective)
    verdict = Outcome.INCONCLUSIVE
    if slower >= math.log(target) and candidate.failed >= LEAST_FAILURES:
        verdict = Outcome.FAIL
    elif within >= math.log(target):
        verdict = Outcome.PASS
    return ErrorLook(
        verdict=verdict,
        candidate=candidate,
        control=control,
        evidence=math.exp(min(slower, 700.0)),
        evidence_within=math.exp(min(within, 700.0)),
        target=target,
        needed=0 if verdict is not Outcome.INCONCLUSIVE else _clean_needed(candidate, rule.objective, target),
        objective=rule.objective,
    )


def _log_likelihood(counts: Counts, rate: float) -> float:
    return float(special.xlogy(counts.failed, rate) + special.xlog1py(counts.total - counts.failed, -rate))


def _log_mixture(counts: Counts, limit: float, a: float, b: float, *, above: bool) -> float:
    """Log likelihood ratio of a Beta(a, b), cut off to one side of ``limit``, against ``limit`` itself."""
    tail = special.betaincc if above else special.betainc
    x, y = counts.failed + a, counts.total - counts.failed + b
    share = float(tail(x, y, limit))
    if share <= 0:
        return -math.inf
    return float(
        special.betaln(x, y)
        + math.log(share)
        - special.betaln(a, b)
        - math.log(float(tail(a, b, limit)))
        - _log_likelihood(counts, limit)
    )


def _log_above(counts: Counts, objective: float) -> float:
    # Rates that matter lie a few objectives above it; a flat mixture would spend itself on rates near one.
    return _log_mixture(counts, objective, 1.0, 1 / (3 * objective), above=True)


def _log_below(counts: Counts, objective: float) -> float:
    return _log_mixture(counts, objective, 1.0, 1.0, above=False)


def _log_beyond(candidate: Counts, control: Counts, margin: float, objective: float) -> float:
    if margin >= 1:
        return -math.inf
    # A mixture over each rate, which need not know where the rates are, but that they are about the objective's size.
    rest = 0.5 / objective
    mixed = sum(
        float(special.betaln(one.failed + 0.5, one.total - one.failed + rest) - special.betaln(0.5, rest))
        for one in (candidate, control)
    )
    # The largest likelihood with candidate <= stable + margin: free where the seen rates allow it, else on its edge.
    if candidate.rate <= control.rate + margin:
        return mixed - _log_likelihood(candidate, candidate.rate) - _log_likelihood(control, control.rate)
    low, high = 0.0, 1.0 - margin
    for _ in range(3):
        rates = np.linspace(low, high, _POINTS)
        logs = (
            special.xlogy(control.failed, rates)
            + special.xlog1py(control.total - control.failed, -rates)
            + special.xlogy(candidate.failed, rates + margin)
            + special.xlog1py(candidate.total - candidate.failed, -(rates + margin))
        )
        best = int(np.argmax(logs))
        low, high = rates[max(best - 1, 0)], rates[min(best + 1, _POINTS - 1)]
    return mixed - float(logs[best])


def _clean_needed(counts: Counts, objective: float, target: float) -> int:
    def enough(more: int) -> bool:
        return _log_below(Counts(failed=counts.failed, total=counts.total + more), objective) >= math.log(target)

    above = 1
    while not enough(above):
        if above > _MOST_NEEDED:
            return above
        above *= 2
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        below, above = (below, middle) if enough(middle) else (middle, above)
    return above
