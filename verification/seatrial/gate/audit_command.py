"""`seatrial audit`: verify, show or mend an audit log. 0 sound, 10 not sound, 2 wrong use."""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from seatrial.gate import audit, soundness
from seatrial.gate.audit import DEFAULT_LOG, Entry, NotRecorded
from seatrial.gate.receipt import Receipt, ReceiptProblem
from seatrial.gate.soundness import Anchor
from seatrial.report.text import plain

NOT_SOUND: Final = 10
WRONG_USE: Final = 2


class UsageProblem(ValueError):
    """The command line is wrong."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="look for lines that were altered, removed, inserted, moved or cut off")
    show = actions.add_parser("show", help="a line for each decision, approval and action")
    repair = actions.add_parser("repair", help="move a half-written last line aside, as a crash leaves it")
    for action in (verify, show, repair):
        action.add_argument("log", nargs="?", default=str(DEFAULT_LOG), metavar="FILE", help=f"the log [{DEFAULT_LOG}]")
    verify.add_argument("--head", metavar="HASH", help="hash of a line that is known to have been written")
    verify.add_argument(
        "--decision",
        action="append",
        default=[],
        metavar="FILE",
        help="a decision.json, or a folder of them, that must be in the log; may be given several times",
    )
    show.add_argument("--json", action="store_true", help="the lines as they are")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and return the exit code."""
    log = Path(arguments.log)
    try:
        if arguments.action == "verify":
            return _verify(log, arguments)
        if arguments.action == "show":
            return _show(log, as_json=arguments.json)
        return _repair(log)
    except UsageProblem as problem:
        print(f"seatrial audit: {plain(str(problem), 1_000)}", file=sys.stderr)
        return WRONG_USE


def _lines(log: Path) -> Iterator[bytes]:
    try:
        with log.open("rb") as stream:
            # A line without end must not fill the memory; what is cut here is no whole line in any case.
            while line := stream.readline(audit.LONGEST_LINE + 1):
                yield line
    except OSError as error:
        raise UsageProblem(f"{log} cannot be read: {error.strerror or error}") from None


def _verify(log: Path, arguments: argparse.Namespace) -> int:
    anchors = list(_anchors(arguments.head, arguments.decision))
    found = soundness.examine(_lines(log), anchors)
    for finding in found.findings:
        print(f"{log}:{finding.line}: {plain(finding.message, 500)}")
    print(f"{'NOT SOUND' if found.findings else 'SOUND'}  {log}: {found.lines} lines")
    if found.head is not None and not found.findings:
        print(f"  head: number {found.head.seq}, {found.head.time}, hash {found.head.hash}")
    for line in _sight(found, bool(anchors)):
        print(f"  {line}")
    return NOT_SOUND if found.findings else 0


def _sight(found: soundness.Soundness, anchored: bool) -> Iterator[str]:
    """What this look could see and what it could not."""
    if found.findings:
        return
    if not anchored:
        yield "not seen: lines cut off at the end, or a log written anew as a whole; --head or --decision shows those"
    elif found.anchored < found.lines:
        yield f"nothing was cut off or written anew up to line {found.anchored}; what came after it is not known"
    else:
        yield "the last line is the one that is known: nothing was cut off or written anew"


def _anchors(head: str | None, decisions: Sequence[str]) -> Iterator[Anchor]:
    if head is not None:
        if len(head) != 64 or set(head) - set("0123456789abcdef"):
            raise UsageProblem(f"--head: expected the 64 hexadecimal digits of a line's hash, seen {head!r}")
        yield Anchor(source="--head", hash=head)
    for given in decisions:
        place = Path(given)
        files = sorted(place.rglob("decision.json")) if place.is_dir() else [place]
        if not files:
            raise UsageProblem(f"--decision: there is no decision.json below {place}")
        for file in files:
            yield _anchor(file)


def _anchor(file: Path) -> Anchor:
    """The line of a decision: by its receipt where there is one beside it, else by the decision's hash alone."""
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        receipt = Receipt.beside(file)
    except (OSError, ReceiptProblem) as error:
        raise UsageProblem(f"--decision: {file}: {error}") from None
    if receipt is None or receipt.decision != digest:
        return Anchor(source=str(file), decision=digest)
    return Anchor(source=str(file), hash=receipt.hash, seq=receipt.seq, decision=digest)


def _show(log: Path, *, as_json: bool) -> int:
    for entry in soundness.entries(_lines(log)):
        print(entry.line(), end="") if as_json else print(_shown(entry))
    return 0


def _shown(entry: Entry) -> str:
    facts = entry.facts
    order = (
        "decision",
        "drill",
        "state",
        "outcome",
        "environment",
        "release",
        "actor",
        "identity",
        "ticket",
        "command",
        "exit_code",
    )
    told = [f"{name} {_value(facts[name])}" for name in order if facts.get(name) not in (None, "", [], {})]
    about = f"  {entry.decision[:12]}" if entry.decision else ""
    return f"{entry.seq:>5}  {plain(entry.time)}  {entry.kind:<9}{about}  {', '.join(told)}"


def _value(value: object) -> str:
    return plain(value if isinstance(value, str) else json.dumps(value), 120)


def _repair(log: Path) -> int:
    if not log.is_file():
        raise UsageProblem(f"{log} cannot be read: there is no such file")
    try:
        with audit.opened(log, torn=True) as opened:
            aside = opened.mend(dt.datetime.now(dt.UTC))
    except NotRecorded as problem:
        print(f"seatrial audit: not mended: {plain(str(problem), 500)}", file=sys.stderr)
        return NOT_SOUND
    print("nothing to mend: the last line is whole" if aside is None else f"moved to {aside}, and said so in a line")
    return 0
