"""The decision on a terminal: the verdict first, then why, then the numbers, then what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

from seatrial.evidence.outcome import Outcome
from seatrial.gate.cause import Cause
from seatrial.gate.decision import Decision, SuiteCount, Verdict
from seatrial.gate.evidence import GateCase
from seatrial.gate.record import NAME as RECORD
from seatrial.report.text import plain

MAX_CASES: Final = 8
MAX_NAMES: Final = 20
"""Of cases of which there is nothing to say but that they are missing."""
WIDTH: Final = 110
COLUMNS: Final = ("expected", "executed", "pass", "flaky", "inconclusive", "error", "fail", "skipped", "absent", "n/a")
_COLOURS: Final = {Verdict.PROMOTE: "32", Verdict.HOLD: "33", Verdict.ROLLBACK: "31"}
MEANING: Final = {
    Verdict.PROMOTE: "the evidence is complete, and nothing that counts speaks against the release",
    Verdict.HOLD: "do not promote, do not roll back",
    Verdict.ROLLBACK: "the release is bad, take it back",
}


def headline(decision: Decision) -> str:
    """The verdict and what it is about, in one line."""
    release = plain(decision.release_wanted) or "unknown release"
    where = plain(decision.environment) or "unknown environment"
    return f"{decision.verdict.value.upper()}  {release} in {where}: {MEANING[decision.verdict]}"


def shadow(decision: Decision) -> str:
    """What is said above a decision that nobody is to act upon."""
    would = f"{decision.verdict.value.upper()} (exit {decision.verdict.exit_code})"
    return f"SHADOW  nothing is decided, and the exit code is 0; the gate would have said {would}"


def numbers(case: GateCase) -> str:
    """Seen, expected, interval and n of a case, as far as it has them."""
    unit = f" {case.number('unit')}" if case.number("unit") else ""
    parts = [
        f"{label} {case.number(name)}{'' if name == 'n' else unit}"
        for name, label in (("seen", "seen"), ("limit", "expected"), ("interval", "interval"), ("n", "n"))
        if case.number(name)
    ]
    return plain(", ".join(parts))


def words(case: GateCase) -> str:
    """What a case has to say; nothing where it did not run, or did not end."""
    return plain(f"skipped: {case.message}" if case.skipped else case.message)


def tally(count: SuiteCount) -> tuple[int, ...]:
    """The values of COLUMNS."""
    outcomes = (count.passed, count.flaky, count.inconclusive, count.error, count.fail)
    return (count.expected, count.executed, *outcomes, count.skipped, count.absent, count.not_applicable)


def shown_columns(counts: Iterable[SuiteCount]) -> list[int]:
    """Positions of the columns worth showing: those that are never empty, and others where they are not."""
    rows = [tally(count) for count in counts]
    return [position for position in range(len(COLUMNS)) if position < 3 or any(row[position] for row in rows)]


def render(decision: Decision, record: str = RECORD, *, colour: bool = False) -> str:
    """The whole summary, without a trailing newline; ``record`` is where all of it stands.

    Whatever comes from a report cannot move the cursor.
    """
    first = headline(decision)
    if colour:
        word, _, rest = first.partition(" ")
        first = f"\x1b[1;{_COLOURS[decision.verdict]}m{word}\x1b[0m {rest}"
    lines = [first, *_about(decision)]
    for title, effects in (("why", ("rollback", "hold")), ("also seen", ("note",))):
        causes = decision.of_effect(*effects)
        if causes:
            lines += ["", title]
        for cause in causes:
            lines += _cause(cause, record)
    if decision.suites:
        lines += ["", *_table(decision)]
    if decision.next or decision.advice:
        lines += ["", "next", *(f"  {plain(command, 1_000)}" for command in decision.next)]
    for words in decision.advice:
        lines += _folded(f"- {words}", "  ", "    ")
    return "\n".join(lines)


def _about(decision: Decision) -> list[str]:
    facts = {
        "run": ", ".join(decision.runs),
        "seen running": decision.release_seen,
        "track": decision.track,
        "phase": decision.phase,
    }
    known = [f"{name} {plain(value)}" for name, value in facts.items() if value]
    return ["  " + ", ".join(known)] if known else []


def _cause(cause: Cause, record: str) -> list[str]:
    lines = _folded(f"{cause.kind.value}: {plain(cause.sentence, 500)}", "  ", "    ")
    most = MAX_CASES if any(words(case) for case in cause.cases) else MAX_NAMES
    for case in cause.cases[:most]:
        lines += _case(case)
    if len(cause.cases) > most:
        lines.append(f"    ... and {len(cause.cases) - most} more, all in {plain(record)}")
    return lines


def _case(case: GateCase) -> list[str]:
    weight = f"  ({case.severity})" if case.outcome is Outcome.FAIL and not case.foreign else ""
    lines = [f"    {plain(case.key)}{weight}"]
    if said := words(case):
        lines += _folded(said, "      ", "      ")
    if shown := numbers(case):
        lines += _folded(shown, "      ", "      ")
    if case.remedy and case.outcome is not None:
        lines += _folded(f"-> {plain(case.remedy)}", "      ", "         ")
    return lines


def _folded(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(decision: Decision) -> list[str]:
    shown = shown_columns(decision.suites.values())
    names = [COLUMNS[position] for position in shown]
    width = max(len("suite"), *(len(plain(suite, 40)) for suite in decision.suites))
    rows = [f"{'suite':<{width}}  " + "  ".join(names)]
    for suite, count in decision.suites.items():
        values = tally(count)
        cells = (f"{values[position] or '.':>{len(COLUMNS[position])}}" for position in shown)
        rows.append(f"{plain(suite, 40):<{width}}  " + "  ".join(cells))
    return rows
