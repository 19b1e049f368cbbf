"""`seatrial policy show`: what a policy comes to with all that it extends, or the JSON Schema of all."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from typing import Any

import msgspec
import tomli_w

from seatrial.gate import asking, policy_schema
from seatrial.gate.policy import DEFAULT_EFFECTS, Policy
from seatrial.report.text import plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the policy and its form."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="policy, or a path ending in .toml")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of policies instead")
    asking.add_common_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return 0, or 2 where the policy is unknown or wrong."""
    return asking.guarded("policy show", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.schema:
        print(policy_schema.text(), end="")
        return 0
    if arguments.name is None:
        raise asking.UsageProblem("name one policy; `seatrial policy list` names them all")
    policy = asking.policy_called(arguments.name, asking.folders(arguments))
    content, digest = _content(policy), policy.sha256()
    if arguments.json:
        print(json.dumps({"policy": content, "sha256": digest}, indent=2, sort_keys=True, default=_plain))
    else:
        # A name out of a path may hold what ends a comment.
        print(f"# {plain(policy.name)}, sha256 {digest}\n{tomli_w.dumps(content)}", end="")
    return 0


def _content(policy: Policy) -> dict[str, Any]:
    """The policy in the form of its file, with every default said."""
    content: dict[str, Any] = msgspec.to_builtins(policy, builtin_types=(dt.date, dt.datetime))
    special, triggers = content.pop("suite_effects"), content.pop("trigger_rules")
    del content["name"]
    general = {key: value or DEFAULT_EFFECTS[key] for key, value in content["effects"].items()}
    whole = {**content, "effects": {**general, **special}, "rollback": {**content["rollback"], **triggers}}
    return {key: _said(value) for key, value in whole.items()}


def _said(value: Any) -> Any:
    """The value without keys of which nothing is said."""
    if isinstance(value, dict):
        return {key: _said(item) for key, item in value.items() if item is not None}
    return [_said(item) for item in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    return value.isoformat() if isinstance(value, dt.date) else str(value)
