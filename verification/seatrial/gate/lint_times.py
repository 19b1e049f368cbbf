"""Days and windows in a policy that are over, or that never are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from seatrial.evidence.run import timestamp
from seatrial.gate import freeze
from seatrial.gate.exemption import in_force
from seatrial.gate.lint_names import Told
from seatrial.gate.policy import Policy

SOON: Final = dt.timedelta(days=14)
LONG: Final = dt.timedelta(days=366)
_STEP: Final = dt.timedelta(minutes=5)
"""Between two looks for a moment without a freeze; a shorter gap is none that anybody promotes in."""
_WEEK: Final = dt.timedelta(days=7)


def findings(policy: Policy, now: dt.datetime) -> Iterator[Told]:
    """Exemptions that are over, soon over, or for ever; freezes that are over, doubled, or cover all time."""
    today = now.astimezone(dt.UTC).date()
    for name, entries in (("waivers", policy.waivers), ("quarantine", policy.quarantine)):
        for position, entry in enumerate(entries, start=1):
            key = f"{name}[{position}]"
            if not in_force(entry, now):
                yield key, f"{entry.match} is over since {entry.expires} ({entry.owner}): it exempts nothing", "error"
            elif entry.expires - today <= SOON:
                yield key, f"{entry.match} is over after {entry.expires} ({entry.owner})", "warning"
            elif entry.expires - today > LONG:
                yield key, f"{entry.match} holds until {entry.expires}: that is a rule, not an exemption", "error"
    windows = policy.freeze
    for position, window in enumerate(windows, start=1):
        key = f"freeze[{position}]"
        if not window.weekly and freeze.moment(window, window.until) <= now:
            over = timestamp(freeze.moment(window, window.until))
            yield key, f"is over since {over}, and never holds again", "warning"
        if window in windows[: position - 1]:
            yield key, f"{freeze.spoken(window)} stands there twice", "warning"
    if windows and all(_frozen(policy, now + step * _STEP) for step in range(_WEEK // _STEP)):
        yield "freeze", "covers all of the next 7 days: nothing can be promoted", "error"


def _frozen(policy: Policy, moment: dt.datetime) -> bool:
    return any(freeze.ends(window, moment) is not None for window in policy.freeze)
