"""``seatrial baseline``: what earlier runs are kept, which may enter, and how a run compares with them."""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from seatrial.baseline import history, telling
from seatrial.baseline.intake import Candidate, Measured, Refused, candidates, measurements, run_folders
from seatrial.baseline.judging import Before, assess_runs, before, rule_of
from seatrial.baseline.options import WrongUse, add_arguments, now_of
from seatrial.baseline.series import Series, SeriesProblem
from seatrial.baseline.store import Store, store_of
from seatrial.environment import loading, locations
from seatrial.environment.model import Environment
from seatrial.environment.units import parse_duration
from seatrial.evidence.outcome import Outcome
from seatrial.load.place import PlaceProblem, place_of
from seatrial.load.profile import ProfileError, load_profile
from seatrial.load.summary import LEVELS

__all__ = ["add_arguments", "run"]

HOLD: Final = 10
EXIT: Final = {Outcome.PASS: 0, Outcome.FAIL: 20, Outcome.ERROR: HOLD, Outcome.INCONCLUSIVE: HOLD}


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked, print, and return the exit code."""
    try:
        return _COMMANDS[arguments.command](arguments, now_of(arguments.now))
    except (WrongUse, loading.EnvironmentProblem, ProfileError) as error:
        print(f"seatrial baseline: {error}", file=sys.stderr)
        return 2
    except (PlaceProblem, SeriesProblem) as problem:
        print(f"seatrial baseline: {problem}", file=sys.stderr)
        return HOLD


def _list(arguments: argparse.Namespace, now: dt.datetime) -> int:
    if arguments.env:
        environment, store = _of_environment(arguments, arguments.env)
    else:
        environment, store = None, Store(place=place_of(arguments.store or _fixtures(arguments) / "baselines"))
    found = store.all(arguments.env)
    for name, series in found.items():
        rules = (environment or Environment(name=series.environment)).baseline
        print(f"{store.place.where(name)}\n  {telling.listed(series, rules, now=now)}")
    if not found:
        print(f"no baselines in {store.place}: let promoted runs enter with `seatrial baseline update REPORTS`")
    return 0


def _show(arguments: argparse.Namespace, now: dt.datetime) -> int:
    environment, store = _of_environment(arguments, arguments.env)
    for series in _chosen(arguments, store):
        try:
            points, note = history.change_points(series.runs), ""
        except history.NotInstalled as reason:
            points, note = (), f"{reason}\n"
        print("\n".join(telling.shown(series, environment.baseline, points, now=now)))
        print(note)
    return 0


def _update(arguments: argparse.Namespace, now: dt.datetime) -> int:
    refused = 0
    folders = _folders(arguments.reports)
    if arguments.decision is not None and len(folders) != 1:
        raise WrongUse(f"--decision: expected one run, seen {len(folders)}")
    for folder in folders:
        for found in candidates(folder, arguments.decision):
            if isinstance(found, Refused):
                refused += 1
                print(f"refused  {folder.name}: {found}")
                continue
            refused += not _enter(arguments, found, now)
    return HOLD if refused else 0


def _enter(arguments: argparse.Namespace, found: Candidate, now: dt.datetime) -> bool:
    """Whether the run is in the store now."""
    environment, store = _of_environment(arguments, found.series.environment)
    name = f"{found.stored.run}: {found.series.service}"
    if (now - found.stored.moment).total_seconds() > environment.baseline.max_age:
        print(f"refused  {name}: it ended on {found.stored.finished}, longer ago than `max_age` of [baseline]")
        return False
    try:
        series = store.change(found.series, lambda before: before.add(found.stored, now=now))
    except SeriesProblem as problem:
        print(f"kept     {name}: {problem}")
        return True
    print(f"entered  {name}: {telling.listed(series, environment.baseline, now=now)}")
    return True


def _compare(arguments: argparse.Namespace, now: dt.datetime) -> int:
    measured = list(_measured(arguments))
    first = measured[0]
    environment, store = _of_environment(arguments, first.environment)
    if first.service not in environment.services:
        raise WrongUse(f"the environment {environment.name} declares no service {first.service!r}")
    series = store.find(first.environment, first.service, first.profile, first.fingerprint)
    if series is None:
        print(f"there is no baseline of {first.service} under {first.profile} in {first.environment} for this load")
        for kin in store.kin(first.environment, first.service):
            theirs = kin.fingerprint
            different = [f"{key} {theirs[key][:12]!r}" for key in theirs if first.fingerprint.get(key) != theirs[key]]
            print(f"  there is one of {telling.name_of(kin)}: {', '.join(different) or 'of another profile'}")
        return HOLD
    if unsound := [one for one in measured if not one.sound]:
        print(f"the measurement of {unsound[0].run} was not sound: {'; '.join(unsound[0].problems)}")
        return HOLD
    runs = [one.run for one in measured]
    earlier = before(series, environment.baseline, now=now, leave_out=runs)
    objectives = environment.services[first.service].objectives
    profile = load_profile(first.profile, Path.cwd())
    seen = {
        level: [one.levels[name] / 1e6 for one in measured]
        for name, level in LEVELS.items()
        if all(name in one.levels for one in measured)
    }
    rule = rule_of(objectives, profile.confidence)
    where = f"{first.service} in {len(runs)} run{'' if len(runs) == 1 else 's'}"
    assessment = assess_runs(where, seen, earlier, rule)
    _explain(assessment.outcome, assessment.message, earlier, assessment.remedy)
    return EXIT[assessment.outcome]


def _explain(outcome: Outcome, message: str, earlier: Before, remedy: str) -> None:
    print(f"{outcome.value}: {message}")
    for anchor in earlier.series.anchors[-1:]:
        print(f"  anchor    {len(anchor.runs)} runs, set {anchor.set}: {anchor.reason}")
    if remedy:
        print(f"  next      {remedy}")


def _measured(arguments: argparse.Namespace) -> Iterator[Measured]:
    """What is compared: one measurement for each run, all of one load. Raises WrongUse."""
    kinds = set()
    for folder in _folders(arguments.reports):
        try:
            found = [one for one in measurements(folder) if arguments.service in (None, one.label)]
        except Refused as reason:
            raise WrongUse(f"{folder}: {reason}") from None
        if len(found) != 1:
            names = ", ".join(one.label for one in found) or "none"
            raise WrongUse(f"{folder}: expected one measured service, seen {names}: choose with --service")
        one = found[0]
        kinds.add((one.environment, one.service, one.profile, tuple(sorted(one.fingerprint.items()))))
        if len(kinds) > 1:
            raise WrongUse(f"{folder}: it was measured with another load, or elsewhere, than the runs before it")
        yield one


def _anchor(arguments: argparse.Namespace, now: dt.datetime) -> int:
    _, store = _of_environment(arguments, arguments.env)
    chosen = _chosen(arguments, store)
    if len(chosen) > 1:
        raise WrongUse(f"expected one series, seen {len(chosen)}: choose with --service and --profile")
    after = store.change(chosen[0], lambda one: one.re_anchored(arguments.runs, arguments.reason, now=now))
    anchor = after.anchors[-1]
    print(f"{telling.name_of(after)}: anchored at {len(anchor.runs)} runs, {anchor.runs[0]} to {anchor.runs[-1]}")
    return 0


def _prune(arguments: argparse.Namespace, now: dt.datetime) -> int:
    if arguments.older_than is None and arguments.keep is None:
        raise WrongUse("say what goes: --older-than AGE, --keep N, or both")
    if arguments.keep is not None and arguments.keep < 0:
        raise WrongUse(f"--keep: expected 0 or more, seen {arguments.keep}")
    try:
        age = None if arguments.older_than is None else parse_duration(arguments.older_than)
    except ValueError as error:
        raise WrongUse(f"--older-than: {error}") from None

    _, store = _of_environment(arguments, arguments.env)
    for series in _chosen(arguments, store):
        gone = series.prunable(now=now, older_than=age, keep=arguments.keep)
        words = "removed" if arguments.yes else "would be removed"
        print(f"{telling.name_of(series)}: {len(gone)} of {len(series.runs)} runs {words}; the anchor stays")
        for one in gone:
            print(f"  {one.finished}  {one.release:<15} {one.run}")
        if gone and arguments.yes:
            store.change(series, lambda one: one.without(one.prunable(now=now, older_than=age, keep=arguments.keep)))
    if not arguments.yes:
        print("nothing was removed: say --yes")
    return 0


def _folders(places: Sequence[Path]) -> list[Path]:
    folders = run_folders(places)
    if not folders:
        raise WrongUse(f"there is no run (evidence.json) in {', '.join(map(str, places))}")
    return folders


def _fixtures(arguments: argparse.Namespace) -> Path:
    return Path(arguments.seatrial_fixtures) if arguments.seatrial_fixtures else Path("fixtures")


def _of_environment(arguments: argparse.Namespace, name: str) -> tuple[Environment, Store]:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise WrongUse(f"expected the name of an environment, seen {name!r}")
    directories = locations.fixture_directories(Path.cwd(), arguments.seatrial_fixtures)
    environment = loading.load(name, directories).environment
    if arguments.store is not None:
        return environment, Store(place=place_of(arguments.store))
    return environment, store_of(environment, _fixtures(arguments), Path.cwd())


def _chosen(arguments: argparse.Namespace, store: Store) -> list[Series]:
    """The series that the options select. Raises WrongUse where there is none, naming those there are."""
    known = list(store.all(arguments.env).values())
    found = [
        one for one in known if arguments.service in (None, one.service) and arguments.profile in (None, one.profile)
    ]
    if not found:
        names = ", ".join(f"{one.service} under {one.profile}" for one in known) or "none"
        raise WrongUse(f"no such baseline of {arguments.env} in {store.place}; there are: {names}")
    return found


_COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace, dt.datetime], int]]] = {
    "list": _list,
    "show": _show,
    "update": _update,
    "compare": _compare,
    "anchor": _anchor,
    "prune": _prune,
}
