"""Probes: how Kubernetes learns that a container lives and may take traffic."""

from __future__ import annotations

import re
from typing import Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.snapshot.objects import get
from seatrial.snapshot.workload import Workload

_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HEAVY: Final = re.compile(r"\b(jcmd|jstack|jmap|ps|top|netstat|find|rabbitmqctl|mysqladmin|redis-benchmark)\b")
"""Commands that start a virtual machine or walk the whole system; run every few seconds they starve the container."""


def _missing(workload: Workload, view: View, probe: str) -> Findings:
    if workload.serves:
        for container in workload.serving:
            if not container.item.get(probe):
                yield finding(workload, f"{container.path}.{probe}", f"a {probe}", "none", view=view)


@rule("probe/liveness-missing", severity="major", per="workload")
def liveness_missing(workload: Workload, view: View) -> Findings:
    """Every container that serves has a liveness probe.

    Why: a process that hangs is never restarted without one.

    Remedy: add `livenessProbe` on an endpoint that says only that the process works, not that its dependencies do.
    """
    yield from _missing(workload, view, "livenessProbe")


@rule("probe/readiness-missing", severity="major", per="workload")
def readiness_missing(workload: Workload, view: View) -> Findings:
    """Every container that serves has a readiness probe.

    Why: without one a pod takes traffic as soon as it starts, and a rolling update is "complete" before it answers.

    Remedy: add `readinessProbe` on the endpoint that says that the service can take requests.
    """
    yield from _missing(workload, view, "readinessProbe")


@rule("probe/identical", severity="minor", per="workload")
def identical(workload: Workload, view: View) -> Findings:
    """The liveness probe is not the same as the readiness probe.

    Why: a pod that only cannot take traffic for a while, because a dependency is away, is then killed as well.

    Remedy: let liveness ask an endpoint of its own that looks at nothing outside the process, or make it more patient.
    """
    for container in workload.serving:
        live, ready = container.item.get("livenessProbe"), container.item.get("readinessProbe")
        if live and live == ready:
            yield finding(
                workload, f"{container.path}.livenessProbe", "another probe than readiness", "the same", view=view
            )


@rule("probe/port-not-exposed", severity="major", per="workload")
def port_not_exposed(workload: Workload, view: View) -> Findings:
    """Every probe asks a port that its container declares.

    Why: a probe on a port that nobody listens on fails for ever: the pod never becomes ready, or is restarted at once.

    Remedy: mend the probe's port, or declare the port under `ports`.
    """
    for container in workload.containers:
        ports = container.item.get("ports") or []
        known = {port.get("name") for port in ports} | {port.get("containerPort") for port in ports}
        for probe in _PROBES:
            for sort in ("httpGet", "tcpSocket", "grpc"):
                port = get(container.item, probe, sort, "port")
                port = int(port) if isinstance(port, str) and port.isdigit() else port
                if port is not None and port not in known:
                    path = f"{container.path}.{probe}.{sort}.port"
                    yield finding(workload, path, "a declared container port", port, view=view)


@rule("probe/exec-command-heavy", severity="minor", per="workload")
def exec_command_heavy(workload: Workload, view: View) -> Findings:
    """No probe runs a command that is heavy every time.

    Why: a probe runs every few seconds in the container's own CPU share; a heavy one makes the service slow, and then
    fails for it.

    Remedy: probe over HTTP, gRPC or TCP, or with a small binary made for it.
    """
    for container in workload.containers:
        for probe in _PROBES:
            command = " ".join(map(str, get(container.item, probe, "exec", "command", default=[])))
            match = _HEAVY.search(command)
            if match:
                yield finding(
                    workload, f"{container.path}.{probe}.exec.command", "a light command", match[1], view=view
                )


@rule("probe/liveness-impatient", severity="minor", per="workload")
def liveness_impatient(workload: Workload, view: View) -> Findings:
    """The liveness probe waits at least ten seconds before it kills.

    Why: a pause of a garbage collector or a busy node then restarts healthy pods, most of all under load.

    Remedy: raise `failureThreshold` or `periodSeconds`; slow starts belong in a `startupProbe`.
    """
    for container in workload.serving:
        probe = container.item.get("livenessProbe")
        if probe:
            period, failures = int(probe.get("periodSeconds") or 10), int(probe.get("failureThreshold") or 3)
            if period * failures < 10:
                seen = f"{period * failures} s"
                yield finding(
                    workload, f"{container.path}.livenessProbe", "at least 10 s until it kills", seen, view=view
                )


CHECKS: Final[tuple[Check, ...]] = (
    liveness_missing,
    readiness_missing,
    identical,
    port_not_exposed,
    exec_command_heavy,
    liveness_impatient,
)
