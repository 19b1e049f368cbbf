"""Which kinds a watched rollout follows through the API's watch, as the environment declares it."""

from __future__ import annotations

from typing import Final

from seatrial.environment.model import Environment
from seatrial.environment.rollout import Shifter
from seatrial.snapshot.kinds import KINDS, Kind
from seatrial.snapshot.workload import NAMED

EVENT: Final = Kind(name="Event", group="", version="v1", plural="events")
ARGO_ROLLOUT: Final = Kind(name="Rollout", group="argoproj.io", version="v1alpha1", plural="rollouts", custom=True)


def shifting_kind(shifter: Shifter) -> tuple[Kind, str]:
    """The kind of the object that shifts the traffic, and its name."""
    if shifter.httproute is not None:
        return KINDS["HTTPRoute"], shifter.httproute
    if shifter.argo_rollout is not None:
        return ARGO_ROLLOUT, shifter.argo_rollout
    assert shifter.service is not None
    return KINDS["Service"], shifter.service


def followed_kinds(environment: Environment) -> tuple[Kind, ...]:
    """All of them: the workloads of a rolling update with what belongs to them, and what shifts the traffic."""
    found: list[Kind] = []
    for service in environment.services.values():
        if service.shifter is not None:
            found.append(shifting_kind(service.shifter)[0])
        kind = NAMED.get((service.workload or "").partition("/")[0].lower())
        if environment.rollout.strategy == "rolling" and kind in ("Deployment", "StatefulSet"):
            sets = [KINDS["ReplicaSet"]] if kind == "Deployment" else []
            found += [KINDS[kind], *sets, KINDS["PodDisruptionBudget"], KINDS["Pod"], EVENT]
    return tuple(dict.fromkeys(found))
