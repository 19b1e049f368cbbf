"""``seatrial calibrate``: measure stable against itself, and say how often that alarms and what it could see."""

from __future__ import annotations

import argparse
import datetime as dt
import ipaddress
import json
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from seatrial.environment import loading, locations
from seatrial.environment.model import LoadLimits, Service
from seatrial.environment.secrets import SecretProblem, SecretStore
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import CannotLook, Outcome, Role
from seatrial.evidence.run import write_atomically
from seatrial.load import place as places
from seatrial.load.calibration import Calibration, Run, calibrate
from seatrial.load.calibration_record import CalibrationRecord, Terms, baselines_place
from seatrial.load.fingerprint import Fingerprint
from seatrial.load.measurement import Measurement, measure
from seatrial.load.profile import Profile, ProfileError, load_profile

EXIT: Final = {Outcome.PASS: 0, Outcome.FAIL: 20, Outcome.ERROR: 10, Outcome.INCONCLUSIVE: 10}
LOOPBACK_LIMITS: Final = LoadLimits.model_validate(
    {"allowed": True, "max_rate": 1_000, "max_duration": "10m", "max_requests": 100_000}
)


class WrongUse(Exception):
    """The arguments do not fit together, or to what is there."""


@dataclass(frozen=True, kw_only=True)
class Same:
    """Stable on both tracks: what a candidate would be that has not changed."""

    name: str
    subject: ServiceTarget
    control: ServiceTarget | None


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is measured, and what may be sent to it."""

    service: Service
    name: str
    environment: str
    limits: LoadLimits
    bearer: str | None = None
    records: places.Place | None = None
    """Where the record is kept; None where the place is no environment's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "Exit code: 0 no false alarm, 20 there was one, 10 nothing could be measured, 2 wrong use."
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--env", metavar="NAME", help="environment whose stable track is measured")
    where.add_argument("--url", help="a service on this machine's loopback that speaks OpenAI's chat completions")
    parser.add_argument("--service", metavar="NAME", help="with --env: which service; the only one, or `chat`")
    parser.add_argument("--profile", metavar="NAME", help="load profile; that of the service, or `baseline`")
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="measurements [10]")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also as JSON, with every run")
    parser.add_argument("--store", metavar="PLACE", help="folder or bucket of the record; that of baselines")
    parser.add_argument("--no-record", action="store_true", help="leave no record for `latency/calibrated`")
    parser.add_argument("--seatrial-fixtures", metavar="DIR", help="folder with environments/ [fixtures]")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, and return the exit code."""
    try:
        place = _by_url(arguments.url) if arguments.url else _by_environment(arguments)
        name = arguments.profile or (place.service.latency.profile if place.service.latency else "baseline")
        profile = load_profile(name, Path.cwd())
        if arguments.runs < 1:
            raise WrongUse(f"--runs: expected at least 1, seen {arguments.runs}")
    except (WrongUse, ProfileError, SecretProblem, places.PlaceProblem, loading.EnvironmentProblem) as error:
        print(f"seatrial calibrate: {error}", file=sys.stderr)
        return 2
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seatrial-calibrate-")))
            result = calibrate(
                _measurements(place, profile, arguments.runs, folder),
                place.service.objectives,
                pairs=round(profile.rate * profile.duration),
                told=_tell,
            )
    except CannotLook as error:
        print(f"seatrial calibrate: {error}", file=sys.stderr)
        return EXIT[Outcome.ERROR]
    print(result)
    if arguments.output is not None:
        document = {"environment": place.environment, "service": place.name, "profile": name, **result.as_json()}
        write_atomically(arguments.output, json.dumps(document, indent=1, sort_keys=True) + "\n")
    if place.records is not None and not arguments.no_record:
        return _keep(result, place, name, profile)
    return EXIT[result.outcome]


def _keep(result: Calibration, place: Place, name: str, profile: Profile) -> int:
    """Leave the record, and return the exit code. Nothing that is sound is nothing to keep."""
    assert place.records is not None
    if not result.alarms.total:
        return EXIT[result.outcome]
    record = CalibrationRecord.of(
        result,
        environment=place.environment,
        service=place.name,
        profile=name,
        fingerprint=Fingerprint.of(place.service, profile),
        terms=Terms.of(place.service.objectives, profile),
        now=dt.datetime.now(dt.UTC),
    )
    try:
        print(f"kept in {record.write(place.records)}")
    except places.PlaceProblem as error:
        print(f"seatrial calibrate: the record cannot be kept: {error}", file=sys.stderr)
        return EXIT[Outcome.ERROR]
    return EXIT[result.outcome]


def _measurements(place: Place, profile: Profile, runs: int, folder: Path) -> Iterator[Measurement]:
    stable = ServiceTarget(
        name=place.name,
        track="stable",
        role=Role.CONTROL,
        base_url=place.service.url.stable,
        service=place.service,
    )
    pair = Same(name=place.name, subject=replace(stable, track="candidate", role=Role.SUBJECT), control=stable)
    run_id = f"calibrate-{secrets.token_hex(4)}"
    for number in range(runs):
        # Other arrivals, other orders within the pairs, other prompts.
        seeded = profile.model_copy(update={"seed": profile.seed + number})
        yield measure(
            pair,
            seeded,
            run_id=f"{run_id}-{number + 1}",
            directory=folder / str(number),
            limits=place.limits,
            environment=place.environment,
            bearer=place.bearer,
        )


def _tell(number: int, run: Run) -> None:
    print(f"{number:>3}  latency {run.latency.value}, errors {run.errors.value}, {run.pairs} pairs: {run.words}")


def _by_url(url: str) -> Place:
    host = urlsplit(url).hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise WrongUse(
            "--url: load that no environment allows goes to loopback alone; name one whose file allows it with --env"
        )
    try:
        service = Service.model_validate({"url": {"stable": url}})
    except ValueError:
        raise WrongUse(f"--url: expected http:// or https://, seen {url!r}") from None
    return Place(service=service, name="service", environment="loopback", limits=LOOPBACK_LIMITS)


def _by_environment(arguments: argparse.Namespace) -> Place:
    directories = locations.fixture_directories(Path.cwd(), arguments.seatrial_fixtures)
    environment = loading.load(arguments.env, directories).environment
    if environment.target is not None:
        hint = f"start it (`seatrial {environment.target.start}`) and give its stable address with --url"
        raise WrongUse(f"the environment {arguments.env} is brought up by each run anew; {hint}")
    names = list(environment.services)
    name = arguments.service or (names[0] if len(names) == 1 else "chat")
    if name not in environment.services:
        raise WrongUse(f"--service: expected one of {', '.join(names) or '(there are none)'}; seen {name!r}")
    service = environment.services[name]
    bearer = None if service.auth is None else SecretStore().resolve(service.auth, f"services.{name}.auth")
    fixtures = Path(arguments.seatrial_fixtures) if arguments.seatrial_fixtures else Path("fixtures")
    usual = baselines_place(environment, fixtures, Path.cwd())
    return Place(
        service=service,
        name=name,
        environment=environment.name,
        limits=environment.load,
        bearer=bearer,
        records=places.place_of(arguments.store) if arguments.store else usual,
    )
