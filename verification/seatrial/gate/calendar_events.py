"""Events of an iCalendar file (RFC 5545) in a time: `icalendar` parses it, `dateutil` finds the recurrences.

Whatever is not understood is a problem and no event less: what is left out would be a freeze that does not hold.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Component, vRecur

from seatrial.gate.calendar_file import CalendarProblem, Window

MOST: Final = 10_000
"""Occurrences of one event; one that has more in a year is no freeze."""
LONGEST: Final = 200
"""Characters of a summary."""
_TOO_OFTEN: Final = ("SECONDLY", "MINUTELY")
_DAY: Final = dt.timedelta(days=1)


def between(content: bytes, zone: str, begin: dt.datetime, end: dt.datetime) -> tuple[Window, ...]:
    """Events that overlap the time, in their order. Raises CalendarProblem.

    Times without a zone, whole days too, are by the clocks of ``zone``. Cancelled events do not count; those that are
    marked as free time do.
    """
    found: set[Window] = set()
    for series in _series(_events(content)).values():
        found.update(_occurrences(series, ZoneInfo(zone or "UTC"), begin, end))
    return tuple(sorted(found))


def _events(content: bytes) -> list[Component]:
    try:
        calendars = Calendar.from_ical(content, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise CalendarProblem(f"is no iCalendar file: {str(error)[:LONGEST]}") from None
    if not calendars:
        raise CalendarProblem("is no iCalendar file: there is no whole VCALENDAR in it")
    if content.split()[-1].upper() != b"END:VCALENDAR":
        # What follows the last whole calendar is left out by the parser.
        raise CalendarProblem("is cut off: expected END:VCALENDAR at its end")
    for component in (part for calendar in calendars for part in calendar.walk()):
        for name, words in component.errors:
            raise CalendarProblem(f"{_told(component)}: {name}: {str(words)[:LONGEST]}")
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if not events:
        raise CalendarProblem("there is no event in it")
    return events


def _series(events: Iterable[Component]) -> dict[str, list[Component]]:
    """Events by what they are one of. Of several versions of one, the last counts."""
    versions: dict[tuple[str, str], Component] = {}
    for number, event in enumerate(events):
        uid = str(event.get("UID") or f" {number}")
        which = _get(event, "RECURRENCE-ID").to_ical().decode() if "RECURRENCE-ID" in event else ""
        known = versions.get((uid, which))
        if known is None or _get(event, "SEQUENCE", 0) >= _get(known, "SEQUENCE", 0):
            versions[uid, which] = event
    series: dict[str, list[Component]] = {}
    for (uid, which), event in versions.items():
        # The event itself before the occurrences that are told apart.
        parts = series.setdefault(uid, [])
        parts.insert(0, event) if not which else parts.append(event)
    return series


def _occurrences(parts: list[Component], clocks: dt.tzinfo, begin: dt.datetime, end: dt.datetime) -> Iterator[Window]:
    moved = [event for event in parts if "RECURRENCE-ID" in event]
    for event in parts:
        instead = moved if "RECURRENCE-ID" not in event else []
        if str(event.get("STATUS", "")).upper() != "CANCELLED":
            yield from _of_event(event, instead, clocks, begin, end)


def _of_event(
    event: Component, instead: list[Component], clocks: dt.tzinfo, begin: dt.datetime, end: dt.datetime
) -> Iterator[Window]:
    """The occurrences of one event without those that are told ``instead`` of it. By the wall clocks of its zone."""
    if "DTSTART" not in event:
        raise CalendarProblem(f"{_told(event)}: it has no DTSTART")
    start = _time(event, "DTSTART")
    zone = start.tzinfo if isinstance(start, dt.datetime) and start.tzinfo else clocks
    first = _wall(start, zone)
    length = _length(event, start, first, zone)
    words = " ".join(str(event.get("SUMMARY") or "without a name").split())[:LONGEST]

    def window(wall: dt.datetime, until: dt.datetime) -> Window:
        instants = (moment.replace(tzinfo=zone).astimezone(dt.UTC) for moment in (wall, until))
        return Window(begin=next(instants), end=next(instants), summary=words)

    others = {_wall(_one(event, "RECURRENCE-ID"), zone) for event in instead}
    others |= {_wall(value, zone) for value in _dates(event, "EXDATE")}
    # A wall clock is never further than a day from UTC.
    since, until = (moment.replace(tzinfo=None) for moment in (begin - length - _DAY, end + _DAY))
    starts = _starts(event, first, zone, since, until)
    for wall in dict.fromkeys(itertools.islice(starts, MOST + 1)):
        if wall not in others:
            found = window(wall, wall + length)
            if found.begin < end and begin < found.end:
                yield found
    for period in (value for value in _dates(event, "RDATE") if isinstance(value, tuple)):
        opened = _wall(period[0], zone)
        closed = opened + period[1] if isinstance(period[1], dt.timedelta) else _wall(period[1], zone)
        found = window(opened, closed)
        if found.begin < end and begin < found.end:
            yield found


def _starts(
    event: Component, first: dt.datetime, zone: dt.tzinfo, since: dt.datetime, until: dt.datetime
) -> Iterator[dt.datetime]:
    if since <= first <= until:
        yield first
    for value in _dates(event, "RDATE"):
        if not isinstance(value, tuple) and since <= (wall := _wall(value, zone)) <= until:
            yield wall
    rules = _get(event, "RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        yield from _repeated(event, rule, first, zone, since, until)


def _repeated(
    event: Component,
    rule: vRecur,
    first: dt.datetime,
    zone: dt.tzinfo,
    since: dt.datetime,
    until: dt.datetime,
) -> Iterator[dt.datetime]:
    """Occurrences by one rule, of which at most MOST lie in the time."""
    if str(rule.get("FREQ", [""])[0]).upper() in _TOO_OFTEN:
        raise CalendarProblem(f"{_told(event)}: RRULE: it repeats more often than every hour, which is no freeze")
    last = [_last(value, zone) for value in rule.get("UNTIL", [])]
    plain: Any = vRecur({name: value for name, value in rule.items() if name.upper() != "UNTIL"})
    try:
        found = rrulestr(plain.to_ical().decode(), dtstart=first)
    except (ValueError, TypeError, AttributeError) as error:
        raise CalendarProblem(f"{_told(event)}: RRULE: {str(error)[:LONGEST]}") from None
    for number, wall in enumerate(found.xafter(since, inc=True)):
        if wall > min([until, *last]):
            return
        if number >= MOST:
            raise CalendarProblem(f"{_told(event)}: RRULE: it repeats more than {MOST} times, which is no freeze")
        yield wall


def _last(value: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """The last start that a rule allows; a day is meant to its end."""
    wall = _wall(value, zone)
    return wall if isinstance(value, dt.datetime) else wall + _DAY - dt.timedelta(microseconds=1)


def _length(event: Component, start: dt.date, first: dt.datetime, zone: dt.tzinfo) -> dt.timedelta:
    if "DTEND" in event:
        length = _wall(_time(event, "DTEND"), zone) - first
    elif "DURATION" in event:
        length = _get(event, "DURATION").td
    else:
        length = dt.timedelta(0) if isinstance(start, dt.datetime) else _DAY
    if length < dt.timedelta(0):
        raise CalendarProblem(f"{_told(event)}: it ends before it begins")
    return length


def _get(event: Component, name: str, default: Any = None) -> Any:
    """A property, of whatever kind; several of one name are a list."""
    return event.get(name, default)


def _time(event: Component, name: str) -> dt.date:
    value = _get(event, name)
    if isinstance(value, list):
        raise CalendarProblem(f"{_told(event)}: {name}: is there {len(value)} times")
    _known_zone(event, name, value, value.dt)
    found: dt.date = value.dt
    return found


def _one(event: Component, name: str) -> dt.date:
    if _get(event, name).params.get("RANGE"):
        raise CalendarProblem(f"{_told(event)}: {name}: RANGE is not understood: tell each occurrence apart")
    return _time(event, name)


def _dates(event: Component, name: str) -> Iterator[Any]:
    """Times, or periods, of a property that may be there often."""
    values = _get(event, name, [])
    for value in values if isinstance(values, list) else [values]:
        for one in value.dts:
            _known_zone(event, name, value, one.dt)
            yield one.dt


def _known_zone(event: Component, name: str, value: Any, moment: Any) -> None:
    zone = value.params.get("TZID")
    if zone and isinstance(moment, dt.datetime) and moment.tzinfo is None:
        raise CalendarProblem(f"{_told(event)}: {name}: the time zone {zone[:60]!r} is not known, and not in the file")


def _wall(value: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """What the clocks of ``zone`` show."""
    if not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time())
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value


def _told(component: Component) -> str:
    summary = " ".join(str(component.get("SUMMARY") or component.get("UID") or "").split())[:60]
    return f"{component.name} {summary!r}" if summary else str(component.name)
