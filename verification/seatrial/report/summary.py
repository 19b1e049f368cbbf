"""The decision as Markdown, for the step summary of a pipeline or a comment on a change."""

from __future__ import annotations

from typing import Final

from seatrial.gate.cause import Cause
from seatrial.gate.decision import Decision
from seatrial.gate.record import NAME as RECORD
from seatrial.report.terminal import COLUMNS, headline, numbers, shown_columns, tally, words
from seatrial.report.text import code, markdown

MAX_CASES: Final = 25


def render(decision: Decision, record: str = RECORD) -> str:
    """The page, with a trailing newline; ``record`` is where all of it stands.

    Whatever comes from a report is shown as text and nothing else.
    """
    verdict, _, rest = headline(decision).partition("  ")
    lines = [f"## {verdict}: {markdown(rest)}", "", *_facts(decision)]
    for title, effects in (("Why", ("rollback", "hold")), ("Also seen", ("note",))):
        causes = decision.of_effect(*effects)
        if causes:
            lines += [f"### {title}", ""]
        for cause in causes:
            lines += _cause(cause, record)
    if decision.suites:
        lines += ["### What was looked at", "", *_table(decision), ""]
    if decision.next or decision.advice:
        lines += ["### Next", "", *(f"- {code(command)}" for command in decision.next)]
        lines += [*(f"- {markdown(words)}" for words in decision.advice), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _facts(decision: Decision) -> list[str]:
    facts = {
        "run": ", ".join(decision.runs),
        "release wanted": decision.release_wanted,
        "release seen": decision.release_seen,
        "track": decision.track,
        "phase": decision.phase,
    }
    rows = [f"| {name} | {markdown(value)} |" for name, value in facts.items() if value]
    return ["| | |", "|---|---|", *rows, ""] if rows else []


def _cause(cause: Cause, record: str) -> list[str]:
    lines = [f"**{cause.kind.value}**: {markdown(cause.sentence, 500)}", ""]
    if not cause.cases:
        return lines
    lines += ["| check | severity | what | numbers |", "|---|---|---|---|"]
    for case in cause.cases[:MAX_CASES]:
        cells = (code(case.key, table=True), case.severity.value, markdown(words(case)), markdown(numbers(case)))
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    if len(cause.cases) > MAX_CASES:
        lines += [f"... and {len(cause.cases) - MAX_CASES} more, all in {code(record)}.", ""]
    return lines


def _table(decision: Decision) -> list[str]:
    shown = shown_columns(decision.suites.values())
    lines = [
        f"| suite | {' | '.join(COLUMNS[position] for position in shown)} |",
        f"|---|{'--:|' * len(shown)}",
    ]
    for suite, count in decision.suites.items():
        values = tally(count)
        lines.append(f"| {markdown(suite, 40)} | {' | '.join(str(values[position]) for position in shown)} |")
    return lines
