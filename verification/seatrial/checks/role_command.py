"""`seatrial role`: the least rights with which an environment's configuration can be verified, as manifests."""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from seatrial.checks.catalogue import UnknownCheck, config_checks, needs
from seatrial.checks.config.expressions import ExpressionProblem
from seatrial.checks.rollout import CHECKS as ROLLOUT
from seatrial.cluster.followed import followed_kinds
from seatrial.cluster.role import NAME, manifests
from seatrial.environment.loading import EnvironmentProblem, load
from seatrial.environment.locations import fixture_directories


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("environment", help="environment that is to be verified")
    parser.add_argument("checks", nargs="*", metavar="ID", help="checks that will run, with * for any part [all]")
    parser.add_argument(
        "--account", metavar="NAMESPACE/NAME", help=f"service account to bind [the first namespace's {NAME}]"
    )
    parser.add_argument("--fixtures", metavar="DIR", help="folder with environments/ [fixtures]")


def run(arguments: argparse.Namespace) -> int:
    """Print the manifests; 2 for an unknown environment, check or account."""
    try:
        environment = load(arguments.environment, fixture_directories(Path.cwd(), arguments.fixtures)).environment
        checks = (*config_checks(environment), *ROLLOUT)
    except (EnvironmentProblem, UnknownCheck, ExpressionProblem) as problem:
        print(f"seatrial role: {problem}", file=sys.stderr)
        return 2
    if environment.cluster is None or not environment.cluster.namespaces:
        name = environment.name
        print(f"seatrial role: the environment {name} declares no [cluster] with namespaces", file=sys.stderr)
        return 2
    patterns = arguments.checks or ["*"]
    chosen = [check for check in checks if any(fnmatchcase(check.id, pattern) for pattern in patterns)]
    if not chosen:
        print(f"seatrial role: no check is called {', '.join(patterns)}: see `seatrial checks`", file=sys.stderr)
        return 2
    namespaces = environment.cluster.namespaces
    account = arguments.account or f"{namespaces[0]}/{NAME}"
    namespace, _, name = account.partition("/")
    if not namespace or not name:
        print(f"seatrial role: --account: expected NAMESPACE/NAME, seen {account!r}", file=sys.stderr)
        return 2
    # Whoever asks for a few checks alone does not watch rollouts, unless one of those is meant.
    watching = any(fnmatchcase("rolling/progress", pattern) for pattern in patterns)
    found = manifests(needs(chosen), namespaces, (namespace, name), followed_kinds(environment) if watching else ())
    print(yaml.safe_dump_all(found, sort_keys=False), end="")
    return 0
