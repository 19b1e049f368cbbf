"""The `seatrial` command. A subcommand's module is imported only when it is called, so that the gate starts quickly."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seatrial import __version__


@dataclass(frozen=True, kw_only=True)
class Command:
    """A subcommand: its module has ``add_arguments(parser)`` and ``run(arguments) -> exit code``."""

    name: str
    module: str
    summary: str
    needs: str = ""
    """The extra that the command needs beyond the base installation."""
    subcommands: tuple[Command, ...] = ()
    """Commands that the first word after this one may name; any other word is for the command itself."""


GATE_SUBCOMMANDS: Final[tuple[Command, ...]] = (
    Command(name="explain", module="seatrial.gate.explain_command", summary="say in plain words why it was decided so"),
    Command(
        name="backtest",
        module="seatrial.gate.backtest_command",
        summary="show what another policy would have decided over past runs",
    ),
    Command(name="replay", module="seatrial.gate.replay_command", summary="make a recorded decision once more"),
)
"""What can be done with a decision beside making it. A folder of reports with such a name is given as `./NAME`."""

POLICY_SUBCOMMANDS: Final = (
    Command(name="list", module="seatrial.gate.policy_command", summary="list policies and what each requires"),
    Command(name="show", module="seatrial.gate.policy_show_command", summary="show what a policy comes to"),
    Command(name="lint", module="seatrial.gate.lint_command", summary="find rules that cannot mean what they say"),
)

COMMANDS: Final = (
    Command(
        name="gate",
        module="seatrial.gate.command",
        summary="decide from reports: promote, hold or rollback",
        subcommands=GATE_SUBCOMMANDS,
    ),
    Command(
        name="policy",
        module="seatrial.gate.policy_command",
        summary="list, check and show policies",
        subcommands=POLICY_SUBCOMMANDS,
    ),
    Command(
        name="approve",
        module="seatrial.gate.approve_command",
        summary="sign that a release may be promoted",
        subcommands=(
            Command(name="keygen", module="seatrial.gate.keygen_command", summary="make a key to approve with"),
        ),
    ),
    Command(name="audit", module="seatrial.gate.audit_command", summary="verify and show the log of what was decided"),
    Command(name="env", module="seatrial.environment.command", summary="list, check and show environments"),
    Command(name="init", module="seatrial.environment.init_command", summary="write an environment for your system"),
    Command(name="checks", module="seatrial.checks.command", summary="list and explain the checks"),
    Command(name="role", module="seatrial.checks.role_command", summary="print the least rights that reading takes"),
    Command(
        name="snapshot", module="seatrial.checks.snapshot_command", summary="save what a cluster is like, and check it"
    ),
    Command(name="conversation", module="seatrial.conversation.command", summary="check and run conversations"),
    Command(
        name="watch",
        module="seatrial.conversation.watch_command",
        summary="hold conversations on a schedule, results as Prometheus metrics",
    ),
    Command(
        name="calibrate",
        module="seatrial.load.calibrate_command",
        summary="measure stable against itself: false alarms, and what a budget can see",
        needs="load",
    ),
    Command(
        name="baseline",
        module="seatrial.baseline.command",
        summary="promoted runs that later ones are judged by, where stable cannot run beside them",
    ),
    Command(
        name="watch-rollout",
        module="seatrial.rollout.watch_command",
        summary="verify a release while it is brought out, and decide",
        needs="load",
    ),
    Command(
        name="webhook",
        module="seatrial.webhook.command",
        summary="answer Flagger and Argo Rollouts from recorded decisions",
    ),
    Command(
        name="drill",
        module="seatrial.drill.command",
        summary="take a release back, or lose a pod, on purpose, and measure the way back",
    ),
    Command(name="demo", module="seatrial.demo.command", summary="serve the embedded demo"),
)


def _usage(commands: Sequence[Command], prog: str) -> str:
    width = max(len(command.name) for command in commands)
    lines = [f"  {command.name:<{width}}  {command.summary}" for command in commands]
    return "\n".join(["commands:", *lines, "", f"`{prog} COMMAND --help` says more about each."])


def _called(command: Command, words: Sequence[str], prog: str) -> tuple[Command, str, Sequence[str]]:
    """The command or the subcommand of it that ``words`` begin with, what it is called, and the words that are left."""
    found = next((sub for sub in command.subcommands if words[:1] == [sub.name]), None)
    return (command, prog, words) if found is None else _called(found, words[1:], f"{prog} {found.name}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code; 2 is wrong use."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="seatrial",
        description="Deployment verification: promote, hold or rollback, with the evidence.",
        epilog=_usage(COMMANDS, "seatrial"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"seatrial {__version__}")
    parser.add_argument("command", choices=[command.name for command in COMMANDS], metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    if not words:
        parser.print_help()
        return 2
    named = next(c for c in COMMANDS if c.name == parser.parse_args(words[:1]).command)
    command, prog, rest = _called(named, words[1:], f"seatrial {named.name}")
    try:
        module = importlib.import_module(command.module)
    except ModuleNotFoundError as error:
        if not command.needs or (error.name or "").startswith("seatrial"):
            raise
        print(f"{prog}: needs {error.name}: pip install 'seatrial[{command.needs}]'", file=sys.stderr)
        return 2
    own = argparse.ArgumentParser(
        prog=prog,
        description=f"{command.summary[0].upper()}{command.summary[1:]}.",
        epilog=_usage(command.subcommands, prog) if command.subcommands else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(own)
    try:
        code: int = module.run(own.parse_args(rest))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of a pipe has left, as in `seatrial checks | head`.
        sys.stderr.close()
        return 128 + signal.SIGPIPE
    return code


if __name__ == "__main__":
    sys.exit(main())
