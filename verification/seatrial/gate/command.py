"""`seatrial gate`: decide from reports. 0 promote, 10 hold, 20 rollback, 2 wrong use; anything else is no decision."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from seatrial.evidence.places import shortener
from seatrial.gate import asking, collection, keeping, statement
from seatrial.gate.asking import Asked, UsageProblem
from seatrial.gate.audit import NotRecorded
from seatrial.gate.decision import Decision, Verdict, decide
from seatrial.gate.keeping import Kept
from seatrial.gate.record import NAME as RECORD
from seatrial.report import page, reader, summary, terminal
from seatrial.report.reader import Short
from seatrial.report.text import plain

NOT_DONE: Final = 4
"""The decision stands, and what was to be executed failed or was not done."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    asking.add_arguments(parser)
    parser.add_argument(
        "--shadow", action="store_true", help="say and record what would be decided, and exit with 0 whatever it is"
    )
    parser.add_argument("--execute", action="store_true", help="run the command that the policy has for the decision")
    parser.add_argument(
        "--redact-env",
        metavar="NAME",
        action="append",
        default=[],
        help="variable whose value is kept out of what is written of commands; may be repeated",
    )
    parser.add_argument("--output", metavar="DIR", help="where the decision is written [beside the reports]")


def run(arguments: argparse.Namespace) -> int:
    """Decide, write, print, and return the exit code of the verdict."""
    return asking.guarded("gate", arguments, lambda: _recorded(arguments))


def _recorded(arguments: argparse.Namespace) -> int:
    try:
        return _run(arguments)
    except NotRecorded as problem:
        print(f"seatrial gate: the decision is not recorded: treat as hold: {plain(str(problem))}", file=sys.stderr)
        return asking.GATE_FAILED


def _run(arguments: argparse.Namespace) -> int:
    output = _output(arguments.output)
    folder = output or collection.folder_of([Path(place) for place in arguments.reports])
    # Nothing that is made here refers to itself, and to look for that among a hundred thousand cases takes time.
    gc.disable()
    try:
        if not _named_below(arguments.promoted, folder):
            keeping.discard(folder)
        for option in ("now", "shadow"):
            if arguments.execute and getattr(arguments, option):
                raise UsageProblem(f"--execute: what is decided with --{option} is not acted upon")
        asked = asking.asked(arguments)
    finally:
        keeping.discard(folder)
    decision = decide(asked.reading, asked.policy, asked.question)
    shadow: bool = arguments.shadow
    record = str(folder / RECORD) if folder else RECORD
    here, there = shortener([Path.cwd()]), shortener([Path.cwd(), *asked.places])
    told = summary.render(reader.decision_for(decision, there, there(record)), there(record))
    pages = {"summary.md": f"> **{terminal.shadow(decision)}**\n\n" * shadow + told}
    if shadow:
        print(terminal.shadow(decision), end="\n\n")
    print(terminal.render(reader.decision_for(decision, here, record), record, colour=_colour()))
    log, _ = asking.log_of(arguments, asked.policy)
    kept = keeping.keep(decision, asked, log=log, folder=folder, pages=pages, shadow=shadow)
    if decision.verdict is Verdict.PROMOTE and not shadow and not decision.digests:
        print(f"\n{statement.NO_DIGEST}")
    if folder is not None:
        _write_page(folder, decision, asked, kept, there, shadow=shadow)
    _show_pipeline(pages["summary.md"])
    if arguments.execute and not _acted(decision, kept.sha256, asked, log, folder or log.parent, arguments.redact_env):
        return NOT_DONE
    return 0 if shadow else decision.verdict.exit_code


def _named_below(promoted: Sequence[str], folder: Path | None) -> bool:
    """Whether the decision of an environment before this one is to be read where this one's will be written."""
    record = None if folder is None else (folder / RECORD).resolve()
    return record is not None and any(record.is_relative_to(Path(place).resolve()) for place in promoted)


def _acted(decision: Decision, digest: str, asked: Asked, log: Path, folder: Path, redact: list[str]) -> bool:
    """Act upon the decision, and say how that went. A hold calls for nothing."""
    if decision.verdict is Verdict.HOLD:
        print("\nnothing is executed: hold")
        return True
    # What only --execute needs does not cost the start-up of other decisions.
    from seatrial.gate import acting

    try:
        done = acting.act(decision, digest, asked.policy.acting, log=log, folder=folder, redact=redact)
    except acting.Refused as problem:
        print(f"seatrial gate: nothing is executed: {plain(str(problem), 1_000)}", file=sys.stderr)
        return False
    print("\nexecuted" + "".join(f"\n  {plain(line, 1_000)}" for line in done.words.splitlines()))
    if done.interrupted:
        raise KeyboardInterrupt
    return done.good


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


def _write_page(folder: Path, decision: Decision, asked: Asked, kept: Kept, short: Short, *, shadow: bool) -> None:
    """The page for people. It costs neither the decision nor its exit code: the record is what counts."""
    try:
        page.write(
            folder,
            decision,
            places=asked.places,
            reading=asked.reading,
            policy=asked.policy,
            question=asked.question,
            record_sha256=kept.sha256,
            short=short,
            shadow=shadow,
        )
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in it, the decision is made and kept
        words = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
        print(f"seatrial gate: {folder / page.NAME}: not written: {plain(words)}; the decision stands", file=sys.stderr)


def _show_pipeline(told: str) -> None:
    """Add the page to that of the pipeline, where it has one."""
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(step).open("a", encoding="utf-8") as stream:
                stream.write(told)
        except OSError as error:
            # The pipeline's page is a convenience; the record is kept, so the decision stands.
            print(f"seatrial gate: GITHUB_STEP_SUMMARY: {error.strerror or error}", file=sys.stderr)
