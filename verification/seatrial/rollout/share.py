"""The share of traffic that a version gets, against the one that was asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seatrial.judge.proportions import Counts, rate_interval
from seatrial.rollout.traffic import Seen

ALPHA: Final = 0.001


@dataclass(frozen=True, kw_only=True)
class Share:
    """``candidate`` of ``total`` fresh users; bounds as shares, each wrong at most with probability ``alpha``."""

    candidate: int
    total: int
    lower: float
    upper: float

    def allows(self, weight: float) -> bool:
        """Whether a weight in percent may be the true one."""
        return self.lower <= weight / 100 <= self.upper

    def __str__(self) -> str:
        rate = self.candidate / self.total if self.total else math.nan
        return f"{self.candidate} of {self.total}, {rate:.1%} [{self.lower:.1%}, {self.upper:.1%}]"


def share_of(seen: Sequence[Seen], version: str, *, alpha: float = ALPHA) -> Share:
    """How many of the fresh users whose answer names a version got ``version`` (Clopper and Pearson 1934)."""
    told = [one for one in seen if one.kind == "fresh" and one.version]
    count = sum(one.version == version for one in told)
    lower, upper = rate_interval(Counts(failed=count, total=len(told)), alpha=alpha)
    return Share(candidate=count, total=len(told), lower=lower, upper=upper)


def users_needed(weight: float) -> int:
    """Fresh users before a weight in percent is believed: so many that none on the rarer side would refute it.

    30 at least, and 1000 at most: weights below 0.7 % are believed sooner than that.
    """
    rarer = min(weight, 100 - weight) / 100
    # One more than the bound itself asks for: there the upper bound of nothing seen is the weight.
    return 30 if rarer <= 0 else max(30, min(math.ceil(math.log(ALPHA / 2) / math.log1p(-rarer)) + 1, 1000))
