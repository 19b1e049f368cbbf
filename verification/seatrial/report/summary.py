"""The decision as Markdown, for the step summary of a pipeline or a comment on a change."""

from __future__ import annotations

from typing import Final

from seatrial.gate.decision import Decision
from seatrial.report.terminal import headline, numbers
from seatrial.report.text import code, markdown

MAX_CASES: Final = 25


def render(decision: Decision) -> str:
    """The page, with a trailing newline."""
    lines = [f"## {markdown(headline(decision))}", ""]
    facts = {
        "run": ", ".join(decision.runs),
        "track": decision.track,
        "phase": decision.phase,
        "release wanted": decision.release_wanted,
        "release seen": decision.release_seen,
    }
    lines += ["| | |", "|---|---|", *(f"| {name} | {markdown(value)} |" for name, value in facts.items() if value), ""]
    for title, effects in (("Why", ("rollback", "hold")), ("Also seen", ("note",))):
        causes = decision.of_effect(*effects)
        if not causes:
            continue
        lines += [f"### {title}", ""]
        for cause in causes:
            lines += [f"**{cause.kind.value}**: {markdown(cause.sentence)}", ""]
            if cause.cases:
                lines += ["| check | severity | what | numbers |", "|---|---|---|---|"]
                lines += [
                    f"| {code(case.key, in_table=True)} | {markdown(case.severity)} "
                    f"| {markdown(case.message or case.skip_reason)} | {markdown(numbers(case))} |"
                    for case in cause.cases[:MAX_CASES]
                ]
                if len(cause.cases) > MAX_CASES:
                    lines.append(f"| ... and {len(cause.cases) - MAX_CASES} more | | | |")
                lines.append("")
    if decision.suites:
        lines += [
            "| suite | expected | pass | fail | error | inconclusive | missing |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        lines += [
            f"| {markdown(suite)} | {c.expected} | {c.passed} | {c.fail} | {c.error} | {c.inconclusive} | {c.missing} |"
            for suite, c in decision.suites.items()
        ]
        lines.append("")
    if decision.next:
        lines += ["### Next", "", *(f"- {code(command)}" for command in decision.next), ""]
    return "\n".join(lines)
