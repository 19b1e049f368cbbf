"""`seatrial gate`: decide from reports. 0 promote, 10 hold, 20 rollback, 2 wrong use; anything else is no decision."""

from __future__ import annotations

import argparse
import datetime as dt
import io
import os
import sys
import traceback
from pathlib import Path
from typing import Final

from seatrial.evidence.run import write_atomically
from seatrial.gate import collection, policy_file, record
from seatrial.gate.decision import Decision, decide
from seatrial.gate.evidence import Reading
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question
from seatrial.report import summary, terminal
from seatrial.report.text import plain

WRONG_USE: Final = 2
GATE_FAILED: Final = 3
"""The gate itself failed. A pipeline treats it, and any other code, as hold."""


class UsageProblem(ValueError):
    """The command line or the policy is wrong."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("reports", nargs="*", default=["reports/latest"], help="folders or files [reports/latest]")
    parser.add_argument("--env", metavar="NAME", help="environment that is asked about; also names the policy")
    parser.add_argument("--policy", metavar="FILE|NAME", help="policy; that of the environment where absent")
    parser.add_argument("--release", metavar="V", default="", help="version that is asked about")
    parser.add_argument("--now", metavar="RFC3339", help="time of the decision, for replays")
    parser.add_argument("--output", metavar="DIR", help="where decision.json and summary.md go [beside the reports]")
    parser.add_argument("--fixtures", metavar="DIR", help="folder with policies/ [fixtures]")
    parser.add_argument("--traceback", action="store_true", help="show where the gate itself failed")


def run(arguments: argparse.Namespace) -> int:
    """Decide, write, print, and return the exit code of the verdict."""
    # A word that the terminal cannot show must not cost the decision.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    except (UsageProblem, policy_file.PolicyProblem) as problem:
        lines = (plain(line, 1_000) for line in str(problem).splitlines())
        print("seatrial gate: " + "\n  ".join(lines), file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a crash is never a verdict, and must not look like one
        if arguments.traceback:
            traceback.print_exc()
        words = plain(f"{type(error).__name__}: {error}")
        print(f"seatrial gate: gate failed: treat as hold: {words} (--traceback shows where)", file=sys.stderr)
        return GATE_FAILED


def _run(arguments: argparse.Namespace) -> int:
    places = [Path(place) for place in arguments.reports]
    now = _now(arguments.now)
    output = _output(arguments.output)
    # A wrong policy is wrong whatever the reports hold, so it is known first where it is named.
    named = _named_policy(arguments)
    reading = collection.read(places)
    policy, no_policy = (named, "") if named is not None else _policy_of(reading, arguments)
    question = Question(now=now, environment=arguments.env or "", release=arguments.release, no_policy=no_policy)
    decision = decide(reading, policy, question)
    failed = _write(output or collection.folder_of(places), decision, policy, question)
    print(terminal.render(decision, colour=_colour()))
    if failed:
        print(f"seatrial gate: the decision is not recorded: treat as hold: {failed}", file=sys.stderr)
        return GATE_FAILED
    return decision.verdict.exit_code


def _now(given: str | None) -> dt.datetime:
    if given is None:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(given)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise UsageProblem(f"--now: expected a time with its zone such as 2026-05-04T12:00:00Z, seen {given!r}")


def _output(given: str | None) -> Path | None:
    if given is None:
        return None
    output = Path(given)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(f"--output: {output} cannot be made: {error.strerror}") from None
    return output


def _folders(arguments: argparse.Namespace) -> list[policy_file.Folder]:
    return policy_file.folders(Path(arguments.fixtures) if arguments.fixtures else None)


def _named_policy(arguments: argparse.Namespace) -> Policy | None:
    folders = _folders(arguments)
    if arguments.policy and (arguments.policy.endswith(".toml") or "/" in arguments.policy):
        return policy_file.load(Path(arguments.policy), folders)
    name = arguments.policy or arguments.env
    return policy_file.load(policy_file.find(name, folders), folders) if name else None


def _policy_of(reading: Reading, arguments: argparse.Namespace) -> tuple[Policy, str]:
    """The policy of the environment that the evidence is about, else the base, with why it is not the right one."""
    folders = _folders(arguments)
    names = list(dict.fromkeys(name for run in reading.runs if (name := run.get("environment"))))
    problem = ""
    if len(names) == 1:
        try:
            return policy_file.load(policy_file.find(names[0], folders), folders), ""
        except policy_file.UnknownPolicy as unknown:
            problem = f"{plain(str(unknown))}: give --policy"
    return policy_file.load(policy_file.find("base", folders), folders), problem


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write(output: Path | None, decision: Decision, policy: Policy, question: Question) -> str:
    """Keep the decision. Returns what went wrong where something did."""
    page = summary.render(decision)
    if output is not None:
        try:
            write_atomically(output / "decision.json", record.dumps(record.document(decision, policy, question)))
            write_atomically(output / "summary.md", page)
        except OSError as error:
            return f"{output}: {error.strerror or error}"
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(step).open("a", encoding="utf-8") as stream:
                stream.write(page)
        except OSError as error:
            # The pipeline's page is a convenience; the record is kept, so the decision stands.
            print(f"seatrial gate: GITHUB_STEP_SUMMARY: {error.strerror or error}", file=sys.stderr)
    return ""
