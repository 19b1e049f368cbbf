"""`seatrial watch-rollout`: verify a release while somebody brings it out, until the all-clear, and decide."""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from seatrial.rollout.words import NoWord, parse_word

WRONG_USE: Final = 2
_USAGE_OF_PYTEST: Final = 4
_EPILOG: Final = """\
Start it beside the deployer, before traffic moves. It runs the suites against the candidate's own address, then watches
what users get at the public one. The deployer says what it has done by `seatrial watch-rollout --words FILE --step
STEP`, or appends the line to that file itself:

  weight 25     the candidate was given 25 % of the traffic
  switch        blue-green: traffic was switched to the candidate
  abort         the release is taken back
  done          nothing more will come

Without --words the steps are heard from the cluster where [services.NAME.shifter] says which object makes them: an
HTTPRoute, a Rollout of Argo, or a Service whose selector is switched. Without that too they are those of [rollout]
steps, each taken for begun when the one before is done.

What is known of each step is in samples/rollout/SERVICE/story.json of the run's folder as soon as it is known, for a
deployer that waits for it. The exit code is that of `seatrial gate`: 0 promote, 10 hold, 20 rollback. A watch
that is interrupted holds: its checks have no outcome. What it saw stays in the run's folder.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("--env", metavar="NAME", help="environment in which it is brought out")
    parser.add_argument("--release", metavar="VERSION", help="version that is brought out")
    parser.add_argument(
        "--strategy",
        default="declared",
        choices=("declared", "canary", "blue-green", "rolling"),
        help="how it is brought out [what the environment says]",
    )
    parser.add_argument("--words", metavar="FILE", help="file in which the deployer says what it has done")
    parser.add_argument(
        "--step", metavar="STEP", help="say a step to the watch that reads --words, instead of watching: see below"
    )
    parser.add_argument("--within", metavar="DURATION", help="longest time that the watch may take [1h]")
    parser.add_argument("--settle", metavar="DURATION", help="time to settle [that of the environment]")
    parser.add_argument("--policy", metavar="FILE|NAME", help="policy; that of the environment where absent")
    parser.add_argument("--audit", metavar="FILE", help="audit log of the decision [that of the policy]")
    parser.add_argument("--fixtures", metavar="DIR", help="folder with environments/ and policies/ [fixtures]")
    parser.add_argument("--reports", metavar="DIR", default="reports", help="folder of reports [reports]")
    parser.add_argument("-m", dest="marker", metavar="SUITES", help="suites beside the watch, as pytest's -m [all]")
    parser.add_argument("--demo-fault", action="append", default=[], help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Watch, then decide. The exit code is the gate's; 2 for wrong use."""
    if arguments.step is not None:
        return _say(arguments.step, arguments.words)
    if arguments.env is None:
        return _wrong("expected --env NAME, or --words FILE and --step STEP to speak to a watch that runs")
    if importlib.util.find_spec("locust") is None:
        return _wrong("needs locust: pip install 'seatrial[load]'")
    code = _interruptible(_pytest(arguments))
    if code == _USAGE_OF_PYTEST:
        return WRONG_USE
    return subprocess.run(_gate(arguments), check=False).returncode


def _wrong(words: str) -> int:
    print(f"seatrial watch-rollout: {words}", file=sys.stderr)
    return WRONG_USE


def _say(step: str, words: str | None) -> int:
    """Append a step, as one line at once, to the file that a watch reads."""
    if words is None:
        return _wrong("--step: expected --words FILE, the file that the watch was given")
    try:
        parse_word(step)
    except NoWord as problem:
        return _wrong(f"--step: {problem}")
    try:
        with Path(words).open("a", encoding="utf-8") as file:
            file.write(f"{step.strip()}\n")
    except OSError as error:
        return _wrong(f"--words: {words} cannot be written: {error.strerror}")
    return 0


def _pytest(arguments: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "pytest", f"--env={arguments.env}", f"--seatrial-watch={arguments.strategy}"]
    for option, value in (
        ("--release", arguments.release),
        ("--seatrial-words", str(Path(arguments.words).resolve()) if arguments.words else None),
        ("--seatrial-within", arguments.within),
        ("--seatrial-settle", arguments.settle),
        ("--seatrial-fixtures", arguments.fixtures),
        ("--seatrial-reports", str(Path(arguments.reports).resolve())),
    ):
        if value:
            command.append(f"{option}={value}")
    command += [f"--demo-fault={fault}" for fault in arguments.demo_fault]
    if arguments.marker:
        command += ["-m", f"({arguments.marker}) or watch"]
    # A clone has its suites in its own settings; elsewhere they come from the installed package.
    if not Path("verification/seatrial/suites").is_dir():
        command += ["--pyargs", "seatrial.suites", *(["synthetic"] if Path("synthetic").is_dir() else [])]
    return command


def _gate(arguments: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "seatrial.cli", "gate", str(Path(arguments.reports) / "latest")]
    command += ["--env", arguments.env]
    for option in ("release", "policy", "audit", "fixtures"):
        if value := getattr(arguments, option):
            command += [f"--{option}", value]
    return command


def _can_be_interrupted() -> Callable[[], object]:
    """What a child does before it begins: heed SIGINT, and get one when its parent is killed, where the system can.

    A shell starts what a script ends with `&` with SIGINT ignored, and whatever that starts would inherit it.
    """
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    set_death_signal = 1

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if prctl is not None:
            prctl(set_death_signal, signal.SIGINT)

    return prepare


def _interruptible(command: Sequence[str]) -> int:
    """Run to its end; an interruption is passed on, and waited for, since it still writes down what it saw."""
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=_can_be_interrupted())

    def pass_on(*_: object) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)

    previous = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return process.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
