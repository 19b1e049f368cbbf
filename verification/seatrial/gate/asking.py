"""What `seatrial gate` and its subcommands share: the words that ask, what they come to, and how wrong use is told."""

from __future__ import annotations

import argparse
import datetime as dt
import io
import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seatrial.gate import calendar_file, collection, gathering, policy_file
from seatrial.gate.audit import DEFAULT_LOG
from seatrial.gate.change import Change
from seatrial.gate.evidence import Reading
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question
from seatrial.report.text import plain

WRONG_USE: Final = 2
GATE_FAILED: Final = 3
"""The gate itself failed. A pipeline treats it, and any other code, as hold."""


class UsageProblem(ValueError):
    """The command line or the policy is wrong."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question that can be decided."""

    places: tuple[Path, ...]
    reading: Reading
    policy: Policy
    question: Question


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the reports and what is asked of them."""
    parser.add_argument("reports", nargs="*", default=["reports/latest"], help="folders or files [reports/latest]")
    parser.add_argument("--env", metavar="NAME", help="environment that is asked about; also names the policy")
    parser.add_argument("--policy", metavar="FILE|NAME", help="policy; that of the environment where absent")
    parser.add_argument("--release", metavar="V", default="", help="version that is asked about")
    parser.add_argument(
        "--digest",
        metavar="SHA256",
        action="append",
        default=[],
        help="image digest that is asked about; once for every image of the release",
    )
    parser.add_argument("--now", metavar="RFC3339", help="time of the decision, for replays")
    parser.add_argument("--actor", metavar="NAME", default="", help="who deploys [as the pipeline says]")
    parser.add_argument("--ticket", metavar="ID", default="", help="ticket of the change [SEATRIAL_TICKET]")
    parser.add_argument("--change", metavar="COMMIT", default="", help="what is brought out [as the pipeline says]")
    parser.add_argument("--approval", metavar="FILE", action="append", default=[], help="an approval; may be repeated")
    parser.add_argument(
        "--promoted",
        metavar="FILE|DIR",
        action="append",
        default=[],
        help="decision.json of an environment before this one; may be repeated",
    )
    parser.add_argument("--audit", metavar="FILE", help=f"audit log [that of the policy, else {DEFAULT_LOG}]")
    add_common_arguments(parser)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what a subcommand needs that asks nothing."""
    parser.add_argument("--fixtures", metavar="DIR", help="folder with policies/ [fixtures]")
    parser.add_argument("--traceback", action="store_true", help="show where the gate itself failed")


def asked(arguments: argparse.Namespace) -> Asked:
    """Read the policy and the reports. Raises UsageProblem and PolicyProblem."""
    places = tuple(Path(place) for place in arguments.reports)
    now = moment("--now", arguments.now) if arguments.now is not None else dt.datetime.now(dt.UTC)
    digests = _digests(arguments.digest)
    # A wrong policy is wrong whatever the reports hold, so it is known first where it is named.
    named = named_policy(arguments)
    reading = collection.read(places)
    policy, no_policy = (named, "") if named is not None else policy_of(reading, arguments)
    change = Change.told(os.environ, actor=arguments.actor, ticket=arguments.ticket, what=arguments.change)
    log, log_named = log_of(arguments, policy)
    releases = {run.get("release-wanted") for run in reading.runs} | {arguments.release}
    try:
        approvals = gathering.approvals(arguments.approval)
        precedents = gathering.precedents(policy.promotion.after, releases, arguments.promoted, log, named=log_named)
    except gathering.UnreadableFile as problem:
        raise UsageProblem(str(problem)) from None
    question = Question(
        now=now,
        environment=arguments.env or "",
        release=arguments.release,
        digests=digests,
        no_policy=no_policy,
        change=change,
        approvals=approvals,
        precedents=precedents,
        calendars=calendar_file.looks(policy, now),
    )
    return Asked(places=places, reading=reading, policy=policy, question=question)


def log_of(arguments: argparse.Namespace, policy: Policy) -> tuple[Path, bool]:
    """The audit log, and whether somebody named it."""
    named = arguments.audit or policy.audit.log
    return (Path(named), True) if named else (DEFAULT_LOG, False)


def guarded(name: str, arguments: argparse.Namespace, run: Callable[[], int]) -> int:
    """The exit code of ``run``; 2 for wrong use and 3 for a crash, told in a line each under the command's ``name``."""
    # A word that the terminal cannot show must not cost the decision.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return run()
    except (UsageProblem, policy_file.PolicyProblem) as problem:
        lines = (plain(line, 1_000) for line in str(problem).splitlines())
        print(f"seatrial {name}: " + "\n  ".join(lines), file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a crash is never a verdict, and must not look like one
        if arguments.traceback:
            traceback.print_exc()
        words = plain(f"{type(error).__name__}: {error}")
        print(f"seatrial {name}: gate failed: treat as hold: {words} (--traceback shows where)", file=sys.stderr)
        return GATE_FAILED


def moment(option: str, given: str) -> dt.datetime:
    """A time from the command line, in UTC. Raises UsageProblem."""
    try:
        told = dt.datetime.fromisoformat(given)
        if told.tzinfo is not None:
            return told.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise UsageProblem(f"{option}: expected a time with its zone such as 2026-05-04T12:00:00Z, seen {given!r}")


def _digests(given: list[str]) -> tuple[str, ...]:
    # `repository@sha256:...` is what registries and clusters print.
    digests = [word.rpartition("@")[2] for words in given for word in words.split(",")]
    for digest in digests:
        if not re.fullmatch("sha256:[0-9a-f]{64}", digest):
            raise UsageProblem(f"--digest: expected sha256: and 64 hexadecimal digits, seen {digest[:100]!r}")
    return tuple(sorted(set(digests)))


def folders(arguments: argparse.Namespace) -> list[policy_file.Folder]:
    """Where policies are looked for."""
    return policy_file.folders(Path(arguments.fixtures) if arguments.fixtures else None)


def policy_called(name: str, places: list[policy_file.Folder]) -> Policy:
    """The policy of this name, or in this file where it is a path. Raises PolicyProblem."""
    if name.endswith(".toml") or "/" in name:
        return policy_file.load(Path(name), places)
    return policy_file.load(policy_file.find(name, places), places)


def named_policy(arguments: argparse.Namespace) -> Policy | None:
    """The policy that ``--policy`` or ``--env`` names, None where neither is given."""
    places = folders(arguments)
    if arguments.policy:
        return policy_called(arguments.policy, places)
    return policy_file.load(policy_file.find(arguments.env, places), places) if arguments.env else None


def policy_of(reading: Reading, arguments: argparse.Namespace) -> tuple[Policy, str]:
    """The policy of the environment that the evidence is about, else the base, with why it is not the right one."""
    places = folders(arguments)
    names = list(dict.fromkeys(name for run in reading.runs if (name := run.get("environment"))))
    problem = ""
    if len(names) == 1:
        try:
            return policy_file.load(policy_file.find(names[0], places), places), ""
        except policy_file.UnknownPolicy as unknown:
            problem = f"{plain(str(unknown))}: give --policy"
    return policy_file.load(policy_file.find("base", places), places), problem
