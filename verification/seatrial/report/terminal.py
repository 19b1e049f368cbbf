"""The decision on a terminal: the verdict first, then why, then the numbers, then what to do."""

from __future__ import annotations

from typing import Final

from seatrial.gate.decision import Decision, Verdict
from seatrial.gate.evidence import GateCase
from seatrial.report.text import plain

MAX_CASES: Final = 8
_COLOURS: Final = {Verdict.PROMOTE: "32", Verdict.HOLD: "33", Verdict.ROLLBACK: "31"}
_MEANING: Final = {
    Verdict.PROMOTE: "the evidence is complete, and nothing in it stands in the way",
    Verdict.HOLD: "do not promote, do not roll back: see why",
    Verdict.ROLLBACK: "the release is bad",
}


def headline(decision: Decision) -> str:
    """The verdict and what it is about, in one line."""
    release = decision.release_wanted or "unknown release"
    where = decision.environment or "unknown environment"
    return f"{decision.verdict.value.upper()}  {plain(release)} in {plain(where)}: {_MEANING[decision.verdict]}"


def numbers(case: GateCase) -> str:
    """Seen, expected, interval and n of a case, as far as it has them."""
    unit = f" {case.numbers['unit']}" if case.numbers.get("unit") else ""
    parts = [
        f"{label} {case.numbers[name]}{'' if name == 'n' else unit}"
        for name, label in (("seen", "seen"), ("limit", "expected"), ("interval", "interval"), ("n", "n"))
        if case.numbers.get(name)
    ]
    return plain(", ".join(parts))


def render(decision: Decision, *, colour: bool = False) -> str:
    """The whole summary, without a trailing newline."""
    first = headline(decision)
    if colour:
        word, _, rest = first.partition(" ")
        first = f"\x1b[1;{_COLOURS[decision.verdict]}m{word}\x1b[0m {rest}"
    lines = [first]
    seen = f", seen running {plain(decision.release_seen)}" if decision.release_seen else ""
    run = plain(", ".join(decision.runs)) or "unknown run"
    lines.append(f"  run {run}{seen}, track {plain(decision.track) or '?'}, phase {plain(decision.phase) or '?'}")
    for title, effects in (("why", ("rollback", "hold")), ("also", ("note",))):
        causes = decision.of_effect(*effects)
        if causes:
            lines += ["", title]
        for cause in causes:
            lines.append(f"  {cause.kind.value}: {plain(cause.sentence)}")
            for case in cause.cases[:MAX_CASES]:
                lines += _case(case)
            if len(cause.cases) > MAX_CASES:
                lines.append(f"    ... and {len(cause.cases) - MAX_CASES} more, all in decision.json")
    if decision.suites:
        lines += ["", *_table(decision)]
    if decision.next:
        lines += ["", "next", *(f"  {plain(command, 1000)}" for command in decision.next)]
    return "\n".join(lines)


def _case(case: GateCase) -> list[str]:
    severity = f" ({plain(case.severity)})" if case.outcome is not None and not case.foreign else ""
    lines = [f"    {plain(case.key)}{severity}"]
    words = case.message or (f"skipped: {case.skip_reason}" if case.skip_reason else "")
    if words:
        lines.append(f"      {plain(words)}")
    if shown := numbers(case):
        lines.append(f"      {shown}")
    return lines


def _table(decision: Decision) -> list[str]:
    names = ("expected", "pass", "fail", "error", "inconclusive", "missing")
    width = max(len("suite"), *(len(plain(suite)) for suite in decision.suites))
    rows = [f"{'suite':<{width}}  " + "  ".join(names)]
    for suite, count in decision.suites.items():
        values = (count.expected, count.passed, count.fail, count.error, count.inconclusive, count.missing)
        cells = (f"{value or '.':>{len(name)}}" for value, name in zip(values, names, strict=True))
        rows.append(f"{plain(suite):<{width}}  " + "  ".join(cells))
    return rows
