"""Pod security, after the Pod Security Standards of Kubernetes, level restricted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from seatrial.checks.check import Check, check
from seatrial.checks.snapshot import Item, Workload, get
from seatrial.evidence.assessment import Assessment, Finding


def _effective(workload: Workload, container: Item, *path: str) -> Any:
    """A field of the container's security context, or else of the pod's, which it overrides."""
    own = get(container, "securityContext", *path)
    return own if own is not None else get(workload.pod, "securityContext", *path)


def _each(
    workload: Workload, path: str, expected: str, bad: Callable[[Item], str | None], held: str, broken: str
) -> Assessment:
    """Findings over all containers; ``bad`` gives what was seen, or None where the container is right."""
    containers = list(workload.containers())
    findings = [
        Finding(where=workload.where, path=f"{place}.securityContext.{path}", expected=expected, seen=seen)
        for place, container in containers
        if (seen := bad(container)) is not None
    ]
    return Assessment.of_findings(findings, held=held, broken=broken, n=len(containers))


@check("podsec/run-as-non-root", suite="config", severity="critical", per="workload", needs=("Deployment",))
def run_as_non_root(workload: Workload) -> Assessment:
    """No container may run as root.

    Why: a breakout from a root container has root's rights on what it reaches.

    Remedy: set `runAsNonRoot: true` for the pod, and a `runAsUser` other than 0 where the image names none.
    """

    def bad(container: Item) -> str | None:
        if _effective(workload, container, "runAsUser") == 0:
            return "runAsUser 0"
        required = _effective(workload, container, "runAsNonRoot")
        return None if required is True else f"runAsNonRoot {'not set' if required is None else required}"

    held, broken = "no container may run as root", "{count} container(s) may run as root"
    return _each(workload, "runAsNonRoot", "true, and runAsUser not 0", bad, held, broken)


@check("podsec/privileged", suite="config", severity="critical", per="workload", needs=("Deployment",))
def privileged(workload: Workload) -> Assessment:
    """No container is privileged.

    Why: a privileged container is root on its node.

    Remedy: remove `privileged`; ask for the single capability or device that is needed.
    """

    def bad(container: Item) -> str | None:
        return "true" if get(container, "securityContext", "privileged") is True else None

    held, broken = "no container is privileged", "{count} container(s) are privileged"
    return _each(workload, "privileged", "false", bad, held, broken)


@check("podsec/privilege-escalation", suite="config", severity="major", per="workload", needs=("Deployment",))
def privilege_escalation(workload: Workload) -> Assessment:
    """No process may gain more rights than its parent.

    Why: a setuid binary in the image would otherwise make any process root.

    Remedy: set `allowPrivilegeEscalation: false`; Kubernetes' default is true.
    """

    def bad(container: Item) -> str | None:
        value = get(container, "securityContext", "allowPrivilegeEscalation")
        return None if value is False else ("not set" if value is None else str(value).lower())

    held, broken = "no container may escalate", "{count} container(s) may gain privileges"
    return _each(workload, "allowPrivilegeEscalation", "false", bad, held, broken)


@check("podsec/read-only-root-fs", suite="config", severity="major", per="workload", needs=("Deployment",))
def read_only_root_fs(workload: Workload) -> Assessment:
    """The root file system of every container is read-only.

    Why: what runs is then what was scanned and signed; nothing can be left behind in it.

    Remedy: set `readOnlyRootFilesystem: true`, and mount an emptyDir where the process must write.
    """

    def bad(container: Item) -> str | None:
        value = get(container, "securityContext", "readOnlyRootFilesystem")
        return None if value is True else ("not set" if value is None else str(value).lower())

    held, broken = "every root file system is read-only", "{count} container(s) can write to their root file system"
    return _each(workload, "readOnlyRootFilesystem", "true", bad, held, broken)


@check("podsec/drop-capabilities", suite="config", severity="major", per="workload", needs=("Deployment",))
def drop_capabilities(workload: Workload) -> Assessment:
    """Every container drops all capabilities, and adds none but NET_BIND_SERVICE.

    Why: the default set still lets a process forge packets and change owners of files.

    Remedy: set `capabilities.drop: [ALL]`.
    """

    def bad(container: Item) -> str | None:
        dropped = get(container, "securityContext", "capabilities", "drop", default=[])
        added = set(get(container, "securityContext", "capabilities", "add", default=[])) - {"NET_BIND_SERVICE"}
        if "ALL" not in dropped:
            return f"drop {dropped}"
        return f"add {sorted(added)}" if added else None

    held, broken = "every container drops all capabilities", "{count} container(s) keep capabilities"
    return _each(workload, "capabilities", "drop [ALL], add none but NET_BIND_SERVICE", bad, held, broken)


@check("podsec/seccomp", suite="config", severity="major", per="workload", needs=("Deployment",))
def seccomp(workload: Workload) -> Assessment:
    """Every container has a seccomp profile, the runtime's default or one of its own.

    Why: without one all system calls of the node's kernel are open to it.

    Remedy: set `seccompProfile.type: RuntimeDefault` for the pod.
    """

    def bad(container: Item) -> str | None:
        profile = _effective(workload, container, "seccompProfile", "type")
        return None if profile in ("RuntimeDefault", "Localhost") else str(profile or "not set")

    held, broken = "every container has a seccomp profile", "{count} container(s) without a seccomp profile"
    return _each(workload, "seccompProfile.type", "RuntimeDefault or Localhost", bad, held, broken)


CHECKS: Final[tuple[Check, ...]] = (
    run_as_non_root,
    privileged,
    privilege_escalation,
    read_only_root_fs,
    drop_capabilities,
    seccomp,
)
