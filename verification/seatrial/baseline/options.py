"""The options of ``seatrial baseline``, one subcommand after the other."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path


class WrongUse(Exception):
    """The arguments do not fit together, or to what is there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands and their options."""
    parser.epilog = (
        "Exit code: 0 done, or not slower; 10 refused, or not decided; 20 slower; 2 wrong use. A file of the store "
        "that was damaged or edited is refused by every command (10)."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--store", metavar="PLACE", help="folder or bucket; that of the environment's file")
    common.add_argument("--seatrial-fixtures", metavar="DIR", help="folder with environments/ [fixtures]")
    common.add_argument("--now", metavar="RFC3339", help="time by which ages are told, for replays")
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("--env", metavar="NAME", required=True, help="environment")
    which.add_argument("--service", metavar="NAME", help="service; all where absent")
    which.add_argument("--profile", metavar="NAME", help="load profile; all where absent")

    one = commands.add_parser("list", parents=[common], help="the series that there are")
    one.add_argument("--env", metavar="NAME", default="", help="of one environment alone")
    commands.add_parser("show", parents=[common, which], help="every run of a series, with change points")
    one = commands.add_parser(
        "update", parents=[common], help="let promoted runs enter; others are refused, with reasons"
    )
    one.add_argument("reports", nargs="+", type=Path, help="folders of runs, or folders with such folders in them")
    one.add_argument("--decision", type=Path, metavar="FILE", help="decision of a single run that lies elsewhere")
    one = commands.add_parser(
        "compare", parents=[common], help="hold one run, or several of a release, against those kept"
    )
    one.add_argument("reports", nargs="+", type=Path, help="folders of runs")
    one.add_argument("--service", metavar="NAME", help="where several were measured, `NAME/REGION` in a region")
    one = commands.add_parser("anchor", parents=[common, which], help="hold later runs against other ones for good")
    one.add_argument("--reason", required=True, help="what made the service slower or faster for good")
    one.add_argument("--runs", type=int, default=10, metavar="N", help="the latest N runs become the anchor [10]")
    one = commands.add_parser(
        "prune", parents=[common, which], help="remove runs; lists them first, and asks for --yes"
    )
    one.add_argument("--older-than", metavar="AGE", help="runs older than this, such as 180d")
    one.add_argument("--keep", type=int, metavar="N", help="all but the latest N runs")
    one.add_argument("--yes", action="store_true", help="remove what is listed")


def now_of(given: str | None) -> dt.datetime:
    """The time that ``--now`` gives, else that of the clock. Raises WrongUse."""
    if given is None:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(given)
        if moment.tzinfo is not None:
            return moment
    except ValueError:
        pass
    raise WrongUse(f"--now: expected a time with its zone such as 2026-05-04T12:00:00Z, seen {given!r}")
