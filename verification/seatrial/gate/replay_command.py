"""`seatrial gate replay`: a recorded decision once more. 0 the same bytes, 10 something differs, 2 wrong use."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from seatrial.gate import asking, collection
from seatrial.gate import replay as replaying
from seatrial.gate.asking import UsageProblem
from seatrial.report.text import plain

DIFFERS: Final = 10
LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a decision.json that is read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("decision", metavar="decision.json", help="the record")
    parser.add_argument(
        "--reports",
        action="append",
        default=[],
        metavar="DIR|FILE",
        help="the reports that were read, as often as then [the folder of the record]",
    )
    parser.add_argument("--policy", metavar="FILE|NAME", help="decide by this policy instead of the recorded one")
    asking.add_common_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay, print what differs, and return the exit code."""
    return asking.guarded("gate replay", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    path = Path(arguments.decision)
    recorded = _recorded(path)
    if recorded is None:
        return DIFFERS
    policy = asking.policy_called(arguments.policy, asking.folders(arguments)) if arguments.policy else None
    places = [Path(place) for place in arguments.reports] or [path.parent]
    again = replaying.replay(recorded, collection.read(places), policy)
    then, now = str(recorded.values["decision"]), again.decision.verdict.value
    if again.identical:
        print(f"IDENTICAL  {now}, decided {recorded.values['decided']}, SHA-256 {recorded.sha256}")
        return 0
    words = f"{now} again" if now == then else f"{then} then, {now} now"
    print(f"DIFFERS  {words}, decided {plain(str(recorded.values['decided']))}")
    for difference in again.differences:
        print(f"  {plain(difference, 500)}")
    return DIFFERS


def _recorded(path: Path) -> replaying.Recorded | None:
    """The record, None where it is not as it was written, which is said. Raises UsageProblem where there is none."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        return replaying.load(content)
    except replaying.RecordProblem as problem:
        print(f"DIFFERS  {path}: {plain(str(problem), 500)}")
        return None
