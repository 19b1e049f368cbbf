"""`seatrial gate explain`: a decision in plain words, one that was recorded or one that reports would lead to now."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from seatrial.gate import asking, policy_file, record
from seatrial.gate.asking import UsageProblem
from seatrial.gate.decision import EXIT_CODES, decide
from seatrial.gate.policy import Policy
from seatrial.report import explanation

MAX_BYTES: Final = 64 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    asking.add_arguments(parser)
    parser.epilog = (
        "REPORTS may be a decision.json, or a folder that holds one: that decision is explained. Otherwise, and with "
        "--policy, --env, --release, --digest or --now, it is decided anew, and nothing is written."
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
    document = load(recorded)
    policy, about = _policy(document, arguments)
    print(explanation.render(document, policy, about))
    return 0


def _recorded(arguments: argparse.Namespace) -> Path | None:
    """The record that is to be explained; None where it is to be decided anew."""
    places = [Path(place) for place in arguments.reports]
    named = [place for place in places if place.is_file() and place.suffix == ".json" and place.name != "evidence.json"]
    named = [place for place in named if not place.name.endswith("-result.json")]
    asks = arguments.policy or arguments.env or arguments.release or arguments.digest or arguments.now
    if named:
        if len(places) > 1 or asks:
            raise UsageProblem(f"{named[0]}: a recorded decision is explained alone, and as it was asked")
        return named[0]
    inside = places[0] / "decision.json"
    return inside if len(places) == 1 and not asks and inside.is_file() else None


def load(path: Path) -> dict[str, Any]:
    """A recorded decision. Raises UsageProblem for what is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageProblem(f"{path}: is larger than {MAX_BYTES >> 20} MiB, and is no decision")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageProblem(f"{path}: expected a decision as `seatrial gate` writes it, seen no JSON") from None
    if not isinstance(document, dict) or document.get("decision") not in EXIT_CODES:
        raise UsageProblem(f"{path}: expected a decision as `seatrial gate` writes it, seen other JSON")
    if document.get("schema") != record.SCHEMA:
        raise UsageProblem(f"{path}: expected schema {record.SCHEMA}, seen {str(document.get('schema'))[:20]}")
    return document


def _policy(document: dict[str, Any], arguments: argparse.Namespace) -> tuple[Policy | None, str]:
    """The policy that decided, else why there is none to show."""
    told = document.get("policy")
    name, digest = (str(told.get("name")), told.get("sha256")) if isinstance(told, dict) else ("", None)
    places = asking.folders(arguments)
    try:
        policy = policy_file.load(policy_file.find(name, places), places)
    except policy_file.PolicyProblem as problem:
        return None, str(problem).splitlines()[0]
    if policy.sha256() != digest:
        return None, f"policy {name} is not the one any more that decided; --policy decides anew"
    return policy, ""
