"""The Pod Security Standards of Kubernetes, control by control, at both of their levels.

Source: the standards as published and their reference implementation, the pod-security-admission plugin, at version
1.36: https://kubernetes.io/docs/concepts/security/pod-security-standards/. Init, sidecar and ephemeral containers count
like any other; a field of a container overrides the pod's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from seatrial.snapshot.objects import annotations_of, get
from seatrial.snapshot.workload import Workload

Level = Literal["baseline", "restricted"]
Violation = tuple[str, str, Any]
"""JSON path, what is expected there, and what was seen."""
Control = Callable[[Workload], Iterator[Violation]]

SAFE_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    }
)
BASELINE_CAPABILITIES: Final = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
SELINUX_TYPES: Final = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
VOLUME_TYPES: Final = frozenset(
    {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim"),
        *("projected", "secret"),
    }
)
APPARMOR_ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"


def _security(workload: Workload) -> Iterator[tuple[str, Any]]:
    """Path and security context of the pod and of every container that has one."""
    if workload.pod.get("securityContext"):
        yield f"{workload.path}.securityContext", workload.pod["securityContext"]
    for container in workload.containers:
        if container.item.get("securityContext"):
            yield f"{container.path}.securityContext", container.item["securityContext"]


def _windows(workload: Workload) -> bool:
    return bool(get(workload.pod, "os", "name") == "windows")


def _own_users(workload: Workload) -> bool:
    """Whether the pod has a user namespace of its own, in which root is nobody on the node."""
    return workload.pod.get("hostUsers") is False


def host_process(workload: Workload) -> Iterator[Violation]:
    """Baseline: no HostProcess container of Windows."""
    for path, security in _security(workload):
        if get(security, "windowsOptions", "hostProcess"):
            yield f"{path}.windowsOptions.hostProcess", "false", True


def host_namespaces(workload: Workload) -> Iterator[Violation]:
    """Baseline: none of the node's namespaces."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if workload.pod.get(name):
            yield f"{workload.path}.{name}", "false", True


def privileged(workload: Workload) -> Iterator[Violation]:
    """Baseline: no privileged container."""
    for container in workload.containers:
        if get(container.item, "securityContext", "privileged"):
            yield f"{container.path}.securityContext.privileged", "false", True


def capabilities(workload: Workload) -> Iterator[Violation]:
    """Baseline: no capability beyond those that container runtimes give by themselves."""
    for container in workload.containers:
        added = set(get(container.item, "securityContext", "capabilities", "add", default=()))
        if added - BASELINE_CAPABILITIES:
            path = f"{container.path}.securityContext.capabilities.add"
            yield path, "none beyond the runtime's own", ", ".join(sorted(added - BASELINE_CAPABILITIES))


def host_path(workload: Workload) -> Iterator[Violation]:
    """Baseline: no volume from the node's file system."""
    for index, volume in enumerate(workload.pod.get("volumes") or ()):
        if volume.get("hostPath") is not None:
            yield f"{workload.path}.volumes[{index}].hostPath", "no hostPath", get(volume, "hostPath", "path")


def host_port(workload: Workload) -> Iterator[Violation]:
    """Baseline: no port of the node."""
    for container in workload.containers:
        for index, port in enumerate(container.item.get("ports") or ()):
            if port.get("hostPort"):
                yield f"{container.path}.ports[{index}].hostPort", "no hostPort", port["hostPort"]


def host_probes(workload: Workload) -> Iterator[Violation]:
    """Baseline, since 1.34: probes and hooks ask the pod itself, not another host."""
    for container in workload.containers:
        handlers = [(name, container.item.get(name)) for name in ("livenessProbe", "readinessProbe", "startupProbe")]
        lifecycle = container.item.get("lifecycle") or {}
        handlers += [(f"lifecycle.{name}", lifecycle.get(name)) for name in ("postStart", "preStop")]
        for name, handler in handlers:
            for sort in ("httpGet", "tcpSocket"):
                host = get(handler, sort, "host")
                if host:
                    yield f"{container.path}.{name}.{sort}.host", "no other host", host


def apparmor(workload: Workload) -> Iterator[Violation]:
    """Baseline: AppArmor is not switched off."""
    for path, security in _security(workload):
        seen = get(security, "appArmorProfile", "type")
        if seen not in (None, "RuntimeDefault", "Localhost"):
            yield f"{path}.appArmorProfile.type", "RuntimeDefault or Localhost", seen
    for key, value in annotations_of(workload.template).items():
        if key.startswith(APPARMOR_ANNOTATION) and not (
            value in ("", "runtime/default") or value.startswith("localhost/")
        ):
            yield f"metadata.annotations[{key}]", "runtime/default or localhost/*", value


def selinux(workload: Workload) -> Iterator[Violation]:
    """Baseline: no SELinux user or role, and only types made for containers."""
    for path, security in _security(workload):
        options = security.get("seLinuxOptions") or {}
        if str(options.get("type") or "") not in SELINUX_TYPES:
            yield f"{path}.seLinuxOptions.type", "a type for containers", options["type"]
        for name in ("user", "role"):
            if options.get(name):
                yield f"{path}.seLinuxOptions.{name}", "not set", options[name]


def proc_mount(workload: Workload) -> Iterator[Violation]:
    """Baseline: /proc is masked; since 1.35 a pod with users of its own may unmask it."""
    if not _own_users(workload):
        yield from proc_mount_restricted(workload)


def proc_mount_restricted(workload: Workload) -> Iterator[Violation]:
    """Restricted: /proc is masked."""
    for container in workload.containers:
        seen = get(container.item, "securityContext", "procMount")
        if seen not in (None, "Default"):
            yield f"{container.path}.securityContext.procMount", "Default", seen


def seccomp(workload: Workload) -> Iterator[Violation]:
    """Baseline: seccomp is not switched off."""
    for path, security in _security(workload):
        seen = get(security, "seccompProfile", "type")
        if seen not in (None, "RuntimeDefault", "Localhost"):
            yield f"{path}.seccompProfile.type", "RuntimeDefault or Localhost", seen


def sysctls(workload: Workload) -> Iterator[Violation]:
    """Baseline: only kernel parameters that are safe to set for a pod."""
    for index, entry in enumerate(get(workload.pod, "securityContext", "sysctls", default=())):
        if entry.get("name") not in SAFE_SYSCTLS:
            yield f"{workload.path}.securityContext.sysctls[{index}]", "a safe sysctl", entry.get("name")


def volume_types(workload: Workload) -> Iterator[Violation]:
    """Restricted: only volumes that reach neither the node nor another machine directly."""
    for index, volume in enumerate(workload.pod.get("volumes") or ()):
        # A volume without a source is an emptyDir; a hostPath is objected to at baseline already.
        sorts = set(volume) - {"name"} - VOLUME_TYPES - {"hostPath"}
        if sorts:
            yield f"{workload.path}.volumes[{index}]", "a volume type of the standard", ", ".join(sorted(sorts))


def privilege_escalation(workload: Workload) -> Iterator[Violation]:
    """Restricted: no process gains more rights than its parent."""
    if _windows(workload):
        return
    for container in workload.containers:
        seen = get(container.item, "securityContext", "allowPrivilegeEscalation")
        if seen is not False:
            yield f"{container.path}.securityContext.allowPrivilegeEscalation", "false", seen


def run_as_non_root(workload: Workload) -> Iterator[Violation]:
    """Restricted: the kubelet refuses to start a container as root."""
    if _own_users(workload):
        return
    pod = get(workload.pod, "securityContext", "runAsNonRoot")
    for container in workload.containers:
        own = get(container.item, "securityContext", "runAsNonRoot")
        if own is not True and not (own is None and pod is True):
            yield f"{container.path}.securityContext.runAsNonRoot", "true", own if own is not None else pod


def run_as_user(workload: Workload) -> Iterator[Violation]:
    """Restricted: no user 0 is asked for."""
    if _own_users(workload):
        return
    for path, security in _security(workload):
        if security.get("runAsUser") == 0:
            yield f"{path}.runAsUser", "not 0", 0


def seccomp_restricted(workload: Workload) -> Iterator[Violation]:
    """Restricted: every container has a seccomp profile."""
    if _windows(workload):
        return
    pod = get(workload.pod, "securityContext", "seccompProfile", "type")
    for container in workload.containers:
        own = get(container.item, "securityContext", "seccompProfile", "type")
        seen = own if own is not None else pod
        if seen not in ("RuntimeDefault", "Localhost"):
            yield f"{container.path}.securityContext.seccompProfile.type", "RuntimeDefault or Localhost", seen


def drop_capabilities(workload: Workload) -> Iterator[Violation]:
    """Restricted: all capabilities are dropped, and none but NET_BIND_SERVICE is added back."""
    if _windows(workload):
        return
    for container in workload.containers:
        own = get(container.item, "securityContext", "capabilities", default={})
        dropped = own.get("drop") or []
        if "ALL" not in dropped:
            seen = ", ".join(map(str, dropped)) or None
            yield f"{container.path}.securityContext.capabilities.drop", "ALL", seen
        added = sorted(set(own.get("add") or ()) - {"NET_BIND_SERVICE"})
        if added:
            path = f"{container.path}.securityContext.capabilities.add"
            yield path, "none but NET_BIND_SERVICE", ", ".join(added)


BASELINE: Final[tuple[Control, ...]] = (
    *(host_process, host_namespaces, privileged, capabilities, host_path, host_port, host_probes),
    *(apparmor, selinux, proc_mount, seccomp, sysctls),
)
RESTRICTED: Final[tuple[Control, ...]] = (
    *(host_process, host_namespaces, privileged, host_path, host_port, host_probes),
    *(apparmor, selinux, proc_mount_restricted, sysctls),
    *(volume_types, privilege_escalation, run_as_non_root, run_as_user, seccomp_restricted, drop_capabilities),
)


def violations(workload: Workload, level: Level) -> list[Violation]:
    """Everything that keeps a pod from being admitted at ``level``."""
    controls = BASELINE if level == "baseline" else RESTRICTED
    return [violation for control in controls for violation in control(workload)]
