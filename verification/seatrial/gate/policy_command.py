"""`seatrial policy list`: which policies there are, and what each requires."""

from __future__ import annotations

import argparse
import sys

from seatrial.gate import asking, policy_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    asking.add_common_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print them. 0, also where one is not valid; `seatrial policy lint` says what is wrong."""
    return asking.guarded("policy", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    places = asking.folders(arguments)
    for name in policy_file.known(places):
        try:
            policy = policy_file.load(policy_file.find(name, places), places)
        except policy_file.PolicyProblem as problem:
            print(str(problem), file=sys.stderr)
            print(f"{name:<12} (not valid: see `seatrial policy lint {name}`)")
            continue
        suites = ", ".join(f"{suite} {rule.minimum}" for suite, rule in sorted(policy.required.items()))
        print(f"{name:<12} requires {suites or 'no suite'}")
    return 0
