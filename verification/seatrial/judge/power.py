"""What a budget of requests can see, said before any is sent, from pairs that were measured lately.

The evidence of :mod:`seatrial.judge.evidence_value` grows by about ``log(1 + d^2) / 2`` a block, where ``d`` is what
the change adds to a block's sum, in its standard deviations, and scatters about that by ``d / sqrt(1 + d^2)`` a root of
a block. It has to pass the limit, and what mixing over scores and effect sizes costs. The test on the whole at the end
(:mod:`seatrial.judge.overall`) has to pass the critical value of its t; whichever takes fewer is what is planned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from seatrial.judge.blocks import BLOCKS, critical_t
from seatrial.judge.evidence_value import EFFECTS, Floats
from seatrial.judge.exceedance import Latencies
from seatrial.judge.overall import WHOLE
from seatrial.judge.scores import Scores, SequentialRule

LARGEST: Final = 10.0
"""Changes beyond eleven times as slow are not looked for."""
LATEST: Final = 20_000
"""Pairs that a plan is made of, the latest; more would not tell a spread any better."""
_LEAST_AT_THE_END: Final = 200
"""Pairs of which p95 can be told, below which the end compares nothing."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What ``pairs`` pairs see with probability ``power``, and what it takes to see ``effect``.

    ``visible`` is the smallest such change as a share (0.25 is a quarter slower), None where there is none below
    ``LARGEST``. ``needed`` are the pairs that it takes to see ``effect``, None where no number does, since the change
    lies within what is tolerated.
    """

    pairs: int
    effect: float
    power: float
    measured: int
    visible: float | None
    needed: int | None

    def __str__(self) -> str:
        spread = f"with the spread of {self.measured} pairs measured lately"
        seen = f"{self.visible:+.0%}" if self.visible is not None else f"nothing below {LARGEST:+.0%}"
        if self.needed is None:
            return f"{spread} a change of {self.effect:+.0%} is within what is tolerated; {self.pairs} pairs see {seen}"
        return (
            f"{spread} it takes {self.needed} pairs to see {self.effect:+.0%}; the budget of {self.pairs} sees {seen}"
        )


def plan(
    control: Latencies,
    candidate: Latencies,
    rule: SequentialRule,
    *,
    pairs: int,
    at_the_end: float | None = None,
    effect: float = 0.25,
    power: float = 0.9,
) -> Plan:
    """From pairs of two equal releases, in order of time, latencies in seconds; ``pairs`` is the budget.

    ``at_the_end`` is the confidence of the verdict at the end; None where there are looks alone.

    Raises ValueError for unequal lengths, and for fewer pairs than the warm-up and the least that decides.
    """
    least = rule.warm_up + rule.least_blocks * rule.block
    control, candidate = (latencies[-LATEST:] for latencies in (control, candidate))
    if len(control) != len(candidate) or len(control) < least:
        raise ValueError(f"expected at least {least} pairs, seen {len(control)} and {len(candidate)} latencies")

    def enough(change: float) -> int | None:
        effects = _block_effects(control, candidate, rule, change)
        ways = [_pairs_by_looks(float(effects.max()), rule, power)]
        if at_the_end is not None:
            ways.append(_pairs_by_the_end(float(effects[-1]), rule, power, 1 - at_the_end))
        return min((way for way in ways if way is not None), default=None)

    low, high = 0.0, LARGEST
    best = enough(high)
    visible: float | None = None
    if best is not None and best <= pairs:
        while high - low > 0.002 * (1 + low):
            middle = (low + high) / 2
            needed = enough(middle)
            low, high = (low, middle) if needed is not None and needed <= pairs else (middle, high)
        visible = high
    return Plan(pairs=pairs, effect=effect, power=power, measured=len(control), visible=visible, needed=enough(effect))


def _block_effects(control: Latencies, candidate: Latencies, rule: SequentialRule, change: float) -> Floats:
    """What ``change`` adds to a block's sum, in its standard deviations, of each score; the overall one is last."""
    whole = slice(rule.warm_up, len(control) - (len(control) - rule.warm_up) % rule.block)
    # How far the change moves a score shows best on stable itself; how much it scatters shows between the two.
    moved, scattered = (Scores(rule, control[: rule.warm_up]) for _ in range(2))
    moved.add(control[whole], control[whole] * (1 + change))
    scattered.add(control[whole], candidate[whole] * (1 + change))
    rows = len(moved.names)
    mean, deviation = moved.tally.mean[:rows], scattered.tally.deviation[:rows]
    return np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0)


def _pairs_by_the_end(effect: float, rule: SequentialRule, power: float, alpha: float) -> int | None:
    """Pairs until the test on the whole passes its critical value with probability ``power``; None where never."""
    if effect <= 0.01:
        return None
    critical = critical_t(alpha * WHOLE, BLOCKS - 1)
    # Standard deviation of a noncentral t where it has to be on the critical value (Johnson, Welch 1940).
    scatter = math.sqrt(1 + critical**2 / (2 * (BLOCKS - 1)))
    root = (critical + float(stats.norm.ppf(power)) * scatter) / effect
    return max(math.ceil(root**2) * rule.block, _LEAST_AT_THE_END)


def _pairs_by_looks(effect: float, rule: SequentialRule, power: float) -> int | None:
    """Pairs until the evidence passes the limit with probability ``power``; None where it never does."""
    if effect <= 0.01:
        return None
    limit = math.log(1 / (1 - rule.confidence)) + math.log(len(EFFECTS)) + math.log(2)
    growth, scatter = math.log1p(effect**2) / 2, effect / math.sqrt(1 + effect**2)
    z = float(stats.norm.ppf(power))
    # growth * n - z * scatter * sqrt(n) = limit, for the root of n.
    root = (z * scatter + math.sqrt((z * scatter) ** 2 + 4 * growth * limit)) / (2 * growth)
    return max(int(np.ceil(root**2)), rule.least_blocks) * rule.block
