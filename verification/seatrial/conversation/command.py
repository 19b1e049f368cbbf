"""``seatrial conversation``: check scripts without touching anything, and hold one conversation from a shell."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from seatrial.conversation.loading import BrokenScript, load
from seatrial.conversation.script import Described, Script, rows_of
from seatrial.conversation.selection import NoSuchService, refusal, service_name
from seatrial.environment.model import Environment, Service
from seatrial.environment.selection import ServiceTarget, service_targets
from seatrial.evidence.outcome import Outcome, Role

EXIT: Final = {Outcome.PASS: 0, Outcome.FAIL: 20, Outcome.ERROR: 10, Outcome.INCONCLUSIVE: 10}
"""The gate's numbers: held, the product is bad, we could not look. 2 is wrong use, a broken script among it."""


class WrongUse(Exception):
    """The arguments do not fit together, or to what is there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``check`` and ``run``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="check scripts, without touching the network")
    check.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a script, or a folder of scripts")
    hold = actions.add_parser(
        "run",
        help="hold one conversation and print it",
        epilog="Exit code: 0 it held, 20 the service failed, 10 it could not be looked at, 2 wrong use.",
    )
    hold.add_argument("file", type=Path, metavar="FILE")
    where = hold.add_mutually_exclusive_group(required=True)
    where.add_argument("--env", metavar="NAME", help="environment whose service is talked to")
    where.add_argument("--url", help="address of a service that speaks OpenAI's chat completions")
    hold.add_argument("--track", choices=("stable", "candidate"), help="with --env; the environment's own where absent")
    hold.add_argument("--token-env", metavar="NAME", help="with --url: variable that holds the bearer token")
    hold.add_argument("--model", default="default", help="with --url: model to ask for [default]")
    hold.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="with --url [10]")
    hold.add_argument("--seatrial-fixtures", metavar="DIR", help="with --env: folder with environments/ [fixtures]")

    sweep = actions.add_parser(
        "sweep",
        help="remove what conversations of interrupted runs have left behind",
        epilog="Exit code: 0 nothing is left, 10 something could not be removed, 2 wrong use.",
    )
    sweep.add_argument("--env", required=True, metavar="NAME", help="environment that is to be swept")
    sweep.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="folder of runs [reports]")
    sweep.add_argument("--even-running", action="store_true", help="also runs that did not say that they have ended")
    sweep.add_argument("--seatrial-fixtures", metavar="DIR", help="folder with environments/ [fixtures]")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 where all is well, 2 for wrong use and broken scripts, otherwise as ``EXIT`` says."""
    actions = {"check": lambda given: check(given.paths), "run": hold, "sweep": sweep}
    try:
        return actions[arguments.action](arguments)
    except WrongUse as error:
        print(f"seatrial conversation: {error}", file=sys.stderr)
        return 2


def scripts_in(paths: Iterable[Path]) -> list[Path]:
    """The files meant by ``paths``: folders stand for every ``*.toml`` below them. Raises WrongUse."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*.toml")) if path.is_dir() else [path]
        if not inside:
            raise WrongUse(f"{path}: expected scripts (*.toml) in this folder, seen none")
        found += inside
    return list(dict.fromkeys(found))


def check(paths: Sequence[Path]) -> int:
    """Print every mistake of every script, or how many are in order."""
    files = scripts_in(paths)
    first: dict[str, Path] = {}
    broken = 0
    for file in files:
        try:
            script = _loaded(file)
        except BrokenScript as error:
            broken += 1
            print(error)
            continue
        before = first.setdefault(script.id, file)
        if before is not file:
            broken += 1
            print(f"{file}: id: expected an id of its own, seen {script.id!r}, which {before} has already")
    if broken:
        print(f"{broken} of {len(files)} scripts cannot be used")
        return 2
    print(f"{len(files)} script{'' if len(files) == 1 else 's'} in order: {', '.join(first)}")
    return 0


def _loaded(file: Path) -> Described:
    if file.parent.name == "journeys":
        # Journeys are told of through this command, and know nothing of it.
        from importlib import import_module

        described: Described = import_module("seatrial.journey.loading").load(file)
        return described
    return load(file)


def hold(arguments: argparse.Namespace) -> int:
    """Hold one conversation and print how it went."""
    try:
        script = load(arguments.file)
    except BrokenScript as error:
        raise WrongUse(f"this script cannot be used:\n{error}") from None
    target, bearer, variables = _by_url(arguments) if arguments.url else _by_environment(arguments, script)

    from seatrial.conversation.runner import Setting
    from seatrial.conversation.runner import run as run_script

    worst = Outcome.PASS
    for row, texts in rows_of(script):
        setting = Setting(
            run_id=f"by-hand-{secrets.token_hex(4)}",
            environment=arguments.env or "",
            bearer=bearer,
            variables=variables,
            row=texts,
            row_name=row,
        )
        conclusion = run_script(script, target, setting)
        print(conclusion.transcript)
        print(f"{conclusion.assessment.outcome}: {conclusion.assessment.message}")
        if conclusion.assessment.remedy and conclusion.assessment.outcome is not Outcome.PASS:
            print(f"next: {conclusion.assessment.remedy}")
        worst = max(worst, conclusion.assessment.outcome, key=lambda outcome: outcome.rank)
    return EXIT[worst]


def sweep(arguments: argparse.Namespace) -> int:
    """Pay what the journals of all runs still owe the environment."""
    from seatrial.conversation import sweeping

    environment = _environment(arguments)
    if not environment.data.allow_writes:
        raise WrongUse(f"the environment {environment.name} does not allow writes: nothing of ours can be left there")
    bearers = {target.name: _bearer(target) for target in service_targets(environment, "stable")}
    results = sweeping.sweep(environment, arguments.reports, bearers, even_running=arguments.even_running)
    for result in results:
        print(result)
    if not results:
        print(f"no run in {arguments.reports} has left anything behind in {environment.name}")
    return 10 if any(result.problem for result in results) else 0


Partner = tuple[ServiceTarget, str | None, Mapping[str, str]]
"""Whom to talk to, with which token, and the variables of its environment."""


def _by_url(arguments: argparse.Namespace) -> Partner:
    if arguments.track:
        raise WrongUse("--track needs --env: an address is one track already")
    try:
        service = Service.model_validate(
            {
                "url": {"stable": arguments.url},
                "model": arguments.model,
                "timeout": f"{arguments.timeout}s",
                "auth": {"env": arguments.token_env} if arguments.token_env else None,
            }
        )
    except ValueError:
        raise WrongUse(f"--url: expected http:// or https://, seen {arguments.url!r}") from None
    target = ServiceTarget(
        name="service", track="stable", role=Role.SUBJECT, base_url=service.url.stable, service=service
    )
    return target, _bearer(target), {}


def _by_environment(arguments: argparse.Namespace, script: Script) -> Partner:
    environment = _environment(arguments)
    if environment.target is not None:
        hint = f"start it (`seatrial {environment.target.start}`) and give one of its addresses with --url"
        raise WrongUse(f"the environment {arguments.env} is brought up by each run anew; {hint}")
    if reason := refusal(script, environment):
        raise WrongUse(reason)
    try:
        name = service_name(script, environment)
    except NoSuchService as error:
        raise WrongUse(str(error)) from None
    track = arguments.track or environment.run.track
    target = next(target for target in service_targets(environment, track) if target.name == name)
    return target, _bearer(target), environment.variables


def _environment(arguments: argparse.Namespace) -> Environment:
    from seatrial.environment import loading, locations

    directories = locations.fixture_directories(Path.cwd(), arguments.seatrial_fixtures)
    try:
        return loading.load(arguments.env, directories).environment
    except loading.EnvironmentProblem as error:
        raise WrongUse(str(error)) from None


def _bearer(target: ServiceTarget) -> str | None:
    if target.service.auth is None:
        return None
    from seatrial.environment.secrets import SecretProblem, SecretStore

    try:
        return SecretStore().resolve(target.service.auth, f"services.{target.name}.auth")
    except SecretProblem as error:
        raise WrongUse(str(error)) from None
