"""Days and windows in a policy that are over, or that never are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from seatrial.evidence.run import timestamp
from seatrial.gate import freeze
from seatrial.gate.calendar_file import Ahead
from seatrial.gate.exemption import in_force
from seatrial.gate.lint_names import Level, Told
from seatrial.gate.policy import Freeze, Policy

SOON: Final = dt.timedelta(days=14)
LONG: Final = dt.timedelta(days=366)
_STEP: Final = dt.timedelta(minutes=5)
"""Between two looks for a moment without a freeze; a shorter gap is none that anybody promotes in."""
_WEEK: Final = dt.timedelta(days=7)


def findings(policy: Policy, now: dt.datetime, calendars: Ahead) -> Iterator[Told]:
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
        if window.calendar:
            yield from ((key, words, level) for words, level in _calendar(window, calendars))
        elif not window.weekly and freeze.moment(window, window.until) <= now:
            over = timestamp(freeze.moment(window, window.until))
            yield key, f"is over since {over}, and never holds again", "warning"
        if window in windows[: position - 1]:
            yield key, f"{freeze.spoken(window)} stands there twice", "warning"
    if windows and all(_frozen(policy, now + step * _STEP, calendars) for step in range(_WEEK // _STEP)):
        yield "freeze", "covers all of the next 7 days: nothing can be promoted", "error"


def _calendar(window: Freeze, calendars: Ahead) -> Iterator[tuple[str, Level]]:
    """What is wrong with a window of a calendar, which is as it is now."""
    found = calendars.get((window.calendar, window.zone), "it was not read")
    if isinstance(found, str):
        yield f"{freeze.spoken(window)} cannot be relied on, and the gate holds: {found}", "error"
    elif not found:
        words = f"{freeze.spoken(window)} has no event in the next {LONG.days} days: it never holds until it has one"
        yield words, "warning"


def _frozen(policy: Policy, moment: dt.datetime, calendars: Ahead) -> bool:
    for window in policy.freeze:
        events = calendars.get((window.calendar, window.zone), ())
        if freeze.ends(window, moment) is not None or isinstance(events, str):
            return True
        if any(event.begin <= moment < event.end for event in events):
            return True
    return False
