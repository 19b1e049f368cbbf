"""Do requests to the candidate fail more often than they may? Looked at as often as anybody likes.

Three e-processes on counts of pairs (Ville 1939 bounds them at any time):

* *over*: the candidate's rate against "at most the objective", a Beta mixture (Robbins 1970);
* *worse*: of the pairs of which one request alone failed, the candidate's share against "at most one half", which holds
  where the candidate fails no more often than stable, whatever fails on both at once;
* *beyond*: both tracks' counts against "the candidate's rate is stable's and what is tolerated, at most", the
  likelihood ratio of alternatives to what of that lies nearest to each of them, averaged (Turner, Grunwald 2023, "Exact
  anytime-valid confidence intervals for contingency tables and beyond").

The evidence for a rollback is three quarters of *beyond* and one quarter of the lesser of *over* and *worse*. The
evidence for a promotion is that of the candidate's rate against "at least the objective". Pairs are taken to fail
independently of those before them; that both requests of one fail together only makes the evidence less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import LEAST_FAILURES, ErrorRule, percent
from seatrial.judge.proportions import Counts

BEYOND: Final = 0.75
"""Weight of *beyond* in the evidence for a rollback: it is the one that sees a change from hardly any to a few."""
_STABLE: Final = (0.05, 0.2, 0.8, 3.2, 12.8)
_EXCESS: Final = (0.4, 1.0, 2.5, 6.0, 15.0, 40.0)
"""Alternatives of *beyond*, in objectives: stable's rate, and how far the candidate's is above what is tolerated."""
_MOST_NEEDED: Final = 10_000_000


@dataclass(frozen=True, kw_only=True)
class ErrorLook:
    """What is known by now. ``evidence`` is the e-value for FAIL, ``evidence_within`` that for PASS; each decides at
    ``target``.
    """

    verdict: Outcome
    candidate: Counts
    control: Counts | None
    evidence: float
    evidence_within: float
    target: float
    objective: float

    @property
    def decided(self) -> bool:
        """Whether no further request would change the verdict."""
        return self.verdict is not Outcome.INCONCLUSIVE

    @cached_property
    def needed(self) -> int:
        """How many more requests, all of them clean, would pass it; 0 where it is decided."""
        return 0 if self.decided else _clean_needed(self.candidate, self.objective, self.target)

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

    Raises ValueError where the tracks have not had equally many requests.
    """
    if control is not None and control.total != candidate.total:
        raise ValueError(f"expected pairs; seen {control.total} and {candidate.total} requests")
    target = 1 / (1 - rule.confidence)
    over = _log_above(candidate, rule.objective)
    slower = over
    if control is not None:
        mine, others = alone if alone is not None else (candidate.failed, control.failed)
        # Uniform over all shares above one half.
        worse = _log_mixture(Counts(failed=mine, total=mine + others), 0.5, 1.0, 1.0, above=True)
        beyond = _log_beyond(candidate, control, rule)
        slower = float(np.logaddexp(beyond + math.log(BEYOND), min(over, worse) + math.log(1 - BEYOND)))
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


def _log_beyond(candidate: Counts, control: Counts, rule: ErrorRule) -> float:
    # What is tolerated is the larger of a share and an absolute rate, so that evidence has to be against both. Neither
    # depends on the counts, else the evidence would not hold at any time.
    relative, absolute = rule.tolerated * rule.relative_margin, rule.tolerated * rule.margin(0.0)
    counts = np.array(
        [candidate.failed, candidate.total - candidate.failed, control.failed, control.total - control.failed],
        dtype=np.float64,
    )
    bets = _bets(rule.objective, relative, absolute)
    if not bets[0].size:
        return -math.inf
    return min(_log_mean(counts @ each) for each in bets)


def _log_mean(logs: NDArray[np.float64]) -> float:
    best = float(logs.max())
    return best + math.log(float(np.exp(logs - best).mean()))


@lru_cache(maxsize=32)
def _bets(objective: float, relative: float, absolute: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log likelihood ratios of the alternatives, a column each, for a failure and a clean answer of either track.

    Each alternative is held against the nearest, by Kullback and Leibler, of the rates that are tolerated. At a nearest
    point (p, q) with p = s q + d the ratio is (1 + l (x - p)) (1 - l s (y - q)) in expectation over true rates x and y,
    for some l above zero, which for x <= s y + d is at most 1 - (l s (y - q))^2: no bet against what is tolerated wins.
    """
    stable, excess = (each.ravel() for each in np.meshgrid(np.array(_STABLE), np.array(_EXCESS)))
    stable = stable * objective
    limit = np.maximum(stable * (1 + relative), stable + absolute)
    possible = limit < 0.95
    stable, limit, excess = stable[possible], limit[possible], excess[possible]
    # Rates near one leave no room for an excess: there a share of what is left stands for it.
    worse = limit + np.minimum(excess * objective, 0.9 * (1 - limit))
    relatively: list[NDArray[np.float64]] = []
    absolutely: list[NDArray[np.float64]] = []
    for slope, step, into in ((1 + relative, 0.0, relatively), (1.0, absolute, absolutely)):
        q = _nearest(worse, stable, slope, step)
        p = slope * q + step
        into += [np.log(worse / p), np.log1p(-worse) - np.log1p(-p), np.log(stable / q)]
        into += [np.log1p(-stable) - np.log1p(-q)]
    return np.array(relatively), np.array(absolutely)


def _nearest(worse: NDArray[np.float64], stable: NDArray[np.float64], slope: float, step: float) -> NDArray[np.float64]:
    """Stable's rate q on the edge ``candidate = slope q + step`` that is nearest to each alternative, by bisection."""
    low, high = np.full_like(stable, 1e-12), np.full_like(stable, min((1 - step) / slope, 1.0) - 1e-12)
    for _ in range(60):
        q = (low + high) / 2
        p = slope * q + step
        rising = slope * (p - worse) / (p * (1 - p)) + (q - stable) / (q * (1 - q)) < 0
        low, high = np.where(rising, q, low), np.where(rising, high, q)
    return np.asarray((low + high) / 2, dtype=np.float64)


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
