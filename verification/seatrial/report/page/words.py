"""Pieces of the page that several of its parts use: how a case, its state and its numbers are shown."""

from __future__ import annotations

import datetime as dt

from seatrial.gate.evidence import GateCase
from seatrial.report.page.drawing import interval
from seatrial.report.page.markup import Html, facts, joined, tag


def state(case: GateCase) -> str:
    """How a case ended, in a word."""
    if case.outcome is not None:
        return case.outcome.value
    if not case.applicable:
        return "not applicable"
    return "skipped" if case.skipped else "missing"


def badge(text: str) -> Html:
    """A word with the colour of what it says; the word alone says it too."""
    return tag("span", text, class_=f"badge {_style(text)}")


def _style(text: str) -> str:
    styles = {
        "fail": "bad",
        "critical": "bad",
        "rollback": "bad",
        "error": "odd",
        "inconclusive": "odd",
        "missing": "odd",
        "skipped": "odd",
        "hold": "odd",
        "pass": "good",
        "promote": "good",
    }
    return styles.get(text, "plain")


def key(case: GateCase) -> Html:
    """The identity of a case; it may break within a line."""
    return tag("code", case.key, class_="key")


def measured(case: GateCase, *, picture: bool = True) -> Html | None:
    """Seen, allowed, interval and n, and the interval drawn where it can be."""
    unit = f" {case.number('unit')}" if case.number("unit") else ""

    def value(name: str) -> str:
        return f"{case.number(name)}{unit}" if case.number(name) else ""

    pairs = [("seen", value("seen")), ("expected", value("limit")), ("interval", value("interval"))]
    listed = [*pairs, ("n", case.number("n"))]
    if not any(text for _, text in listed):
        return None
    drawn = interval(*(case.number(name) for name in ("seen", "limit", "interval"))) if picture else None
    return joined([facts(listed, class_="numbers"), drawn])


def message(case: GateCase) -> Html | None:
    """What a case has to say."""
    said = f"skipped: {case.message}" if case.skipped and case.message else case.message
    return tag("p", said, class_="said") if said else None


def utc(moment: dt.datetime) -> Html:
    """A time as people read it, with the machine's reading beside it."""
    whole = moment.astimezone(dt.UTC).replace(microsecond=0)
    return tag("time", f"{whole:%Y-%m-%d %H:%M:%S} UTC", datetime=whole.isoformat().replace("+00:00", "Z"))
