"""`seatrial gate`: decide from reports. 0 promote, 10 hold, 20 rollback, 2 wrong use; anything else is no decision."""

from __future__ import annotations

import argparse
import datetime as dt
import difflib
import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from seatrial.evidence.run import write_atomically
from seatrial.gate import collection, record
from seatrial.gate.decision import Decision, Question, decide
from seatrial.gate.evidence import Reading
from seatrial.gate.policy import Policy, PolicyProblem, load
from seatrial.report import summary, terminal
from seatrial.report.text import plain

WRONG_USE: Final = 2
_POLICY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
GATE_FAILED: Final = 3
"""The gate itself failed. A pipeline treats it, and any other code, as hold."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("reports", nargs="*", default=["reports/latest"], help="folders or files [reports/latest]")
    parser.add_argument("--env", help="environment that is asked about; also chooses the policy")
    parser.add_argument("--policy", help="file, or name of a policy; that of the environment where absent")
    parser.add_argument("--release", default="", help="version that is asked about")
    parser.add_argument("--now", help="time of the decision, RFC 3339; for replays")
    parser.add_argument("--output", help="folder for decision.json and summary.md [the folder of the reports]")
    parser.add_argument("--fixtures", help="folder with policies/ [fixtures]")
    parser.add_argument("--traceback", action="store_true", help="show where the gate itself failed")


def run(arguments: argparse.Namespace) -> int:
    """Decide, print, write, and return the exit code of the verdict."""
    try:
        return _run(arguments)
    except UsageProblem as problem:
        print(f"seatrial gate: {problem}", file=sys.stderr)
        return WRONG_USE
    except Exception as error:  # noqa: BLE001 - a crash is never a verdict, and must not look like one
        if arguments.traceback:
            traceback.print_exc()
        words = plain(f"{type(error).__name__}: {error}")
        print(
            f"seatrial gate: the gate itself failed, treat this as hold: {words} (--traceback shows where)",
            file=sys.stderr,
        )
        return GATE_FAILED


class UsageProblem(ValueError):
    """The command line or the policy is wrong."""


def _run(arguments: argparse.Namespace) -> int:
    places = [Path(place) for place in arguments.reports]
    reading = collection.read(places)
    policy = _policy(arguments, reading)
    question = Question(now=_now(arguments.now), environment=arguments.env or "", release=arguments.release)
    decision = decide(reading, policy, question)
    output = _output(arguments, places)
    _print(terminal.render(decision, colour=_colour()))
    if output is not None:
        _write(output, decision, policy, question, reading)
    return decision.verdict.exit_code


def _print(text: str) -> None:
    # A terminal that cannot show a character is no reason not to decide.
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


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


def _policy(arguments: argparse.Namespace, reading: Reading) -> Policy:
    directories = [*([Path(arguments.fixtures) / "policies"] if arguments.fixtures else []), *_policy_directories()]
    given = arguments.policy or ""
    try:
        if given.endswith(".toml") or "/" in given:
            return load(Path(given), directories)
        told = next((v for run in reading.runs if (v := run.get("environment"))), "")
        # Where nothing says which policy it should be, there is no evidence either: the base holds.
        return load(_policy_file(given or arguments.env or told or "base", directories), directories)
    except PolicyProblem as problem:
        raise UsageProblem(str(problem)) from None


def _policy_file(name: str, directories: Sequence[Path]) -> Path:
    if not _POLICY_NAME.fullmatch(name):
        raise UsageProblem(f"no policy can be called {plain(name)!r}")
    path = next((p for directory in directories if (p := directory / f"{name}.toml").is_file()), None)
    if path is None:
        known = sorted({p.stem for directory in directories for p in directory.glob("*.toml")})
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        places = ", ".join(map(str, directories))
        raise UsageProblem(f"no policy {name!r} in {places}; {hint}known are {', '.join(known) or 'none'}; --policy")
    return path


def _policy_directories() -> list[Path]:
    """The project's own policies, then those that travel with the package."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "shipped" / "fixtures" / "policies"
    shipped = inside if inside.is_dir() else package.parents[1] / "fixtures" / "policies"
    own = Path("fixtures/policies")
    return [own] if own.resolve() == shipped else [own, shipped]


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _output(arguments: argparse.Namespace, places: Sequence[Path]) -> Path | None:
    if arguments.output:
        output = Path(arguments.output)
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageProblem(f"--output: {output} cannot be made: {error.strerror}") from None
        return output
    return next((place for place in places if place.is_dir()), None)


def _write(output: Path, decision: Decision, policy: Policy, question: Question, reading: Reading) -> None:
    page = summary.render(decision)
    document = record.document(decision, policy, question, reading.files)
    try:
        write_atomically(output / "decision.json", record.dumps(document))
        write_atomically(output / "summary.md", page)
    except OSError as error:
        raise UsageProblem(f"the decision cannot be written to {output}: {error.strerror}; --output") from None
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(step).open("a", encoding="utf-8") as stream:
                stream.write(page)
        except OSError as error:
            # The page is there for people; the decision stands without it.
            print(f"seatrial gate: GITHUB_STEP_SUMMARY: {step}: {error.strerror}", file=sys.stderr)
