"""All kinds of check in one tuple."""

from __future__ import annotations

from typing import Final

from seatrial.checks import (
    availability,
    credentials,
    host,
    images,
    podsecurity,
    probes,
    resources,
    rollout,
    smoke,
)
from seatrial.checks.check import Check

CONFIG: Final[tuple[Check, ...]] = (
    *probes.CHECKS,
    *resources.CHECKS,
    *images.CHECKS,
    *podsecurity.CHECKS,
    *credentials.CHECKS,
    *availability.CHECKS,
)


def catalogue() -> tuple[Check, ...]:
    """Every check, by suite and id. Raises ValueError where two have the same id."""
    every = (*smoke.CHECKS, *host.CHECKS, *CONFIG, *rollout.CHECKS)
    identities = [check.id for check in every]
    twice = {identity for identity in identities if identities.count(identity) > 1}
    if twice:
        raise ValueError(f"two checks have the id {', '.join(sorted(twice))}")
    return tuple(sorted(every, key=lambda check: (check.suite, check.id)))
