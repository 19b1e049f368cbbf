"""What was expected and what ran, by suite; what is missing by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seatrial.evidence.outcome import Role
from seatrial.gate.evidence import GateCase
from seatrial.report.page.markup import SPACE, Child, Html, joined, table, tag
from seatrial.report.page.material import Material
from seatrial.report.page.words import badge, key, state
from seatrial.report.terminal import COLUMNS, numbers, shown_columns, tally, words

MAX_MISSING: Final = 100
MAX_LISTED: Final = 300
"""Cases of one suite; what did not pass comes first, all are in the evidence."""


def looked(material: Material) -> Html | None:
    """Counts by suite, what is missing, and every case behind a summary that opens."""
    decision = material.decision
    if not decision.suites:
        return None
    shown = shown_columns(decision.suites.values())
    rows: list[list[Child]] = []
    for suite, count in decision.suites.items():
        values = tally(count)
        rows.append([suite, *(str(values[position]) for position in shown)])
    counts = table("Checks on the track under test", ["suite", *(COLUMNS[position] for position in shown)], rows)
    return joined([counts, _missing(decision.missing), *_suites(material)])


def _missing(cases: Sequence[GateCase]) -> Html | None:
    if not cases:
        return None
    named = [
        tag("li", key(case), SPACE, words(case) or "planned, and not even skipped") for case in cases[:MAX_MISSING]
    ]
    more = len(cases) - MAX_MISSING
    rest = tag("p", f"... and {more} more, all in decision.json", class_="aside") if more > 0 else None
    return joined([tag("h3", f"Missing: {len(cases)}"), tag("ul", *named, class_="plain-list"), rest])


def _suites(material: Material) -> list[Html]:
    suites: dict[str, list[GateCase]] = {}
    for case in material.cases():
        suites.setdefault(case.suite or "unknown", []).append(case)
    return [_suite(suite, suites[suite]) for suite in sorted(suites)]


def _suite(suite: str, cases: Sequence[GateCase]) -> Html:
    controls = sum(case.role is Role.CONTROL for case in cases)
    aside = f", {controls} of them controls on stable" if controls else ""
    rows: list[list[Child]] = []
    for case in cases[:MAX_LISTED]:
        role = joined([SPACE, badge("control")]) if case.role is Role.CONTROL else None
        said = [numbers(case) if case.outcome is not None else "", words(case)]
        rows.append([joined([key(case), role]), badge(state(case)), case.severity.value, next(filter(None, said), "")])
    more = len(cases) - MAX_LISTED
    rest = tag("p", f"... and {more} more, all in the evidence", class_="aside") if more > 0 else None
    listing = table(f"Cases of the suite {suite}", ["case", "outcome", "severity", "numbers"], rows, class_="listing")
    summary = tag("summary", f"{suite}: every case ({len(cases)}{aside})")
    return tag("details", summary, listing, rest)
