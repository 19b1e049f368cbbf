"""Probes: how Kubernetes learns that a container lives and may take traffic."""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import Check, check
from seatrial.checks.snapshot import Workload
from seatrial.evidence.assessment import Assessment, Finding


def _probed(workload: Workload, key: str) -> Assessment:
    containers = list(workload.serving())
    missing = [
        Finding(where=workload.where, path=path, expected=f"a {key}", seen="none")
        for path, container in containers
        if not container.get(key)
    ]
    held, broken = f"every container has a {key}", f"{{count}} container(s) without a {key}"
    return Assessment.of_findings(missing, held=held, broken=broken, n=len(containers))


@check("probe/liveness-missing", suite="config", severity="major", per="workload", needs=("Deployment",))
def liveness_missing(workload: Workload) -> Assessment:
    """Every container has a liveness probe.

    Why: a process that hangs is never restarted without one.

    Remedy: add `livenessProbe` on an endpoint that says only that the process works, not that its dependencies do.
    """
    return _probed(workload, "livenessProbe")


@check("probe/readiness-missing", suite="config", severity="major", per="workload", needs=("Deployment",))
def readiness_missing(workload: Workload) -> Assessment:
    """Every container has a readiness probe.

    Why: without one a pod takes traffic as soon as it starts, and a rolling update is "complete" before it answers.

    Remedy: add `readinessProbe` on the endpoint that says that the service can take requests.
    """
    return _probed(workload, "readinessProbe")


CHECKS: Final[tuple[Check, ...]] = (liveness_missing, readiness_missing)
