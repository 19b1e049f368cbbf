"""Is a latency quantile of one track within its objective? For environments where there is nothing to compare with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from seatrial.evidence.outcome import Outcome
from seatrial.judge.blocks import BLOCKS, block_mean
from seatrial.judge.exceedance import Latencies
from seatrial.judge.latency import milliseconds
from seatrial.judge.proportions import Counts, clean_needed, rate_interval

BEYOND: Final = 10
"""Requests that have to be slower than a quantile for it to be told."""


@dataclass(frozen=True, kw_only=True)
class ObjectiveVerdict:
    """Conclusion on one quantile: estimate and interval in seconds, ``beyond`` the share slower than the objective.

    The estimate is NaN where fewer than ``BEYOND`` requests are slower than it: then it is no number worth telling.
    ``design_effect`` is how many of these correlated requests are worth one independent request. ``needed`` is the
    number of further requests within the objective that would pass it.
    """

    verdict: Outcome
    level: float
    objective: float
    seen: float
    lower: float
    upper: float
    beyond: float
    design_effect: float
    n: int
    needed: int
    confidence: float
    sentence: str


def judge_objective(
    latencies: Latencies, level: float, objective: float, *, confidence: float = 0.99, blocks: int = BLOCKS
) -> ObjectiveVerdict:
    """Judge whether the quantile ``level`` of ``latencies`` (seconds, in order of time) is at most ``objective``.

    That is so where at most ``1 - level`` of the requests are slower, which is judged by an exact interval over the
    number of independent requests that the correlated ones are worth.
    """
    n, name, alpha = len(latencies), f"p{level * 100:g}", 1 - confidence
    slower = (latencies > objective).astype(np.float64)
    effect = 1.0
    share = float(slower.mean()) if n else 0.0
    if n >= blocks and 0 < share < 1:
        effect = max(block_mean(slower - share, blocks=blocks).error ** 2 * n / (share * (1 - share)), 1.0)
    worth = math.floor(n / effect)
    counts = Counts(failed=min(round(share * worth), worth), total=worth)
    low, high = rate_interval(counts, alpha=alpha)
    seen, lower, upper = math.nan, 0.0, math.inf
    least = math.ceil(round(BEYOND / (1 - level), 6))
    if worth:
        ordered = np.sort(latencies)
        seen = float(np.quantile(ordered, level)) if n >= least else math.nan
        tail_low, tail_high = rate_interval(Counts(failed=round((1 - level) * worth), total=worth), alpha=alpha)
        first, last = math.floor((1 - tail_high) * n), math.ceil((1 - tail_low) * n)
        lower = float(ordered[first]) if first > 0 else 0.0
        upper = float(ordered[last]) if last < n else math.inf
    known = f"{milliseconds(seen)} ms" if n >= least else f"undecidable (it takes {least} requests to tell it)"
    numbers = (
        f"{name} {known}, {share:.2%} slower than {milliseconds(objective)} ms "
        f"[{low:.2%}, {high:.2%}], allowed {1 - level:.2%} ({confidence * 100:.3g}% confidence, n={n})"
    )
    needed = 0
    if low > 1 - level:
        verdict, sentence = Outcome.FAIL, f"slower than the objective: {numbers}"
    elif high <= 1 - level:
        verdict, sentence = Outcome.PASS, f"within the objective: {numbers}"
    else:
        verdict = Outcome.INCONCLUSIVE
        needed = math.ceil(clean_needed(counts, 1 - level, alpha=alpha) * effect)
        sentence = f"not decided: {numbers}; {needed} more requests within it would"
    return ObjectiveVerdict(
        verdict=verdict,
        level=level,
        objective=objective,
        seen=seen,
        lower=lower,
        upper=upper,
        beyond=share,
        design_effect=effect,
        n=n,
        needed=needed,
        confidence=confidence,
        sentence=sentence,
    )
