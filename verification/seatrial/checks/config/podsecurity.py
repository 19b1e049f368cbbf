"""Pod security: the controls of the Pod Security Standards, and what goes beyond them."""

from __future__ import annotations

from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.config import standards
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.objects import Item, get, labels_of, name_of
from seatrial.snapshot.workload import Workload

_LEVELS: Final = ("privileged", "baseline", "restricted")
ENFORCE: Final = "pod-security.kubernetes.io/enforce"
HIGH_ID: Final = 10_000
"""User and group ids from here on belong to nobody on a node."""


def _below_baseline(environment: Environment) -> str:
    return "no level is asked for (config.pod_security)" if environment.config.pod_security == "privileged" else ""


def _below_restricted(environment: Environment) -> str:
    return (
        ""
        if environment.config.pod_security == "restricted"
        else "the level restricted is not asked for (config.pod_security)"
    )


def _only_baseline(environment: Environment) -> str:
    if environment.config.pod_security == "restricted":
        return "podsec/drop-capabilities asks for more at the level restricted"
    return _below_baseline(environment)


def _control(workload: Workload, view: View, control: standards.Control) -> Findings:
    for path, expected, seen in control(workload):
        yield finding(workload, path, expected, seen, view=view)


@rule("podsec/host-process", severity="critical", per="workload", skip=_below_baseline)
def host_process(workload: Workload, view: View) -> Findings:
    """No container is a HostProcess container of Windows.

    Why: it runs on the node itself, with the node's rights.

    Remedy: run it as an ordinary container; node agents belong in a namespace of their own.
    """
    yield from _control(workload, view, standards.host_process)


@rule("podsec/host-namespaces", severity="critical", per="workload", skip=_below_baseline)
def host_namespaces(workload: Workload, view: View) -> Findings:
    """No pod shares the network, processes or memory of its node.

    Why: it then sees and reaches what every other pod on the node does.

    Remedy: remove `hostNetwork`, `hostPID` and `hostIPC`.
    """
    yield from _control(workload, view, standards.host_namespaces)


@rule("podsec/privileged", severity="critical", per="workload", skip=_below_baseline)
def privileged(workload: Workload, view: View) -> Findings:
    """No container is privileged.

    Why: a privileged container is root on its node.

    Remedy: remove `privileged`; ask for the single capability or device that is needed.
    """
    yield from _control(workload, view, standards.privileged)


@rule("podsec/capabilities", severity="major", per="workload", skip=_only_baseline)
def capabilities(workload: Workload, view: View) -> Findings:
    """No container adds capabilities beyond those that the runtime gives.

    Why: SYS_ADMIN, NET_ADMIN and their like are ways out of the container.

    Remedy: remove them from `capabilities.add`.
    """
    yield from _control(workload, view, standards.capabilities)


@rule("podsec/host-path", severity="critical", per="workload", skip=_below_baseline)
def host_path(workload: Workload, view: View) -> Findings:
    """No pod mounts a path of its node.

    Why: whoever writes there, or reads the runtime's socket, owns the node.

    Remedy: use a PersistentVolumeClaim, a ConfigMap or an emptyDir.
    """
    yield from _control(workload, view, standards.host_path)


@rule("podsec/host-port", severity="major", per="workload", skip=_below_baseline)
def host_port(workload: Workload, view: View) -> Findings:
    """No container takes a port of its node.

    Why: it goes around network policies, and two such pods never fit on one node.

    Remedy: expose the pod through a Service.
    """
    yield from _control(workload, view, standards.host_port)


@rule("podsec/host-probes", severity="major", per="workload", skip=_below_baseline)
def host_probes(workload: Workload, view: View) -> Findings:
    """No probe and no hook asks another host.

    Why: the kubelet asks in the container's place, from the node's network: a way to reach what the pod may not.

    Remedy: leave `host` out; the pod itself is asked then.
    """
    yield from _control(workload, view, standards.host_probes)


@rule("podsec/apparmor", severity="major", per="workload", skip=_below_baseline)
def apparmor(workload: Workload, view: View) -> Findings:
    """AppArmor is not switched off.

    Why: an unconfined container lacks the mount and ptrace limits of the default profile.

    Remedy: use the type `RuntimeDefault`, or a profile of your own with `Localhost`.
    """
    yield from _control(workload, view, standards.apparmor)


@rule("podsec/selinux", severity="major", per="workload", skip=_below_baseline)
def selinux(workload: Workload, view: View) -> Findings:
    """SELinux runs every container under a type made for containers.

    Why: other types, users and roles lift the separation of containers from the node.

    Remedy: remove `seLinuxOptions`, or use one of the container types.
    """
    yield from _control(workload, view, standards.selinux)


@rule("podsec/sysctls", severity="major", per="workload", skip=_below_baseline)
def sysctls(workload: Workload, view: View) -> Findings:
    """Pods set none but safe kernel parameters.

    Why: others are shared with the whole node.

    Remedy: remove them, or set them on the node.
    """
    yield from _control(workload, view, standards.sysctls)


@rule("podsec/volume-types", severity="major", per="workload", skip=_below_restricted)
def volume_types(workload: Workload, view: View) -> Findings:
    """Pods use none but the volume types of the restricted standard.

    Why: volumes that name servers or disks directly go around storage classes and their rights.

    Remedy: put a PersistentVolumeClaim in front of it.
    """
    yield from _control(workload, view, standards.volume_types)


@rule("podsec/privilege-escalation", severity="major", per="workload", skip=_below_restricted)
def privilege_escalation(workload: Workload, view: View) -> Findings:
    """No process may gain more rights than its parent.

    Why: a setuid binary in the image would otherwise make any process root.

    Remedy: set `allowPrivilegeEscalation: false`; Kubernetes' default is true.
    """
    yield from _control(workload, view, standards.privilege_escalation)


@rule("podsec/run-as-non-root", severity="critical", per="workload", skip=_below_restricted)
def run_as_non_root(workload: Workload, view: View) -> Findings:
    """No container can start as root.

    Why: root in the container is one kernel bug away from root on the node.

    Remedy: set `runAsNonRoot: true` for the pod, and a user in the image or with `runAsUser`.
    """
    yield from _control(workload, view, standards.run_as_non_root)


@rule("podsec/run-as-user", severity="critical", per="workload", skip=_below_restricted)
def run_as_user(workload: Workload, view: View) -> Findings:
    """No pod and no container asks for user 0.

    Why: user 0 is root, whatever the image says.

    Remedy: remove `runAsUser: 0`, or name another user.
    """
    yield from _control(workload, view, standards.run_as_user)


@rule("podsec/drop-capabilities", severity="major", per="workload", skip=_below_restricted)
def drop_capabilities(workload: Workload, view: View) -> Findings:
    """Every container drops all capabilities, and adds none but NET_BIND_SERVICE.

    Why: the default set still lets a process forge packets and change owners of files.

    Remedy: set `capabilities.drop: [ALL]`.
    """
    yield from _control(workload, view, standards.drop_capabilities)


@rule("podsec/proc-mount", severity="major", per="workload", skip=_below_baseline)
def proc_mount(workload: Workload, view: View) -> Findings:
    """The kernel's /proc is masked in every container.

    Why: unmasked it shows and takes settings of the node.

    Remedy: remove `procMount`; at the level baseline a pod with `hostUsers: false` may keep it.
    """
    strict = view.rules.pod_security == "restricted"
    yield from _control(workload, view, standards.proc_mount_restricted if strict else standards.proc_mount)


@rule("podsec/seccomp", severity="major", per="workload", skip=_below_baseline)
def seccomp(workload: Workload, view: View) -> Findings:
    """Every container has a seccomp profile, the runtime's default or one of its own; at baseline none is switched off.

    Why: without one all system calls of the node's kernel are open to it.

    Remedy: set `seccompProfile.type: RuntimeDefault` for the pod.
    """
    strict = view.rules.pod_security == "restricted"
    yield from _control(workload, view, standards.seccomp_restricted if strict else standards.seccomp)


@rule("podsec/read-only-root-fs", severity="major", per="workload")
def read_only_root_fs(workload: Workload, view: View) -> Findings:
    """The root file system of every container is read-only.

    Why: what runs is then what was scanned and signed; nothing can be left behind in it.

    Remedy: set `readOnlyRootFilesystem: true`, and mount an emptyDir where the process must write.
    """
    for container in workload.containers:
        seen = get(container.item, "securityContext", "readOnlyRootFilesystem")
        if seen is not True and container.sort != "ephemeralContainers":
            yield finding(workload, f"{container.path}.securityContext.readOnlyRootFilesystem", "true", seen, view=view)


@rule("podsec/high-uid", severity="minor", per="workload")
def high_uid(workload: Workload, view: View) -> Findings:
    """User and group ids that are asked for are 10000 or more.

    Why: a lower one may be somebody on the node, or own a mounted file, when a process breaks out.

    Remedy: set `runAsUser` and `runAsGroup` to 10000 or more, or leave them to the image.
    """
    places = [(f"{workload.path}.securityContext", workload.pod.get("securityContext") or {})]
    places += [(f"{one.path}.securityContext", one.item.get("securityContext") or {}) for one in workload.containers]
    for path, security in places:
        for name in ("runAsUser", "runAsGroup"):
            seen = security.get(name)
            if seen is not None and 0 < int(seen) < HIGH_ID:
                yield finding(workload, f"{path}.{name}", f"at least {HIGH_ID}", seen, view=view)


@rule("podsec/ports", severity="minor", per="workload")
def ports(workload: Workload, view: View) -> Findings:
    """No container listens on a port below 1024.

    Why: such a port needs root or a capability, and port 22 is a shell that nobody should need in a container.

    Remedy: listen above 1024; the Service may still be on port 80.
    """
    for container in workload.containers:
        for index, port in enumerate(container.item.get("ports") or ()):
            if int(port.get("containerPort") or 1024) < 1024:
                path = f"{container.path}.ports[{index}].containerPort"
                yield finding(workload, path, "1024 or more", port["containerPort"], view=view)


def _no_runtime_class(environment: Environment) -> str:
    return "" if environment.config.runtime_class else "no runtime class is asked for (config.runtime_class)"


@rule("podsec/runtime-class", severity="major", per="workload", skip=_no_runtime_class)
def runtime_class(workload: Workload, view: View) -> Findings:
    """Every pod asks for the hardened runtime class of this environment.

    Why: without it the pod runs under the node's ordinary runtime, and shares its kernel.

    Remedy: set `runtimeClassName`.
    """
    seen = workload.pod.get("runtimeClassName")
    if seen != view.rules.runtime_class:
        yield finding(workload, f"{workload.path}.runtimeClassName", str(view.rules.runtime_class), seen, view=view)


@rule("podsec/psa-labels", severity="major", per="namespace", needs=("Namespace",), whole=True, skip=_below_baseline)
def psa_labels(namespace: str, view: View) -> Findings:
    """The namespace enforces the wanted level of the Pod Security Standards.

    Why: without the label nothing keeps the next pod, or one made by hand, from asking for more.

    Remedy: label the namespace `pod-security.kubernetes.io/enforce` with the level.
    """
    item = view.snapshot.find("Namespace", "", namespace) or {"kind": "Namespace", "metadata": {"name": namespace}}
    wanted, seen = view.rules.pod_security, labels_of(item).get(ENFORCE)
    if seen not in _LEVELS or _LEVELS.index(str(seen)) < _LEVELS.index(wanted):
        yield finding(item, f"metadata.labels[{ENFORCE}]", wanted, seen, view=view)


@rule("podsec/effective-uid", severity="critical", per="workload", needs=("Pod",), live=True)
def effective_uid(workload: Workload, view: View) -> Findings:
    """No container really runs as user 0, as the kubelet reports it.

    Why: what a manifest asks for and what an image does can differ; this is what happened.

    Remedy: set `runAsNonRoot: true` and a user. With `hostUsers: false` root in the pod is nobody on the node.
    """
    if workload.pod.get("hostUsers") is False:
        return
    for pod in workload.pods():
        for status in _statuses(pod):
            # Reported since Kubernetes 1.33; an older kubelet says nothing, and podsec/run-as-non-root stands alone.
            if get(status, "user", "linux", "uid") == 0:
                path = f"status.containerStatuses[{status.get('name')}].user.linux.uid"
                yield finding(pod, path, "not 0", f"0 in {name_of(pod)}", view=view)


def _statuses(pod: Item) -> list[Any]:
    return [
        *get(pod, "status", "containerStatuses", default=[]),
        *get(pod, "status", "initContainerStatuses", default=[]),
        *get(pod, "status", "ephemeralContainerStatuses", default=[]),
    ]


CHECKS: Final[tuple[Check, ...]] = (
    host_process,
    host_namespaces,
    privileged,
    capabilities,
    host_path,
    host_port,
    host_probes,
    apparmor,
    selinux,
    sysctls,
    volume_types,
    privilege_escalation,
    run_as_non_root,
    run_as_user,
    drop_capabilities,
    proc_mount,
    seccomp,
    read_only_root_fs,
    high_uid,
    ports,
    runtime_class,
    psa_labels,
    effective_uid,
)
