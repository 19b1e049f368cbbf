"""`seatrial snapshot`: keep what was read of a cluster in a file, and check such a file without pytest."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from seatrial.checks.catalogue import UnknownCheck, config_checks, needs
from seatrial.checks.check import Check
from seatrial.checks.config.expressions import ExpressionProblem
from seatrial.checks.rollout import CHECKS as ROLLOUT
from seatrial.checks.rule import View
from seatrial.cluster.reading import read
from seatrial.environment.loading import EnvironmentProblem, load
from seatrial.environment.locations import fixture_directories
from seatrial.environment.model import Environment
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.snapshot import storage

MOST_FINDINGS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=("save", "check"), help="save: read the cluster; check: judge a file")
    parser.add_argument("file", type=Path, help="file of the snapshot")
    parser.add_argument("checks", nargs="*", metavar="ID", help="checks to run, with * for any part [all]")
    parser.add_argument("--env", required=True, metavar="NAME", help="environment that it is about")
    parser.add_argument("--json", action="store_true", help="findings as JSON")
    parser.add_argument("--fixtures", metavar="DIR", help="folder with environments/ [fixtures]")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One check over the whole snapshot."""

    check: Check
    assessment: Assessment


def run(arguments: argparse.Namespace) -> int:
    """Save or check; 1 where a check fails, 3 where something could not be looked at, 2 for wrong use."""
    try:
        environment = load(arguments.env, fixture_directories(Path.cwd(), arguments.fixtures)).environment
        checks = config_checks(environment)
    except (EnvironmentProblem, UnknownCheck, ExpressionProblem) as problem:
        print(f"seatrial snapshot: {problem}", file=sys.stderr)
        return 2
    if arguments.action == "save":
        return _save(environment, checks, arguments.file)
    patterns = arguments.checks or ["*"]
    chosen = [check for check in checks if any(fnmatchcase(check.id, pattern) for pattern in patterns)]
    if not chosen:
        print(f"seatrial snapshot: no check is called {', '.join(patterns)}: see `seatrial checks`", file=sys.stderr)
        return 2
    try:
        snapshot = storage.load(arguments.file)
    except (OSError, storage.StorageProblem) as problem:
        print(f"seatrial snapshot: {problem}", file=sys.stderr)
        return 2
    view = View(snapshot=snapshot, environment=environment, now=snapshot.taken or dt.datetime.now(dt.UTC))
    results = [Result(check=check, assessment=check.run(view)) for check in chosen]
    print(_as_json(results) if arguments.json else _as_text(results))
    outcomes = {result.assessment.outcome for result in results}
    return 1 if Outcome.FAIL in outcomes else 3 if Outcome.ERROR in outcomes else 0


def _save(environment: Environment, checks: Sequence[Check], path: Path) -> int:
    snapshot = read(environment.cluster, needs((*checks, *ROLLOUT)))
    for kind, reason in sorted(snapshot.unread.items()):
        print(f"not read: {kind}: {reason}", file=sys.stderr)
    if not snapshot.objects:
        return 3
    try:
        storage.save(snapshot, path)
    except OSError as error:
        print(f"seatrial snapshot: {path} cannot be written: {error}", file=sys.stderr)
        return 2
    objects = sum(len(items) for items in snapshot.objects.values())
    print(f"{objects} objects of {len(snapshot.objects)} kinds from {snapshot.server} in {path}")
    return 3 if snapshot.unread else 0


def _as_json(results: Sequence[Result]) -> str:
    documents = [
        {
            "check": result.check.id,
            "severity": result.check.severity.value,
            "outcome": result.assessment.outcome.value if result.assessment.applicable else "not applicable",
            "message": result.assessment.message,
            "findings": [
                {
                    "kind": found.kind,
                    "namespace": found.namespace,
                    "name": found.name,
                    "path": found.path,
                    "expected": found.expected,
                    "seen": found.seen,
                }
                for found in result.assessment.findings
            ],
        }
        for result in results
    ]
    return json.dumps(documents, indent=2)


def _as_text(results: Sequence[Result]) -> str:
    lines = []
    for result in results:
        assessment = result.assessment
        if assessment.outcome is Outcome.PASS:
            continue
        lines.append(f"{assessment.outcome.value:<12} {result.check.id}  ({result.check.severity.value})")
        shown = [str(found) for found in assessment.findings[:MOST_FINDINGS]] or [assessment.message]
        lines += [f"    {text}" for text in shown]
        if len(assessment.findings) > MOST_FINDINGS:
            lines.append(f"    ... and {len(assessment.findings) - MOST_FINDINGS} more, all with --json")
        lines.append(f"    -> {result.check.remedy}")
    tally = Counter(
        result.assessment.outcome.value if result.assessment.applicable else "not applicable" for result in results
    )
    return "\n".join([*lines, ", ".join(f"{count} {name}" for name, count in sorted(tally.items()))])
