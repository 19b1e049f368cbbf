"""Requests and limits: what the scheduler reserves and what a container may take."""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import Check, check
from seatrial.checks.snapshot import Workload, get
from seatrial.evidence.assessment import Assessment, Finding


def _set(workload: Workload, section: str, resource: str) -> Assessment:
    containers = list(workload.containers())
    missing = [
        Finding(where=workload.where, path=f"{path}.resources.{section}.{resource}", expected="set", seen="not set")
        for path, container in containers
        if get(container, "resources", section, resource) is None
    ]
    what = f"{section[:-1]} of {resource}"
    held, broken = f"every container has a {what}", f"{{count}} container(s) without a {what}"
    return Assessment.of_findings(missing, held=held, broken=broken, n=len(containers))


@check("resources/requests-cpu", suite="config", severity="major", per="workload", needs=("Deployment",))
def requests_cpu(workload: Workload) -> Assessment:
    """Every container requests CPU.

    Why: the scheduler packs what requests nothing anywhere, and autoscaling on utilisation has nothing to divide by.

    Remedy: set `resources.requests.cpu` to what the container uses under usual load.
    """
    return _set(workload, "requests", "cpu")


@check("resources/requests-memory", suite="config", severity="major", per="workload", needs=("Deployment",))
def requests_memory(workload: Workload) -> Assessment:
    """Every container requests memory.

    Why: pods that request none are the first to be evicted when a node runs short.

    Remedy: set `resources.requests.memory` to what the container uses under usual load.
    """
    return _set(workload, "requests", "memory")


@check("resources/limits-memory", suite="config", severity="major", per="workload", needs=("Deployment",))
def limits_memory(workload: Workload) -> Assessment:
    """Every container has a memory limit.

    Why: a leak without a limit takes the node and its neighbours with it.

    Remedy: set `resources.limits.memory`, with room above the request.
    """
    return _set(workload, "limits", "memory")


CHECKS: Final[tuple[Check, ...]] = (requests_cpu, requests_memory, limits_memory)
