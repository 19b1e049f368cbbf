"""`seatrial gate`: decide from reports. 0 promote, 10 hold, 20 rollback, 2 wrong use; anything else is no decision."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from seatrial.evidence.run import write_atomically
from seatrial.gate import asking, collection, record
from seatrial.gate.asking import Asked, UsageProblem
from seatrial.gate.decision import Decision, decide
from seatrial.report import summary, terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    asking.add_arguments(parser)
    parser.add_argument(
        "--shadow", action="store_true", help="say and record what would be decided, and exit with 0 whatever it is"
    )
    parser.add_argument("--output", metavar="DIR", help="where decision.json and summary.md go [beside the reports]")


def run(arguments: argparse.Namespace) -> int:
    """Decide, write, print, and return the exit code of the verdict."""
    return asking.guarded("gate", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    output = _output(arguments.output)
    asked = asking.asked(arguments)
    decision = decide(asked.reading, asked.policy, asked.question)
    shadow: bool = arguments.shadow
    failed = _write(output or collection.folder_of(asked.places), decision, asked, shadow=shadow)
    if shadow:
        print(terminal.shadow(decision), end="\n\n")
    print(terminal.render(decision, colour=_colour()))
    if failed:
        print(f"seatrial gate: the decision is not recorded: treat as hold: {failed}", file=sys.stderr)
        return asking.GATE_FAILED
    return 0 if shadow else decision.verdict.exit_code


def _output(given: str | None) -> Path | None:
    if given is None:
        return None
    output = Path(given)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(f"--output: {output} cannot be made: {error.strerror}") from None
    return output


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write(output: Path | None, decision: Decision, asked: Asked, *, shadow: bool) -> str:
    """Keep the decision. Returns what went wrong where something did."""
    page = f"> **{terminal.shadow(decision)}**\n\n" * shadow + summary.render(decision)
    if output is not None:
        text = record.dumps(record.document(decision, asked.policy, asked.question, shadow=shadow))
        try:
            write_atomically(output / "decision.json", text)
            write_atomically(output / "summary.md", page)
        except OSError as error:
            return f"{output}: {error.strerror or error}"
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(step).open("a", encoding="utf-8") as stream:
                stream.write(page)
        except OSError as error:
            # The pipeline's page is a convenience; the record is kept, so the decision stands.
            print(f"seatrial gate: GITHUB_STEP_SUMMARY: {error.strerror or error}", file=sys.stderr)
    return ""
