"""`seatrial gate explain`: a decision in plain words, one that was recorded or one that reports would lead to now."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from seatrial.gate import asking, record, replay
from seatrial.gate.asking import UsageProblem
from seatrial.gate.decision import decide
from seatrial.gate.replay import Recorded, RecordProblem
from seatrial.report import explanation

MAX_BYTES: Final = 64 * 1024 * 1024
_ASKING: Final = ("policy", "env", "release", "digest", "now", "actor", "ticket", "change", "approval", "promoted")
"""Options that ask anew."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    asking.add_arguments(parser)
    parser.epilog = (
        "REPORTS may be a decision.json, or a folder that holds one: that decision is explained. Otherwise, and with "
        "an option that asks, such as --policy, --release or --now, it is decided anew, and nothing is written."
    )


def run(arguments: argparse.Namespace) -> int:
    """Explain. 0 whatever the decision; 2 for wrong use."""
    return asking.guarded("gate explain", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    recorded = _recorded(arguments)
    if recorded is None:
        asked = asking.asked(arguments)
        decision = decide(asked.reading, asked.policy, asked.question)
        document = record.document(decision, asked.policy, asked.question)
        print(explanation.render(document, asked.policy))
        return 0
    decided = load(recorded)
    print(explanation.render(decided.values, decided.policy, str(recorded)))
    return 0


def _recorded(arguments: argparse.Namespace) -> Path | None:
    """The record that is to be explained; None where it is to be decided anew."""
    places = [Path(place) for place in arguments.reports]
    named = [place for place in places if place.is_file() and place.suffix == ".json" and place.name != "evidence.json"]
    named = [place for place in named if not place.name.endswith("-result.json")]
    asks = any(getattr(arguments, name) for name in _ASKING)
    if named:
        if len(places) > 1 or asks:
            raise UsageProblem(f"{named[0]}: a recorded decision is explained alone, and as it was asked")
        return named[0]
    inside = places[0] / "decision.json"
    return inside if len(places) == 1 and not asks and inside.is_file() else None


def load(path: Path) -> Recorded:
    """A recorded decision. Raises UsageProblem for what is none, or was changed since."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageProblem(f"{path}: is larger than {MAX_BYTES >> 20} MiB, and is no decision")
        return replay.load(path.read_bytes())
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be read: {error.strerror}") from None
    except RecordProblem as problem:
        raise UsageProblem(f"{path}: {problem}") from None
