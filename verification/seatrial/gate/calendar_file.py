"""Calendars of changes that a policy names: read where a question is asked, so that its answer needs no file."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seatrial.gate.policy import Policy

LARGEST: Final = 8 * 1024 * 1024
"""Bytes; calendars of whole companies are smaller."""
MOMENT: Final = dt.timedelta(microseconds=1)


class CalendarProblem(ValueError):
    """A calendar that cannot be relied on: whether there is a freeze is not known."""


@dataclass(frozen=True, kw_only=True, order=True)
class Window:
    """One occurrence of an event, in UTC. The end itself is outside."""

    begin: dt.datetime
    end: dt.datetime
    summary: str


@dataclass(frozen=True, kw_only=True)
class CalendarLook:
    """What a calendar says of the moment of a question, so that the answer does not depend on the file any more."""

    calendar: str
    """As the policy names it."""
    zone: str = ""
    sha256: str = ""
    problem: str = ""
    """Why it cannot be relied on, where that is so."""
    windows: tuple[Window, ...] = ()
    """Events that the moment lies in."""


Ahead = Mapping[tuple[str, str], tuple[Window, ...] | str]
"""Windows by calendar and zone, or why it cannot be relied on."""


def looks(policy: Policy, now: dt.datetime) -> tuple[CalendarLook, ...]:
    """What each calendar that a policy names says of ``now``, each once."""
    return tuple(_look(name, zone, now) for name, zone in _named(policy))


def _named(policy: Policy) -> dict[tuple[str, str], None]:
    """Calendars with the zone by whose clocks they are read."""
    return dict.fromkeys((window.calendar, window.zone) for window in policy.freeze if window.calendar)


def _look(name: str, zone: str, now: dt.datetime) -> CalendarLook:
    try:
        content = _read(Path(name))
        windows = _between(content, zone, now, now + MOMENT)
    except CalendarProblem as problem:
        return CalendarLook(calendar=name, zone=zone, problem=str(problem))
    return CalendarLook(calendar=name, zone=zone, sha256=hashlib.sha256(content).hexdigest(), windows=windows)


def ahead(policy: Policy, now: dt.datetime, span: dt.timedelta) -> Ahead:
    """What each calendar that a policy names holds in the time from ``now``."""
    found: dict[tuple[str, str], tuple[Window, ...] | str] = {}
    for name, zone in _named(policy):
        try:
            found[name, zone] = _between(_read(Path(name)), zone, now, now + span)
        except CalendarProblem as problem:
            found[name, zone] = str(problem)
    return found


def _between(content: bytes, zone: str, begin: dt.datetime, end: dt.datetime) -> tuple[Window, ...]:
    try:
        # What parses calendars costs the start-up of every decision, and few policies name one.
        from seatrial.gate import calendar_events
    except ModuleNotFoundError as error:
        words = f"calendars need {error.name}: pip install 'seatrial[calendar]'"
        raise CalendarProblem(words) from None
    return calendar_events.between(content, zone, begin, end)


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise CalendarProblem(f"{path}: it is no regular file")
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CalendarProblem(f"{path}: cannot be read: {words}") from None
    if len(content) > LARGEST:
        raise CalendarProblem(f"{path}: is larger than {LARGEST >> 20} MiB, and is no calendar")
    return content
