"""When nothing is promoted: windows between two times, of every week by the clocks of a place, and of a calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from seatrial.evidence.run import timestamp
from seatrial.gate import cause as reasons
from seatrial.gate.calendar_file import CalendarLook
from seatrial.gate.cause import Cause
from seatrial.gate.policy import Freeze, Policy

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK: Final = 7 * 24 * 60
"""Minutes."""


def answers(policy: Policy, now: dt.datetime, calendars: Iterable[CalendarLook]) -> Iterator[Cause]:
    """A cause for every window that ``now`` lies in, and for every calendar that cannot say whether it does."""
    known = {(look.calendar, look.zone): look for look in calendars}
    for window in policy.freeze:
        if window.calendar:
            yield from _by_calendar(window, known.get((window.calendar, window.zone)))
            continue
        end = ends(window, now)
        if end is not None:
            reason = reasons.FROZEN if window.allow_rollback else reasons.FROZEN_WHOLE
            yield reason.cause(f"nothing is promoted until {timestamp(end)} ({spoken(window)}): {window.reason}")


def _by_calendar(window: Freeze, look: CalendarLook | None) -> Iterator[Cause]:
    problem = "it was not read" if look is None else look.problem
    if problem:
        words = f"{spoken(window)} cannot be relied on, so it is not known whether there is a freeze: {problem}"
        yield reasons.NO_CALENDAR.cause(words)
        if not window.allow_rollback:
            yield reasons.FROZEN_WHOLE.cause(f"{spoken(window)} may say so ({window.reason})")
    for event in look.windows if look is not None else ():
        reason = reasons.FROZEN if window.allow_rollback else reasons.FROZEN_WHOLE
        words = f"{spoken(window)}, {event.summary}"
        yield reason.cause(f"nothing is promoted until {timestamp(event.end)} ({words}): {window.reason}")


def ends(window: Freeze, now: dt.datetime) -> dt.datetime | None:
    """When the window that ``now`` lies in ends; None where it lies in none. The end itself is outside.

    Of a calendar it is not known here.
    """
    if window.calendar:
        return None
    zone = ZoneInfo(window.zone or "UTC")
    if not window.weekly:
        since, until = (moment(window, time) for time in (window.since, window.until))
        return until if since <= now < until else None
    begin, end = weekly_minutes(window.weekly)
    # By the wall: a week with a change of the clocks is an hour longer or shorter, and its Friday is still Friday.
    local = now.astimezone(zone).replace(tzinfo=None)
    minute = local.weekday() * 24 * 60 + local.hour * 60 + local.minute
    if (minute - begin) % _WEEK >= (end - begin) % _WEEK:
        return None
    to_go = dt.timedelta(minutes=(end - minute) % _WEEK)
    return (local.replace(second=0, microsecond=0) + to_go).replace(tzinfo=zone).astimezone(dt.UTC)


def weekly_minutes(weekly: str) -> tuple[int, int]:
    """Begin and end of ``Fri 16:00 to Mon 06:00`` in minutes from the begin of Monday."""

    def minutes(text: str) -> int:
        day, clock = text.split(" ")
        hour, minute = clock.split(":")
        return DAYS.index(day) * 24 * 60 + int(hour) * 60 + int(minute)

    begin, end = weekly.split(" to ")
    return minutes(begin), minutes(end)


def spoken(window: Freeze) -> str:
    """The window in one line."""
    zone = f" {window.zone}" if window.zone else ""
    if window.calendar:
        return f"calendar {window.calendar}"
    if window.weekly:
        return f"every week {window.weekly}{zone or ' UTC'}"
    return f"{timestamp(moment(window, window.since))} to {timestamp(moment(window, window.until))}"


def moment(window: Freeze, told: dt.datetime | None) -> dt.datetime:
    """A begin or end in UTC; one that tells no offset is by the clocks of the window's zone."""
    assert told is not None
    return (told if told.tzinfo else told.replace(tzinfo=ZoneInfo(window.zone or "UTC"))).astimezone(dt.UTC)


def contradictions(window: Freeze) -> Iterator[str]:
    """What keeps it from being a window."""
    times = (window.since, window.until)
    if window.zone and not _is_zone(window.zone):
        yield f"zone: expected an IANA time zone such as Europe/Berlin, seen {window.zone[:60]!r}"
        return
    kinds = sum(map(bool, (window.weekly, window.calendar, times != (None, None))))
    if kinds > 1:
        yield "expected from and until, or weekly, or calendar, seen several of them"
    elif window.calendar:
        return
    elif not window.weekly and None in times:
        yield "expected from and until, or weekly, or calendar"
    elif window.weekly:
        begin, end = weekly_minutes(window.weekly)
        if begin == end:
            yield f"weekly: expected an end that is not its begin, seen {window.weekly!r}"
    elif not window.zone and any(time is not None and time.tzinfo is None for time in times):
        yield "expected times with an offset such as 2026-12-18T16:00:00Z, or a zone"
    elif moment(window, window.since) >= moment(window, window.until):
        yield "until: expected a time after from"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
