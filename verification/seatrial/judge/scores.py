"""How a pair of requests is scored: by where its latencies lie among stable's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seatrial.judge.evidence_value import Tally
from seatrial.judge.exceedance import Latencies
from seatrial.judge.overall import lowered

OVERALL: Final = "overall"


@dataclass(frozen=True, kw_only=True)
class SequentialRule:
    """What counts as slower, and when it is believed. Latencies are in seconds.

    The margin at a latency x is ``max(relative_margin * x, absolute_margin)``. A candidate shown to be slower by more
    than ``tolerated`` of it is rolled back; one shown to be slower by less than all of it is promoted; in between
    neither may be shown, and that is no fault. Either is wrong with probability ``1 - confidence`` at most, however
    often it was looked at.
    """

    relative_margin: float = 0.10
    absolute_margin: float = 0.010
    tolerated: float = 0.5
    confidence: float = 0.99
    levels: tuple[float, ...] = (0.5, 0.8, 0.95)
    block: int = 10
    """Pairs that are summed before they bet, so that what requests share with their neighbours stays inside."""
    least_blocks: int = 20
    """Before which nothing is decided: fewer block sums do not tell their own spread and correlation."""
    warm_up: int = 100
    """Latencies of stable that it takes to know its levels: five beyond p95. They are set anew after as many pairs."""
    ceiling: float = math.inf
    """The timeout. What took as long took at least as long, whatever the clock said."""

    def margin(self, latency: float, share: float = 1.0) -> float:
        """``share`` of what may be added to ``latency``."""
        return share * max(self.relative_margin * latency, self.absolute_margin)

    def moved(self, latencies: Latencies, share: float) -> Latencies:
        """Latencies of which the margin's ``share`` leads back to ``latencies``."""
        return lowered(latencies, share * self.relative_margin, share * self.absolute_margin)


class Scores:
    """Stable's levels, and all of its distribution between its lowest and its highest twentieth.

    They are those of the warm-up until :meth:`renew` sets others for the pairs to come. ``tally`` has a row for each
    score as evidence for a rollback, then for each as evidence for a promotion. ``candidate`` and ``control`` count the
    pairs in which one alone scored higher.
    """

    def __init__(self, rule: SequentialRule, warm_up: Latencies) -> None:
        """Raises ValueError for a latency that is not a number above zero."""
        self._rule = rule
        self._set(self._quantiles(warm_up))
        self.names = (*(f"p{level * 100:g}" for level in rule.levels), OVERALL)
        self.tally = Tally()
        self.candidate = self.control = np.zeros(len(self.names), dtype=np.int64)

    def _quantiles(self, latencies: Latencies) -> Latencies:
        known = _cut(self._rule, checked(latencies))
        return np.asarray(np.quantile(known, (*self._rule.levels, 0.05, 0.95), method="inverted_cdf"))

    def _set(self, quantiles: Latencies) -> None:
        self._levels = quantiles[:-2, None]
        self._low, self._high = (float(each) for each in quantiles[-2:])
        self.latencies = (*quantiles[:-2].tolist(), self._low)

    def renew(self, control: Latencies) -> None:
        """Levels for the pairs to come, of stable's latencies by now; as they were where one would be a failure."""
        quantiles = self._quantiles(control)
        if np.isfinite(quantiles).all():
            self._set(quantiles)

    @property
    def stable_fails(self) -> bool:
        """Whether one of the levels is a failure, so that nothing can be beyond it."""
        return math.isinf(self._high)

    def add(self, control: Latencies, candidate: Latencies) -> None:
        """Whole blocks of pairs, in order of time."""
        rule = self._rule
        control, candidate = _cut(rule, control), _cut(rule, candidate)
        base = self._of(control)
        slower = self._of(rule.moved(candidate, rule.tolerated)) - base
        within = base - self._of(rule.moved(candidate, 1.0))
        self.tally = self.tally.add(np.concatenate((slower, within)), rule.block)
        self.candidate = self.candidate + (slower > 0).sum(axis=1)
        self.control = self.control + (slower < 0).sum(axis=1)

    def _of(self, latencies: Latencies) -> NDArray[np.float64]:
        # Where stable hardly varies, a position of its own would be noise made large: a per cent is what counts.
        width = max(math.log(self._high / self._low), 0.01)
        scores = np.empty((len(self.names), len(latencies)))
        np.greater(latencies, self._levels, out=scores[:-1], casting="unsafe")
        scores[-1] = np.clip(np.log(np.maximum(latencies, self._low) / self._low) / width, 0.0, 1.0)
        return scores


def checked(latencies: Latencies) -> Latencies:
    """As they are. Raises ValueError for a latency that is not a number above zero."""
    if not (latencies > 0).all():
        raise ValueError("expected latencies above zero, in seconds; seen one that is not")
    return latencies


def _cut(rule: SequentialRule, latencies: Latencies) -> Latencies:
    return np.where(latencies >= rule.ceiling, np.inf, latencies)
