"""`seatrial gate backtest`: what another policy would have decided over runs of the past."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from seatrial.gate import asking, backtest, collection
from seatrial.gate.asking import UsageProblem
from seatrial.gate.backtest import Past
from seatrial.gate.explain_command import load
from seatrial.gate.replay import Recorded
from seatrial.report.text import plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("reports", nargs="+", help="folders of runs, each decided by itself; links are left out")
    parser.add_argument("--policy", metavar="FILE|NAME", required=True, help="policy that is tried")
    parser.add_argument("--json", action="store_true", help="as JSON")
    asking.add_common_arguments(parser)
    parser.epilog = (
        "Each run is decided at the moment of its recorded decision, else at its end, so that its age is what it was "
        "then, and about the environment, release and images that were asked about then. Nothing is written."
    )


def run(arguments: argparse.Namespace) -> int:
    """Decide anew, and print then and now. 0 whatever they are; 2 for wrong use."""
    return asking.guarded("gate backtest", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    policy = asking.policy_called(arguments.policy, asking.folders(arguments))
    # `reports/latest` is a link to a run that is there by its own name.
    folders = [place for place in map(Path, arguments.reports) if place.is_dir() and not place.is_symlink()]
    if not folders:
        raise UsageProblem(f"expected folders of runs, seen {', '.join(arguments.reports)[:300]}")
    runs = [backtest.decided_anew(folder.name, collection.read([folder]), _then(folder), policy) for folder in folders]
    known = sorted((past for past in runs if past.moment is not None), key=lambda past: (past.moment, past.name))
    runs = [*known, *(past for past in runs if past.moment is None)]
    if arguments.json:
        print(json.dumps(_document(runs, policy.name), indent=2))
    else:
        print("\n".join([*_table(runs), "", *_summary(runs, policy.name)]))
    return 0


def _then(folder: Path) -> Recorded | None:
    """The decision that was recorded, None where there is none or it cannot be read."""
    path = folder / "decision.json"
    if not path.is_file():
        return None
    try:
        return load(path)
    except UsageProblem as problem:
        print(f"seatrial gate backtest: {plain(str(problem))}: the run counts as undecided", file=sys.stderr)
        return None


def _table(runs: Sequence[Past]) -> list[str]:
    rows = [("run", "at", "decided", "would", "why"), *((p.name, _at(p), p.then or "-", p.now, _why(p)) for p in runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    ]


def _at(past: Past) -> str:
    return "unknown" if past.moment is None else past.moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M")


def _why(past: Past) -> str:
    if past.same:
        return ""
    gone = f"no longer {', '.join(past.gone)}" if past.gone else ""
    return plain("; ".join(filter(None, ("; ".join(past.sentences), gone))), 160)


def _summary(runs: Sequence[Past], policy: str) -> Iterator[str]:
    changed = [past for past in runs if not past.same and past.then]
    yield f"{len(runs)} runs by policy {policy}: {_counts(past.now for past in runs)}"
    yield f"decided then: {_counts(past.then or 'undecided' for past in runs)}"
    turns = Counter(f"{past.then} to {past.now}" for past in changed)
    told = ", ".join(f"{count} from {turn}" for turn, count in sorted(turns.items()))
    yield f"differs in {len(changed)}{': ' if told else ''}{told}"


def _counts(verdicts: Iterator[str]) -> str:
    counts = Counter(verdicts)
    order = [word for word in ("promote", "hold", "rollback", "undecided") if counts[word]]
    return ", ".join(f"{counts[word]} {word}" for word in order) or "none"


def _document(runs: Sequence[Past], policy: str) -> dict[str, object]:
    entries = [
        {
            "run": past.name,
            "at": None if past.moment is None else past.moment.isoformat().replace("+00:00", "Z"),
            "decided": past.then or None,
            "would": past.now,
            "differs": bool(past.then) and not past.same,
            "causes": list(past.codes),
            "why": list(past.sentences),
            "gone": list(past.gone),
        }
        for past in runs
    ]
    return {"policy": policy, "runs": entries, "counts": dict(Counter(past.now for past in runs))}
