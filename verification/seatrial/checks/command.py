"""`seatrial checks`: what is checked, why, and how to mend it."""

from __future__ import annotations

import argparse
import difflib
import json
import sys

from seatrial.checks.catalogue import catalogue
from seatrial.checks.check import Check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("id", nargs="?", help="check to explain")
    parser.add_argument("--json", action="store_true", help="as JSON")


def _document(check: Check) -> dict[str, object]:
    return {
        "id": check.id,
        "suite": check.suite,
        "severity": check.severity.value,
        "trigger": check.trigger.value if check.trigger else None,
        "per": check.per,
        "title": check.title,
        "why": check.why,
        "remedy": check.remedy,
        "needs": list(check.needs),
    }


def run(arguments: argparse.Namespace) -> int:
    """List or explain; 2 for a check that there is not."""
    checks = catalogue()
    if arguments.id:
        found = [check for check in checks if check.id == arguments.id]
        if not found:
            near = difflib.get_close_matches(arguments.id, [check.id for check in checks], n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(near)}?" if near else "; `seatrial checks` lists them"
            print(f"seatrial checks: there is no check {arguments.id!r}{hint}", file=sys.stderr)
            return 2
        checks = tuple(found)
    if arguments.json:
        print(json.dumps([_document(check) for check in checks], indent=2))
    elif arguments.id:
        (check,) = checks
        trigger = f", trigger {check.trigger.value}" if check.trigger else ""
        print(f"{check.id}  ({check.suite}, {check.severity.value}{trigger}, per {check.per})")
        print(f"\n{check.title}\n\nWhy     {check.why}\nRemedy  {check.remedy}\nNeeds   {', '.join(check.needs)}")
    else:
        width = max(len(check.id) for check in checks)
        for check in checks:
            print(f"{check.suite:<8} {check.severity.value:<8} {check.id:<{width}}  {check.title}")
    return 0
