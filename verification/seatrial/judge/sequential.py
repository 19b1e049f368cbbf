"""Is the candidate slower than stable? Looked at as often as anybody likes, while the load still runs.

Pairs of requests, one to each track, come in order of time. Each pair is scored by where its latencies lie among those
that stable alone had before it, in a warm-up at first: beyond the median or not, beyond p80 or not, beyond p95 or not,
and, for all of the distribution together, how far on the way from its lowest to its highest twentieth. The candidate's
latencies are moved down by what is tolerated before they are scored. Were the candidate no slower than stable by more
than that, no score of it would be higher than stable's on average, so the sums over blocks of pairs would not lie above
zero. Each score bets against that (:mod:`seatrial.judge.evidence_value`), and the average of the bets is the evidence
for a rollback; the score of all together, which sees a change of all requests soonest, has half of the weight in it.
The evidence for a promotion is the same with the sign turned and the whole margin instead of the tolerance, of the
score that shows it least.

A service that has just been asked for the first time is slower than it will be, and p95 of a hundred requests is told
by the five slowest: one hiccup in the warm-up, and no request afterwards is beyond it, so that nothing is learnt of the
tail. Therefore the levels are set anew by stable's latencies in the pairs themselves after a hundred of them, and each
time that they are twice as many. Pairs are scored by what was known before them, which is what the promise rests on.

What a pair shares cancels in it. What requests to one track share with those after them ends up inside a block, or
widens the variance where it outlasts one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seatrial.evidence.outcome import Outcome
from seatrial.judge.evidence_value import log_evidence
from seatrial.judge.exceedance import Latencies
from seatrial.judge.latency import milliseconds
from seatrial.judge.scores import OVERALL, Scores, SequentialRule, checked

_WEIGHT: Final = 0.5
"""Of the overall score in the evidence for a rollback; the levels share the rest."""
_EVERY: Final = 200
"""Blocks up to which each is looked at; then a look for each hundredth more, since little changes in between."""
_RENEWED: Final = 3200
"""Pairs up to which stable's levels are set anew; its p95 is known well enough by then."""


@dataclass(frozen=True, kw_only=True)
class Discordant:
    """Pairs of which one alone was beyond a level of stable's, the candidate's latency lowered by what is tolerated.
    ``latency`` is that level's by now, in seconds.
    """

    name: str
    latency: float
    candidate: int
    control: int
    log_e: float
    """Natural logarithm of this score's evidence for a rollback."""
    log_e_within: float
    """The same of its evidence for a promotion."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is known after ``n`` pairs.

    ``verdict`` is FAIL where the candidate is shown to be slower, PASS where it is shown not to be, INCONCLUSIVE until
    then. ``evidence`` is the e-value for FAIL and ``evidence_within`` that for PASS; each decides at ``target``.
    ``needed`` is how many more pairs would probably decide it at the pace so far; 0 where it is decided, None where
    there is no pace.
    """

    verdict: Outcome
    n: int
    evidence: float
    evidence_within: float
    target: float
    scores: tuple[Discordant, ...]
    needed: int | None
    reason: str = ""
    """Why nothing can be said at all; empty where something can."""

    @property
    def decided(self) -> bool:
        """Whether no further pair would change the verdict."""
        return self.verdict is not Outcome.INCONCLUSIVE

    @property
    def explanation(self) -> str:
        """One paragraph: what was counted, what it is worth, and what it took."""
        if self.reason:
            return f"not judged: {self.reason}"
        strongest = max(self.scores, key=lambda score: score.log_e)
        weakest = min(self.scores, key=lambda score: score.log_e_within)
        if self.verdict is Outcome.FAIL:
            begin, score = "slower than stable by more than is tolerated", strongest
            value, other = self.evidence, f"the strongest score is {score.name}"
        elif self.verdict is Outcome.PASS:
            begin, score = "not slower than stable by the margin", weakest
            value, other = self.evidence_within, f"the weakest score is {score.name}"
        else:
            begin = "neither shown slower than stable nor shown not to be"
            score = strongest if self.evidence > self.evidence_within else weakest
            value, other = max(self.evidence, self.evidence_within), f"the score that counts is {score.name}"
        counted = (
            f": beyond it, {milliseconds(score.latency)} ms by now, were {score.candidate} times the candidate alone "
            f"and {score.control} times stable alone"
            if score.name != OVERALL
            else ""
        )
        left = "" if self.decided or self.needed is None else f"; about {self.needed} more pairs would decide it"
        return (
            f"{begin} after {self.n} pairs: evidence {_odds(value)} against a limit of {self.target:.0f}; "
            f"{other}{counted}{left}"
        )


def _odds(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}" if value < 1e6 else "above 1,000,000"


class SequentialJudge:
    """Takes pairs in order of time, in pieces of any size, and says what they come to. Keeps sums, not samples."""

    def __init__(self, rule: SequentialRule, warm_up: Latencies) -> None:
        """``warm_up`` are latencies of stable alone, in seconds, before the first pair.

        Raises ValueError for a latency that is not a number above zero.
        """
        self._rule = rule
        self._scores = Scores(rule, warm_up) if len(warm_up) >= rule.warm_up else None
        self._rest = (np.empty(0), np.empty(0))
        self._n = 0
        self._past: list[Latencies] = []
        self._renewed_at = rule.warm_up
        self._reason = ""
        if self._scores is None:
            self._reason = f"{len(warm_up)} latencies of stable in the warm-up, and it takes at least {rule.warm_up}"
        elif self._scores.stable_fails:
            self._reason = "one in twenty requests to stable failed in the warm-up: there is nothing to compare with"
        self._look = self._looked()

    @property
    def look(self) -> Look:
        """The latest."""
        return self._look

    def feed(self, control: Latencies, candidate: Latencies) -> Look:
        """Further pairs: ``control[i]`` and ``candidate[i]`` are the latencies of one, in seconds, failures at least
        the timeout. What is decided stays decided, at the pair where it was.

        Raises ValueError for arrays of unequal length, or a latency that is not a number above zero.
        """
        if len(control) != len(candidate):
            raise ValueError(f"expected pairs; seen {len(control)} and {len(candidate)} latencies")
        if self._look.decided or self._reason or self._scores is None:
            return self._look
        pairs = [np.concatenate(both) for both in zip(self._rest, map(checked, (control, candidate)), strict=True)]
        size = self._rule.block
        whole = len(pairs[0]) // size
        self._rest = (pairs[0][whole * size :], pairs[1][whole * size :])
        begin = 0
        while begin < whole and not self._look.decided:
            seen = self._n // size
            # Nothing is decided before the least of blocks, so they need no look of their own.
            ahead = seen // 100 if seen >= _EVERY else self._rule.least_blocks - seen
            if self._renewed_at <= _RENEWED:
                ahead = min(ahead, math.ceil((self._renewed_at - self._n) / size))
            step = max(1, min(whole - begin, ahead))
            part = slice(begin * size, (begin + step) * size)
            self._scores.add(pairs[0][part], pairs[1][part])
            self._n += step * size
            begin += step
            self._look = self._looked()
            self._renew(self._scores, pairs[0][part])
        return self._look

    def _renew(self, scores: Scores, control: Latencies) -> None:
        """Set the levels by what stable did in the pairs themselves, each time that these are twice as many."""
        if self._renewed_at > _RENEWED:
            return
        self._past.append(control)
        if self._n < self._renewed_at:
            return
        scores.renew(np.concatenate(self._past))
        while self._renewed_at <= self._n:
            self._renewed_at *= 2
        if self._renewed_at > _RENEWED:
            self._past.clear()

    def _looked(self) -> Look:
        rule = self._rule
        target = 1 / (1 - rule.confidence)
        look = Look(
            verdict=Outcome.INCONCLUSIVE,
            n=self._n,
            evidence=1.0,
            evidence_within=1.0,
            target=target,
            scores=(),
            needed=None,
            reason=self._reason,
        )
        if self._reason or self._scores is None or not self._n:
            return look
        found = self._scores
        logs = log_evidence(found.tally)
        scores = tuple(
            Discordant(
                name=name,
                latency=found.latencies[row],
                candidate=int(found.candidate[row]),
                control=int(found.control[row]),
                log_e=float(logs[row]),
                log_e_within=float(logs[row + len(found.names)]),
            )
            for row, name in enumerate(found.names)
        )
        best = max(score.log_e for score in scores)
        shares = [_WEIGHT if score.name == OVERALL else (1 - _WEIGHT) / (len(scores) - 1) for score in scores]
        slower = best + math.log(
            sum(share * math.exp(score.log_e - best) for share, score in zip(shares, scores, strict=True))
        )
        within = min(score.log_e_within for score in scores)
        look = replace(look, scores=scores, evidence=_exp(slower), evidence_within=_exp(within))
        blocks = self._n // rule.block
        goal = math.log(target)
        if blocks >= rule.least_blocks and slower >= goal:
            return replace(look, verdict=Outcome.FAIL, needed=0)
        if blocks >= rule.least_blocks and within >= goal:
            return replace(look, verdict=Outcome.PASS, needed=0)
        pace = max(slower, within) / blocks
        if pace <= 0:
            return look
        further = max(math.ceil((goal - max(slower, within)) / pace), rule.least_blocks - blocks, 1)
        return replace(look, needed=further * rule.block)


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))
