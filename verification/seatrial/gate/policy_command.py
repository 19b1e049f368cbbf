"""`seatrial policy list|show`: policies without any reports."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from seatrial.gate import asking, policy_file
from seatrial.gate.policy import DEFAULT_EFFECTS, Policy

_ACTIONS: Final = ("list", "show")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.add_argument("action", choices=_ACTIONS, help="list all, or show what one comes to")
    parser.add_argument("names", nargs="*", metavar="NAME", help="policies, or paths ending in .toml")
    parser.add_argument("--json", action="store_true", help="as JSON")
    asking.add_common_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return 0, or 2 where a policy is unknown or wrong."""
    return asking.guarded(f"policy {arguments.action}", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    places = asking.folders(arguments)
    if arguments.action == "list":
        return _list(places)
    if len(arguments.names) != 1:
        raise asking.UsageProblem("name one policy")
    policy = asking.policy_called(arguments.names[0], places)
    if arguments.json:
        print(json.dumps({"policy": _content(policy), "sha256": policy.sha256()}, indent=2, sort_keys=True))
    else:
        print("\n".join([f"# {policy.name}, sha256 {policy.sha256()}", *_lines(_content(policy))]))
    return 0


def _list(places: Sequence[policy_file.Folder]) -> int:
    for name in policy_file.known(places):
        try:
            policy = policy_file.load(policy_file.find(name, places), places)
        except policy_file.PolicyProblem as problem:
            print(str(problem), file=sys.stderr)
            print(f"{name:<12} (not valid)")
            continue
        suites = ", ".join(f"{suite} {rule.minimum}" for suite, rule in sorted(policy.required.items()))
        print(f"{name:<12} requires {suites or 'no suite'}")
    return 0


def _content(policy: Policy) -> dict[str, Any]:
    """The policy in the form of its file, with every default said."""
    content: dict[str, Any] = msgspec.to_builtins(policy)
    special = content.pop("suite_effects")
    del content["name"]
    general = {key: value or DEFAULT_EFFECTS[key] for key, value in content["effects"].items()}
    suites = {suite: {key: value for key, value in table.items() if value} for suite, table in special.items()}
    return {**content, "effects": {**general, **suites}}


def _lines(content: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """``key = value``, TOML again that comes to the same."""
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _lines(value, f"{above}{key}.")
        elif not isinstance(value, dict):
            yield f"{above}{key} = {json.dumps(value, ensure_ascii=False)}"
