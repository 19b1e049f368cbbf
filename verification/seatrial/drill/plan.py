"""Whether a drill may and can be held in an environment, and what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from seatrial.environment import loading, locations
from seatrial.environment.model import Environment, SecretFromEnv, SecretFromFile
from seatrial.environment.permission import refuse_drill
from seatrial.environment.secrets import SecretProblem, SecretStore
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.drill import DrillKind
from seatrial.evidence.outcome import Role


class WrongUse(Exception):
    """The drill cannot be held here as it is asked for; nothing was looked at."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A drill that may be held: what is looked at meanwhile, and the bounds, in seconds."""

    drill: DrillKind
    environment: Environment
    objective: float
    within: float
    wanted: str
    targets: tuple[tuple[ServiceTarget, str | None], ...]


def plan_of(drill: DrillKind, name: str, project: Path, *, given: str | None, wanted: str, store: SecretStore) -> Plan:
    """The plan of a drill in the environment ``name``; ``wanted`` is the version to come back to, or empty for any.

    Raises WrongUse where it may not or cannot be held here, SecretProblem and EnvironmentProblem.
    """
    directories = locations.fixture_directories(project, given)
    environment = loading.load(name, directories).environment
    drills, objective = environment.drills, environment.recovery.time_objective
    if environment.target is not None:
        raise WrongUse(f"the environment {environment.name} is brought up by each run anew: there is nothing to drill")
    if refusal := refuse_drill(environment):
        raise WrongUse(refusal)
    missing = {}
    if objective is None:
        missing["[recovery] time_objective"] = "the time that the way back may take"
    if drill == "rollback":
        if not environment.rollout.rollback_command:
            missing["[rollout] rollback_command"] = "the command that takes the release back"
        if not drills.promote_command:
            missing["[drills] promote_command"] = "the command that brings it out again"
    elif environment.cluster is None:
        missing["[cluster]"] = "where the pods are"
    elif not any(environment.services[name].workload for name in drilled(environment)):
        missing["[services.NAME] workload"] = "the workload that is to lose a pod"
    if not environment.services:
        missing["[services.NAME]"] = "what is looked at meanwhile"
    if missing:
        listed = "; ".join(f"{key}: {meaning}" for key, meaning in missing.items())
        raise WrongUse(f"the environment {environment.name} does not say what a {drill} drill needs: {listed}")
    if wanted and drill != "rollback":
        raise WrongUse("--to: only a rollback drill comes back to a version")
    assert objective is not None
    return Plan(
        drill=drill,
        environment=environment,
        objective=objective,
        within=max(drills.within or 2 * objective, objective),
        wanted=wanted,
        targets=tuple((target, _bearer(target, store)) for target in _targets(environment)),
    )


def drilled(environment: Environment) -> tuple[str, ...]:
    """Names of the services that drills are about."""
    return environment.drills.services or tuple(environment.services)


def _targets(environment: Environment) -> Iterator[ServiceTarget]:
    """Every address that users reach: the public one of each service, or stable's, and those of its regions."""
    for name in drilled(environment):
        service = environment.services[name]
        target = ServiceTarget(
            name=name,
            track="stable",
            role=Role.SUBJECT,
            base_url=service.url.public or service.url.stable,
            service=service,
        )
        yield target
        for region, declared in environment.regions.items():
            if (url := declared.services.get(name)) is not None:
                yield replace(target, base_url=url.public or url.stable, region=region)


def _bearer(target: ServiceTarget, store: SecretStore) -> str | None:
    auth = target.service.auth
    return None if auth is None else store.resolve(auth, f"services.{target.name}.auth")


def every_secret(value: object, store: SecretStore) -> SecretStore:
    """The store, which now knows every secret that an environment refers to and that is set here.

    The commands may say any of them, though the drill itself needs only those of the services.
    """
    if isinstance(value, SecretFromEnv | SecretFromFile):
        try:
            store.resolve(value, "")
        except SecretProblem:
            return store
    elif isinstance(value, BaseModel):
        for _, inner in value:
            every_secret(inner, store)
    elif isinstance(value, dict):
        for inner in value.values():
            every_secret(inner, store)
    return store
