"""What users would have met in a drill, who come at a steady pace: failed requests, and the longest time without."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from seatrial.drill.probing import Probe
from seatrial.environment.units import format_duration
from seatrial.evidence.drill import Users
from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule, judge_errors, percent
from seatrial.judge.proportions import Counts

CERTAIN: Final = 0.95


def users_of(probes: Sequence[Probe], *, begin: float, end: float, rate: float) -> tuple[Users, ...]:
    """Of looks at ``rate`` a second each, between two moments, by address."""
    return tuple(
        _at(name, [probe for probe in probes if probe.where == name and probe.at <= end], begin, end, rate)
        for name in dict.fromkeys(probe.where for probe in probes)
    )


def _at(where: str, probes: Sequence[Probe], begin: float, end: float, rate: float) -> Users:
    asked = failed = 0
    for probe in probes:
        if probe.end >= begin:
            came = max(1, math.floor((min(probe.end, end) - max(probe.at, begin)) * rate))
            asked += came
            failed += came if probe.error else 0
    good = [probe.end for probe in probes if not probe.error]
    # From the last good answer before, and to the end where none followed.
    edges = [max((at for at in good if at <= begin), default=begin), *(at for at in good if begin < at < end), end]
    gap = max(later - earlier for earlier, later in pairwise(edges))
    return Users(where=where, asked=asked, failed=failed, gap=round(gap, 3))


def told(users: Sequence[Users]) -> str:
    """For people, of all addresses together."""
    failed, asked = sum(one.failed for one in users), sum(one.asked for one in users)
    gap = max((one.gap for one in users), default=0.0)
    return f"users meanwhile: {failed} of {asked} requests failed, {gap:.1f} s at most without a good answer"


def too_much(users: Users, *, error_rate: float, max_gap: float) -> str:
    """What users would have met there that is not tolerated; empty where all is, or no more is shown.

    That more failed than may is said where three did and it is shown at 99 %: a drill is short.
    """
    found = []
    verdict = judge_errors(Counts(failed=users.failed, total=users.asked), None, ErrorRule(objective=error_rate))
    if verdict.verdict is Outcome.FAIL:
        found.append(f"{users.failed} of {users.asked} requests of users failed, {percent(error_rate)} may")
    if users.gap > max_gap:
        allowed = format_duration(max_gap)
        found.append(f"no good answer for {users.gap:.1f} s, and {allowed} are allowed")
    return f"{users.where}: {', '.join(found)}" if found else ""


def looks_for(share: float) -> int:
    """Answers in a row without another version that leave it no more than ``share`` of users, at 95 %."""
    return max(1, math.ceil(math.log(1 - CERTAIN) / math.log1p(-share)))


def left_by(looks: int) -> float:
    """The largest share that another version may still have after so many answers without it, at 95 %."""
    return float(1 - (1 - CERTAIN) ** (1 / looks))
