"""All kinds of check in one tuple."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from seatrial.checks import host, metrics, recovery, rollout, smoke
from seatrial.checks.check import Check
from seatrial.checks.config import (
    access,
    cluster,
    expressions,
    helm,
    images,
    ingresses,
    meta,
    podsecurity,
    policies,
    probes,
    references,
    resources,
    scaling,
    secrets,
    services,
    unused_waivers,
    workloads,
)
from seatrial.environment.model import Environment
from seatrial.evidence.outcome import Severity

_CONFIG: Final[tuple[Check, ...]] = (
    *probes.CHECKS,
    *workloads.CHECKS,
    *resources.CHECKS,
    *podsecurity.CHECKS,
    *images.CHECKS,
    *access.CHECKS,
    *services.CHECKS,
    *ingresses.CHECKS,
    *policies.CHECKS,
    *scaling.CHECKS,
    *secrets.CHECKS,
    *references.CHECKS,
    *cluster.CHECKS,
    *helm.CHECKS,
    *meta.CHECKS,
)


def needs(checks: Iterable[Check]) -> tuple[str, ...]:
    """Kinds that some checks read, each once."""
    return tuple(dict.fromkeys(kind for check in checks for kind in check.needs))


def _by_id() -> Mapping[str, Check]:
    return {check.id: check for check in _CONFIG}


CONFIG: Final[tuple[Check, ...]] = (*_CONFIG, unused_waivers.unused_check(_by_id, needs(_CONFIG)))
"""The configuration checks."""


class UnknownCheck(ValueError):
    """An environment speaks of a check that there is not."""


def config_checks(environment: Environment, own: Iterable[Check] = ()) -> tuple[Check, ...]:
    """The configuration checks of an environment: its expressions among them, its severities, without what it disables.

    ``own`` are checks that a team brings in Python.

    Raises UnknownCheck, and `expressions.ExpressionProblem` for a mistake in an expression.
    """
    rules = environment.config
    every = (*CONFIG, *expressions.checks_of(environment), *own)
    known = {check.id for check in every}
    _once(every)
    for place, named in (("severity", rules.severity), ("disabled", rules.disabled)):
        for identity in named:
            if identity not in known:
                raise UnknownCheck(
                    f"config.{place}: there is no configuration check {identity!r}: see `seatrial checks`"
                )
    return tuple(
        replace(check, severity=Severity(rules.severity.get(check.id, check.severity)))
        for check in every
        if check.id not in rules.disabled
    )


def _once(every: Iterable[Check]) -> None:
    identities = [check.id for check in every]
    twice = {identity for identity in identities if identities.count(identity) > 1}
    if twice:
        raise ValueError(f"two checks have the id {', '.join(sorted(twice))}")


def catalogue() -> tuple[Check, ...]:
    """Every check, by suite and id. Raises ValueError where two have the same id."""
    every = (*smoke.CHECKS, *host.CHECKS, *CONFIG, *rollout.CHECKS, *metrics.CHECKS, *recovery.CHECKS)
    _once(every)
    return tuple(sorted(every, key=lambda check: (check.suite, check.id)))
