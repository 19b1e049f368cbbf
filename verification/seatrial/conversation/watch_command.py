"""`seatrial watch`: conversations as monitoring between releases, with results on a Prometheus endpoint."""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server

from seatrial.conversation.command import WrongUse, scripts_in
from seatrial.conversation.loading import BrokenScript, load
from seatrial.conversation.script import Script
from seatrial.conversation.selection import NoSuchService, belongs, refusal, service_name
from seatrial.conversation.watching import Metrics, Watch, Watched
from seatrial.environment import loading, locations
from seatrial.environment.model import Environment
from seatrial.environment.secrets import SecretProblem, SecretStore
from seatrial.environment.selection import regional_targets, service_targets

PORT: Final = 9478
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _duration(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)", text)
    if match is None or not float(match[1]):
        raise argparse.ArgumentTypeError(f"expected a duration such as 60s or 5m, seen {text!r}")
    return float(match[1]) * _UNITS[match[2]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        default=[Path("synthetic/conversations")],
        metavar="PATH",
        help="scripts, or folders of scripts [synthetic/conversations]",
    )
    parser.add_argument("--env", required=True, metavar="NAME", help="environment to talk to")
    parser.add_argument("--track", choices=("stable", "candidate"), default="stable", help="which copy [stable]")
    parser.add_argument("--tag", action="append", default=[], help="only scripts with this tag; repeatable")
    parser.add_argument("--every", type=_duration, default=60.0, metavar="DURATION", help="one round each [60s]")
    parser.add_argument("--cycles", type=int, metavar="N", help="end after so many rounds [never]")
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="address of /metrics [127.0.0.1]")
    parser.add_argument("--port", type=int, default=PORT, help=f"port of /metrics, 0 for any that is free [{PORT}]")
    parser.add_argument("--seatrial-fixtures", metavar="DIR", help="folder with environments/ [fixtures]")


def run(arguments: argparse.Namespace) -> int:
    """Watch until SIGINT or SIGTERM; 2 for wrong use."""
    try:
        environment = _environment(arguments)
        watched = _watched(environment, arguments)
    except WrongUse as problem:
        print(f"seatrial watch: {problem}", file=sys.stderr)
        return 2
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    try:
        server, thread = start_http_server(arguments.port, addr=arguments.listen, registry=registry)
    except OSError as error:
        place = f"{arguments.listen}:{arguments.port}"
        print(f"seatrial watch: {place} cannot be listened on: {error}", file=sys.stderr)
        return 2
    print(
        f"{len(watched)} conversation{'' if len(watched) == 1 else 's'} with {environment.name} each "
        f"{arguments.every:g} s; metrics on http://{arguments.listen}:{server.server_port}/metrics",
        flush=True,
    )
    try:
        asyncio.run(_watch(environment, watched, metrics, arguments))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    return 0


async def _watch(
    environment: Environment, watched: Sequence[Watched], metrics: Metrics, arguments: argparse.Namespace
) -> None:
    watch = Watch(
        environment=environment.name,
        variables=environment.variables,
        watched=watched,
        metrics=metrics,
        interval=arguments.every,
        run_id=f"watch-{secrets.token_hex(4)}",
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, watch.stopped.set)
    await watch.run(arguments.cycles)


def _environment(arguments: argparse.Namespace) -> Environment:
    directories = locations.fixture_directories(Path.cwd(), arguments.seatrial_fixtures)
    try:
        environment = loading.load(arguments.env, directories).environment
    except loading.EnvironmentProblem as error:
        raise WrongUse(str(error)) from None
    if environment.target is not None:
        raise WrongUse(f"the environment {environment.name} is brought up by each run anew: there is nothing to watch")
    return environment


def _watched(environment: Environment, arguments: argparse.Namespace) -> list[Watched]:
    """What is to be held. Raises WrongUse for a broken script, or where nothing is left."""
    found: list[Watched] = []
    store = SecretStore()
    for path in scripts_in(arguments.paths):
        script = _script(path)
        if not belongs(script, environment, "post") or (arguments.tag and not set(arguments.tag) & set(script.tags)):
            continue
        if reason := refusal(script, environment):
            print(f"left out: {script.id}: {reason}", file=sys.stderr)
            continue
        try:
            name = service_name(script, environment)
        except NoSuchService as error:
            raise WrongUse(f"{path}: {error}") from None
        for target in (
            *service_targets(environment, arguments.track),
            *regional_targets(environment, arguments.track),
        ):
            if target.name == name and target.track == arguments.track:
                auth = target.service.auth
                try:
                    bearer = None if auth is None else store.resolve(auth, f"services.{name}.auth")
                except SecretProblem as error:
                    raise WrongUse(str(error)) from None
                found.append(Watched(script=script, target=target, bearer=bearer))
    if not found:
        tags = f" with the tag {' or '.join(arguments.tag)}" if arguments.tag else ""
        raise WrongUse(f"no conversation{tags} is for {environment.name} on {arguments.track} in the phase post")
    return found


def _script(path: Path) -> Script:
    try:
        return load(path)
    except BrokenScript as error:
        raise WrongUse(f"this script cannot be used:\n{error}") from None
