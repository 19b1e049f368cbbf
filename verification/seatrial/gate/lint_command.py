"""`seatrial policy lint`: whether policies can mean what they say. 0 without errors, 10 with some, 2 wrong use."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.resources
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from seatrial.evidence.outcome import Role
from seatrial.gate import asking, calendar_file, collection, lint, lint_times, policy_file
from seatrial.gate.evidence import GateCase
from seatrial.gate.merging import merge
from seatrial.report.text import plain

ERRORS: Final = 10
"""A policy with errors is as good as a hold: nothing should go on with it. 1 is what a crash returns."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the policies and what they are held against."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="policies, or paths ending in .toml [all]")
    parser.add_argument("--plan", metavar="REPORTS", help="a run whose planned checks the policy is held against")
    parser.add_argument("--now", metavar="RFC3339", help="time at which exemptions and freezes are looked at")
    parser.add_argument("--json", action="store_true", help="as JSON")
    asking.add_common_arguments(parser)
    parser.epilog = "The exit code is 0 without errors, whatever the warnings, 10 with errors, and 2 for wrong use."


def run(arguments: argparse.Namespace) -> int:
    """Lint the policies that are named, or all that there are, and print what was found."""
    return asking.guarded("policy lint", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    places = asking.folders(arguments)
    paths = [_path(name, places) for name in arguments.names or policy_file.known(places)]
    now = asking.moment("--now", arguments.now) if arguments.now else dt.datetime.now(dt.UTC)
    known = lint.Known(checks=_known_checks(), now=now, planned=_planned(arguments.plan))
    found = [(path, finding) for path in paths for finding in _of(path, places, known)]
    if arguments.json:
        entries = [
            {"policy": str(path), "level": finding.level, "key": finding.key, "message": finding.message}
            for path, finding in found
        ]
        print(json.dumps({"policies": [str(path) for path in paths], "findings": entries}, indent=2))
    else:
        for path, finding in found:
            key = f"{finding.key}: " if finding.key else ""
            print(plain(f"{path}: {finding.level}: {key}{finding.message}", 1_000))
        counts = [sum(finding.level == level for _, finding in found) for level in ("error", "warning")]
        print(", ".join((_count(len(paths), "policy"), _count(counts[0], "error"), _count(counts[1], "warning"))))
    return ERRORS if any(finding.level == "error" for _, finding in found) else 0


def _path(name: str, places: list[policy_file.Folder]) -> Path:
    if not name.endswith(".toml") and "/" not in name:
        return policy_file.find(name, places)
    if not Path(name).is_file():
        raise asking.UsageProblem(f"{name}: there is no such file")
    return Path(name)


def _of(path: Path, places: list[policy_file.Folder], known: lint.Known) -> list[lint.Finding]:
    try:
        policy = policy_file.load(path, places)
    except policy_file.PolicyProblem as problem:
        return list(_unreadable(path, str(problem)))
    calendars = calendar_file.ahead(policy, known.now, lint_times.LONG) if policy.freeze else {}
    found = lint.findings(policy, replace(known, calendars=calendars))
    # A policy that is asked for by its path is not found by its environment's name.
    in_folder = any(path == place.file(path.stem) for place in places)
    return found if in_folder else [finding for finding in found if finding.key != "environment"]


def _unreadable(path: Path, message: str) -> Iterator[lint.Finding]:
    """A policy that cannot be loaded: a finding for each line of the message."""
    words = message.removeprefix(f"{path}:")
    if words == message:
        yield lint.Finding(key="extends", message=message.replace("\n", " "))
        return
    for line in filter(None, (line.strip() for line in words.splitlines())):
        key, _, rest = line.partition(": ")
        yield lint.Finding(key=key, message=rest) if rest and " " not in key else lint.Finding(key="", message=line)


def _known_checks() -> dict[str, str]:
    text = importlib.resources.files("seatrial.gate").joinpath("known_checks.json").read_text(encoding="utf-8")
    checks: dict[str, str] = json.loads(text)
    return checks


def _planned(place: str | None) -> tuple[GateCase, ...] | None:
    """The cases under test that the runs in ``place`` planned."""
    if place is None:
        return None
    evidence = merge(collection.read([Path(place)]))
    planned = tuple(case for case in evidence.expected.values() if case.role is Role.SUBJECT)
    if not planned:
        raise asking.UsageProblem(f"--plan: {place} says of no run what it planned")
    return (*planned, *(case for case in evidence.cases.values() if case.foreign))


def _count(number: int, noun: str) -> str:
    several = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else several}"
