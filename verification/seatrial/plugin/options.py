"""From the command line, the process environment and the files to the context of a run, and from there to a worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from seatrial.environment import loading, locations
from seatrial.environment.model import Phase, Track
from seatrial.environment.precedence import Choice, choose
from seatrial.environment.secrets import SecretStore
from seatrial.environment.values import Digest
from seatrial.evidence.run import Run, RunFolder, new_run_id, timestamp
from seatrial.fixtures.session import Context

WORKER_KEY: Final = "seatrial"
_TELLS: Final = ("collectonly", "help", "markers", "showfixtures", "show_fixtures_per_test", "cacheshow")
"""Where pytest only tells something, nothing is verified and there is no run."""
FIXTURE_MODULES: Final = tuple(
    f"seatrial.fixtures.{name}" for name in ("session", "record", "http", "cluster", "hosts", "metrics", "rollouts")
)


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise pytest.UsageError(f"{what}: expected one of {', '.join(allowed)}; seen {value!r}")
    return value


def read(config: pytest.Config, named: Choice) -> Context:
    """Read the environment and settle track, phase and release.

    Raises UsageError with every problem of the environment file, or naming the known environments.
    """
    directories = locations.fixture_directories(config.rootpath, config.getoption("--seatrial-fixtures"))
    handed = getattr(config, "workerinput", {}).get(WORKER_KEY)

    asked = _digests(config)

    def load(variables: Mapping[str, str] | None) -> loading.LoadedEnvironment:
        try:
            found = loading.load(str(named.value), directories, variables=variables)
        except loading.EnvironmentProblem as error:
            raise pytest.UsageError(str(error)) from None
        if not asked:
            return found
        release = found.environment.release.model_copy(update={"digests": asked})
        return replace(found, environment=found.environment.model_copy(update={"release": release}))

    loaded = load(None)
    declared = loaded.environment
    chosen = {
        "environment": named,
        "track": choose("track", command_line=config.getoption("--track"), file=declared.run.track),
        "phase": choose("phase", command_line=config.getoption("--phase"), file=declared.run.phase),
        "release": choose(
            "release", command_line=config.getoption("--release"), file=declared.release.version or None, default=""
        ),
    }
    track: Any = _one_of("--track", str(chosen["track"].value), get_args(Track))
    phase: Any = _one_of("--phase", str(chosen["phase"].value), get_args(Phase))
    if config.getoption("--seatrial-watch") and (is_worker(config) or getattr(config.option, "numprocesses", None)):
        raise pytest.UsageError("--seatrial-watch: a rollout is watched by one process: leave -n out")
    context = Context(
        environment=declared,
        track=track,
        phase=phase,
        release=declared.release.model_copy(update={"version": str(chosen["release"].value)}),
        origins={key: choice.origin for key, choice in chosen.items()},
        secrets=SecretStore(),
        faults=tuple(config.getoption("--demo-fault")),
        **_offline(config),
        load=load,
        folder=None,
        run=Run(
            id="",
            environment=declared.name,
            environment_hash=loaded.sha256,
            phase=phase,
            track=track,
            digests=declared.release.digests,
            started=timestamp(dt.datetime.now(dt.UTC)),
        ),
    )
    if handed is not None:
        _join(context, handed)
    elif not any(getattr(config.option, name, None) for name in _TELLS):
        _begin(context, config)
    return context


def _digests(config: pytest.Config) -> tuple[str, ...]:
    """Image digests asked for on the command line or in the process environment; empty leaves it to the file."""
    choice = choose("digests", command_line=",".join(config.getoption("--digest")))
    found = tuple(filter(None, (part.strip() for part in (choice.value or "").split(","))))
    try:
        return TypeAdapter(tuple[Digest, ...]).validate_python(found)
    except ValidationError as error:
        where = "--digest" if choice.origin == "command line" else choice.origin
        raise pytest.UsageError(f"{where}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _offline(config: pytest.Config) -> dict[str, Any]:
    manifests, snapshot = config.getoption("--seatrial-manifests"), config.getoption("--seatrial-snapshot")
    if manifests and snapshot:
        raise pytest.UsageError("--seatrial-manifests and --seatrial-snapshot: give one of them")
    if manifests == "-" and (is_worker(config) or getattr(config.option, "numprocesses", None)):
        raise pytest.UsageError("--seatrial-manifests=-: standard input is read once: leave -n out, or give a folder")
    invoked = config.invocation_params.dir
    for option, place in (("--seatrial-manifests", manifests), ("--seatrial-snapshot", snapshot)):
        if place and place != "-" and not (invoked / place).exists():
            raise pytest.UsageError(f"{option}: there is nothing at {invoked / place}")
    return {
        "manifests": manifests if manifests in (None, "-") else str(invoked / manifests),
        "manifests_complete": bool(config.getoption("--seatrial-manifests-complete")),
        "snapshot": invoked / snapshot if snapshot else None,
    }


def _begin(context: Context, config: pytest.Config) -> None:
    reports = Path(config.getoption("--seatrial-reports") or config.rootpath / "reports")
    run_id = new_run_id(context.environment.name, dt.datetime.now(dt.UTC))
    try:
        context.folder = RunFolder.create(reports, run_id)
    except OSError as error:
        raise pytest.UsageError(f"--seatrial-reports: {reports} cannot take this run's evidence: {error}") from None
    context.identify(run_id)


def for_worker(context: Context) -> dict[str, Any]:
    """What a worker is told: which run it belongs to, and where the target is."""
    return {
        "run_id": context.run.id,
        "folder": str(context.folder.path) if context.folder else None,
        "started": context.run.started,
        "variables": dict(context.variables),
        "release_seen": list(context.run.release_seen),
    }


def _join(context: Context, handed: Mapping[str, Any]) -> None:
    context.folder = RunFolder(path=Path(handed["folder"])) if handed["folder"] else None
    context.identify(handed["run_id"], started=handed["started"])
    context.saw(handed["release_seen"])
    context.bind(handed["variables"])
