"""The cluster around the workloads: which one it is, its version, nodes, storage, namespaces and backups."""

from __future__ import annotations

import re
from typing import Final

from seatrial.checks.check import Check
from seatrial.checks.config import deprecations
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.kinds import KINDS
from seatrial.snapshot.objects import Item, condition, get, labels_of, name_of, namespace_of

IDENTITY: Final = "kube-system"
ENVIRONMENT_LABEL: Final = "seatrial.io/environment"
"""Label by which a namespace says which environment it is."""
OLDEST_SUPPORTED: Final = (1, 33)
"""Oldest minor version that is not long past its end of maintenance; in November 2026 those are 1.34 to 1.36."""
_PRESSURES: Final = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_CONFIGURED: Final = (
    *("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Service", "Ingress", "ConfigMap"),
    *("HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Role", "RoleBinding"),
)


@rule("env/cluster-identity", severity="critical", per="cluster", needs=("Namespace",), live=True)
def cluster_identity(view: View) -> Findings:
    """The cluster that was reached is the one that the environment means.

    Why: a context that points elsewhere verifies the wrong system, and promotes on its behalf.

    Remedy: mend the context. Write `cluster.uid` (`kubectl get namespace kube-system -o jsonpath={.metadata.uid}`) and
    label the namespaces `seatrial.io/environment=NAME`, so that this can be told.
    """
    cluster = view.environment.cluster
    known = view.snapshot.find("Namespace", "", IDENTITY)
    uid = get(known or {}, "metadata", "uid")
    if cluster is not None and cluster.uid is not None and uid != cluster.uid:
        shown = known or {"kind": "Namespace", "metadata": {"name": IDENTITY}}
        yield finding(shown, "metadata.uid", cluster.uid, uid, view=view)
    if (
        cluster is not None
        and cluster.server is not None
        and view.snapshot.server.rstrip("/") != cluster.server.rstrip("/")
    ):
        shown = {"kind": "Cluster", "metadata": {"name": view.environment.name}}
        yield finding(shown, "server", cluster.server, view.snapshot.server, view=view)
    for namespace in view.snapshot.namespaces:
        item = view.snapshot.find("Namespace", "", namespace)
        if item is None:
            shown = {"kind": "Namespace", "metadata": {"name": namespace}}
            yield finding(shown, "metadata.name", "there", "absent", view=view)
            continue
        label = labels_of(item).get(ENVIRONMENT_LABEL)
        if label is not None and label != view.environment.name:
            path = f"metadata.labels[{ENVIRONMENT_LABEL}]"
            yield finding(item, path, view.environment.name, label, view=view)


def _no_others(environment: Environment) -> str:
    if environment.config.other_environments:
        return ""
    return "no words of other environments are declared (config.other_environments)"


@rule(
    "env/isolation",
    severity="critical",
    per="object",
    kinds=("Deployment", "StatefulSet", "DaemonSet", "CronJob", "ConfigMap", "Service", "Ingress"),
    skip=_no_others,
)
def isolation(item: Item, view: View) -> Findings:
    """Nothing here points at another environment.

    Why: a staging address in production sends users' conversations to testers; the other way round, tests to users.

    Remedy: take the value from this environment's own configuration.
    """
    words = view.rules.other_environments
    pattern = view.snapshot.once(
        ("isolation", words), lambda: re.compile("|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in words))
    )
    for section in ("data", "spec"):
        for path, text in _texts(item.get(section), section):
            match = pattern.search(text)
            if match:
                # The word alone: a value may hold more than an address.
                yield finding(item, path, "nothing of another environment", match[0], view=view)


def _texts(value: object, path: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(path, value)]
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _texts(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for index, inner in enumerate(value) for found in _texts(inner, f"{path}[{index}]")]
    return []


@rule(
    "api/deprecated",
    severity="major",
    per="object",
    kinds=tuple(kind.name for kind in KINDS.values() if not kind.custom and kind.namespaced),
)
def deprecated(item: Item, view: View) -> Findings:
    """No manifest uses an API version that the target version has deprecated or removed.

    Why: after the upgrade of the cluster the next deploy fails, and the rollback with it.

    Remedy: move to the version that comes instead; fields may have moved too.
    """
    target = deprecations.version(view.rules.kubernetes_version or view.snapshot.version)
    # The API converts what it stores to the version that is asked for; the managers say in which one it was written.
    written = {str(entry.get("apiVersion")) for entry in get(item, "metadata", "managedFields", default=())}
    for api_version in sorted(written | {str(item.get("apiVersion", ""))}):
        row = deprecations.find(api_version, str(item.get("kind", "")))
        if row is None or (target is not None and target < row.deprecated):
            continue
        gone = row.removed is not None and (target is None or target >= row.removed)
        when = ".".join(map(str, row.removed if gone and row.removed else row.deprecated))
        what = f"{row.api_version}, {'removed' if gone else 'deprecated'} in {when}"
        yield finding(item, "apiVersion", row.instead, what, view=view)


@rule("ns/default", severity="major", per="cluster", needs=())
def default_namespace(view: View) -> Findings:
    """Nothing of this environment lives in `default` or in the cluster's own namespaces.

    Why: quotas, policies and rights go by namespace; in `default` everything meets everybody's leftovers.

    Remedy: give the environment a namespace of its own.
    """
    for namespace in view.snapshot.namespaces:
        if namespace == "default" or namespace in view.rules.system_namespaces:
            item = {"kind": "Namespace", "metadata": {"name": namespace}}
            yield finding(item, "metadata.name", "a namespace of its own", namespace, view=view)


@rule("ns/terminating", severity="critical", per="namespace", needs=("Namespace",), live=True)
def terminating(namespace: str, view: View) -> Findings:
    """The namespace exists and is not being deleted.

    Why: nothing new can be made in it, and what is there goes.

    Remedy: see who deleted it; finalizers in its status say what it waits for.
    """
    item = view.snapshot.find("Namespace", "", namespace)
    if item is not None and get(item, "status", "phase", default="Active") != "Active":
        yield finding(item, "status.phase", "Active", get(item, "status", "phase"), view=view)


@rule("cluster/version", severity="minor", per="cluster", needs=("Node",), live=True)
def supported_version(view: View) -> Findings:
    """The API server is of a version that is still maintained, and no kubelet is newer or too old for it.

    Why: an unmaintained version gets no security fixes; a kubelet may be three minor versions older, and never newer.

    Remedy: upgrade the control plane, then the nodes.
    """
    server = deprecations.version(view.snapshot.version)
    shown = {"kind": "Cluster", "metadata": {"name": view.environment.name}}
    if server is not None and server < OLDEST_SUPPORTED:
        yield finding(shown, "version", ".".join(map(str, OLDEST_SUPPORTED)), view.snapshot.version, view=view)
    for node in view.snapshot.of("Node"):
        text = get(node, "status", "nodeInfo", "kubeletVersion", default="")
        kubelet = deprecations.version(text)
        if server is not None and kubelet is not None and not server[1] - 3 <= kubelet[1] <= server[1]:
            expected = f"1.{server[1] - 3} to 1.{server[1]}"
            yield finding(node, "status.nodeInfo.kubeletVersion", expected, text, view=view)


@rule("node/conditions", severity="major", per="cluster", needs=("Node",), live=True)
def node_conditions(view: View) -> Findings:
    """Every node is ready and under no pressure.

    Why: pods on such a node are moved soon, and there is less room for the release.

    Remedy: see the node's conditions and its kubelet.
    """
    for node in view.snapshot.of("Node"):
        ready = condition(node, "Ready")
        if ready.get("status") != "True":
            yield finding(node, "status.conditions[Ready]", "True", ready.get("reason") or "not reported", view=view)
        for kind in _PRESSURES:
            if condition(node, kind).get("status") == "True":
                yield finding(node, f"status.conditions[{kind}]", "False", "True", view=view)


@rule("storage/pv-pvc", severity="critical", per="object", kinds=("PersistentVolumeClaim",), live=True)
def bound(item: Item, view: View) -> Findings:
    """Every claim is bound.

    Why: a pod that needs the claim does not start.

    Remedy: see the events of the claim: its storage class, its size, the zones.
    """
    seen = get(item, "status", "phase")
    if seen != "Bound":
        yield finding(item, "status.phase", "Bound", seen, view=view)


@rule(
    "storage/class-missing",
    severity="major",
    per="object",
    kinds=("PersistentVolumeClaim",),
    needs=("StorageClass",),
    whole=True,
)
def storage_class(item: Item, view: View) -> Findings:
    """The storage class of every claim exists.

    Why: a claim of an unknown class waits for ever.

    Remedy: mend `storageClassName`, or install the class.
    """
    name = get(item, "spec", "storageClassName")
    statically = get(item, "spec", "volumeName")
    if name and not statically and view.snapshot.find("StorageClass", "", str(name)) is None:
        yield finding(item, "spec.storageClassName", f"StorageClass {name}", "absent", view=view)


_CRON: Final = re.compile(r"@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)|\S+(\s+\S+){4}")


@rule("backup/velero-schedule", severity="critical", per="object", kinds=("Schedule",), live=True)
def velero(item: Item, view: View) -> Findings:
    """Every backup schedule of Velero is valid, enabled, and has run.

    Why: a schedule that is paused or refused makes no backup, and looks like one that does.

    Remedy: see its status; set `paused: false`.
    """
    schedule = str(get(item, "spec", "schedule", default=""))
    if not _CRON.fullmatch(schedule):
        yield finding(item, "spec.schedule", "five fields", schedule or None, view=view)
    if get(item, "spec", "paused") is True:
        yield finding(item, "spec.paused", "false", True, view=view)
    phase = get(item, "status", "phase")
    if phase != "Enabled":
        yield finding(item, "status.phase", "Enabled", phase, view=view)
    if not get(item, "status", "lastBackup"):
        yield finding(item, "status.lastBackup", "a time", None, view=view)


@rule("api/schema", severity="major", per="object", kinds=_CONFIGURED)
def shape(item: Item, view: View) -> Findings:
    """Every object has the outline of its kind: version, kind, name, and a body of the right form.

    Why: what the API server would refuse, or silently drops, is not what was meant.

    Remedy: `kubectl apply --dry-run=server` names every field.
    """
    if not item.get("apiVersion") and view.snapshot.source == "manifests":
        yield finding(item, "apiVersion", "set", None, view=view)
    for section in ("spec", "data", "metadata"):
        if section in item and item[section] is not None and not isinstance(item[section], dict):
            yield finding(item, section, "an object", type(item[section]).__name__, view=view)
    spec = item.get("spec")
    if isinstance(spec, dict) and item.get("kind") in ("Deployment", "StatefulSet", "DaemonSet"):
        containers = get(spec, "template", "spec", "containers")
        if not isinstance(containers, list) or not containers:
            yield finding(item, "spec.template.spec.containers", "a list of containers", containers, view=view)
    if isinstance(item.get("data"), dict) and item.get("kind") == "ConfigMap":
        for key, value in item["data"].items():
            if not isinstance(value, str):
                yield finding(item, f"data.{key}", "text", type(value).__name__, view=view)
    if not namespace_of(item):
        yield finding(item, "metadata.namespace", "set", None, view=view)
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name_of(item)) and item.get("kind") not in (
        "Role",
        "RoleBinding",
    ):
        yield finding(item, "metadata.name", "a DNS name", name_of(item) or None, view=view)


CHECKS: Final[tuple[Check, ...]] = (
    cluster_identity,
    isolation,
    deprecated,
    default_namespace,
    terminating,
    supported_version,
    node_conditions,
    bound,
    storage_class,
    velero,
    shape,
)
