"""Which spans of time are held against each other: two tracks beside each other, or before a change and after it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from seatrial.metrics.series import NoEvidence, Window


@dataclass(frozen=True, kw_only=True)
class Spans:
    """What is looked at of the track under test, and of what it is compared with, where there is anything."""

    subject: Window
    control: Window | None


def spans(*, now: float, length: float, settle: float, changed: float | None, beside: bool) -> Spans:
    """The windows of a comparison; all in seconds, moments since 1970.

    ``changed`` is when the release began to run, None where nobody knows. ``beside``: a stable copy runs at the same
    time, and the same window is looked at for both. Otherwise the ``length`` before the change is compared with what
    comes ``settle`` after it; without a moment of change there is nothing to compare with. Raises NoEvidence while the
    release is still settling.
    """
    start, words = now - length, ""
    if changed is not None:
        settled = changed + settle
        if settled >= now:
            raise NoEvidence(f"the release began to run {now - changed:.0f} s ago and settles for {settle:g} s")
        if settled > start:
            start, words = settled, f"since {settle:g} s after the change"
    subject = Window(start=start, end=now, words=words or "until now")
    if beside:
        return Spans(subject=subject, control=subject)
    if changed is None:
        return Spans(subject=subject, control=None)
    return Spans(subject=subject, control=Window(start=changed - length, end=changed, words="before the change"))


def moment(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 moment with its zone.

    Raises ValueError, also where the zone is missing: nobody can tell whose time that would be.
    """
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"expected a moment with its zone, such as 2026-11-24T02:00:00Z; seen {text!r}")
    return found.timestamp()
