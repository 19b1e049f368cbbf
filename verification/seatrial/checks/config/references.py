"""References of workloads to what stands beside them: ConfigMaps, Secrets, claims, priority classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from seatrial.checks.check import Check
from seatrial.checks.config.secrets import HELD_BY_MACHINES
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.snapshot.intake import data_changed
from seatrial.snapshot.objects import Item, get, moment, name_of, namespace_of, owners_of
from seatrial.snapshot.workload import Workload, workloads


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One mention of a ConfigMap, Secret or claim in a pod."""

    kind: str
    name: str
    path: str
    keys: tuple[str, ...] = ()
    optional: bool = False
    by_variable: bool = False
    """Read once, when the container starts."""


def references(workload: Workload) -> Iterator[Reference]:
    """Everything that a workload's pods take from objects beside them."""
    for container in workload.containers:
        for index, variable in enumerate(container.item.get("env") or ()):
            for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                found = get(variable, "valueFrom", key)
                if found:
                    yield _reference(
                        kind,
                        found,
                        f"{container.path}.env[{index}].valueFrom.{key}",
                        (str(found.get("key")),),
                        variable=True,
                    )
        for index, source in enumerate(container.item.get("envFrom") or ()):
            for key, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if source.get(key):
                    yield _reference(kind, source[key], f"{container.path}.envFrom[{index}].{key}", variable=True)
    for index, volume in enumerate(workload.pod.get("volumes") or ()):
        path = f"{workload.path}.volumes[{index}]"
        if volume.get("configMap"):
            yield _reference("ConfigMap", volume["configMap"], f"{path}.configMap", _items(volume["configMap"]))
        if volume.get("secret"):
            named = {**volume["secret"], "name": volume["secret"].get("secretName")}
            yield _reference("Secret", named, f"{path}.secret", _items(named))
        claim = get(volume, "persistentVolumeClaim", "claimName")
        if claim:
            yield Reference(kind="PersistentVolumeClaim", name=str(claim), path=f"{path}.persistentVolumeClaim")
        for place, source in enumerate(get(volume, "projected", "sources", default=())):
            for key, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                if source.get(key):
                    where = f"{path}.projected.sources[{place}].{key}"
                    yield _reference(kind, source[key], where, _items(source[key]))


def _items(source: Item) -> tuple[str, ...]:
    return tuple(str(item.get("key")) for item in source.get("items") or ())


def _reference(kind: str, source: Item, path: str, keys: tuple[str, ...] = (), *, variable: bool = False) -> Reference:
    return Reference(
        kind=kind,
        name=str(source.get("name")),
        path=path,
        keys=keys,
        optional=source.get("optional") is True,
        by_variable=variable,
    )


@rule(
    "ref/missing",
    severity="critical",
    per="workload",
    needs=("ConfigMap", "Secret", "PersistentVolumeClaim"),
    whole=True,
)
def missing_reference(workload: Workload, view: View) -> Findings:
    """Every ConfigMap, Secret, key and claim that a pod needs exists.

    Why: a running pod does not notice; the next one does not start, at the moment when it is needed.

    Remedy: create what is missing, mend the name, or mark the reference `optional`.
    """
    # A StatefulSet's claims are made from its templates.
    templates = {name_of(one) for one in get(workload.item, "spec", "volumeClaimTemplates", default=())}
    for one in references(workload):
        if one.optional or (one.kind == "PersistentVolumeClaim" and one.name in templates):
            continue
        item = view.snapshot.find(one.kind, workload.namespace, one.name)
        if item is None:
            yield finding(workload, one.path, f"{one.kind} {one.name}", "absent", view=view)
            continue
        known = {**get(item, "data", default={}), **get(item, "binaryData", default={})}
        for key in one.keys:
            if key not in known:
                yield finding(workload, one.path, f"key {key} in {one.kind} {one.name}", "absent", view=view)


@rule("ref/priority-class-missing", severity="major", per="workload", needs=("PriorityClass",), whole=True)
def missing_priority_class(workload: Workload, view: View) -> Findings:
    """The priority class that a pod names exists.

    Why: the API refuses every new pod without it.

    Remedy: create the PriorityClass, or mend the name.
    """
    name = workload.pod.get("priorityClassName")
    built_in = str(name).startswith("system-")
    if name and not built_in and view.snapshot.find("PriorityClass", "", str(name)) is None:
        yield finding(workload, f"{workload.path}.priorityClassName", f"PriorityClass {name}", "absent", view=view)


@rule(
    "ref/unused",
    severity="minor",
    per="namespace",
    needs=(
        "ConfigMap",
        "Secret",
        "ServiceAccount",
        "Ingress",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "Pod",
    ),
    whole=True,
)
def unused(namespace: str, view: View) -> Findings:
    """Every ConfigMap and Secret is used by something.

    Why: a secret that nobody uses is rotated by nobody, and still opens something.

    Remedy: delete it; waive what is read over the API.
    """
    used: set[tuple[str, str]] = set()
    for workload in workloads(view.snapshot, namespace):
        used |= {(one.kind, one.name) for one in references(workload)}
        used |= {("Secret", str(one.get("name"))) for one in workload.pod.get("imagePullSecrets") or ()}
    for account in view.snapshot.of("ServiceAccount", namespace):
        for key in ("imagePullSecrets", "secrets"):
            used |= {("Secret", str(one.get("name"))) for one in account.get(key) or ()}
    for ingress in view.snapshot.of("Ingress", namespace):
        used |= {("Secret", str(one.get("secretName"))) for one in get(ingress, "spec", "tls", default=())}
    # Earlier revisions may still be rolled back to with what they used.
    for item in view.snapshot.of("ReplicaSet", namespace):
        earlier = Workload(kind="ReplicaSet", item=item, snapshot=view.snapshot)
        used |= {(one.kind, one.name) for one in references(earlier)}
    for kind in ("ConfigMap", "Secret"):
        for item in view.objects(kind):
            made = item.get("type") in HELD_BY_MACHINES or name_of(item) == "kube-root-ca.crt" or owners_of(item)
            if namespace_of(item) == namespace and not made and (kind, name_of(item)) not in used:
                yield finding(item, "metadata.name", "used by something", "used by nothing", view=view)


@rule("secret/reloaded", severity="major", per="workload", needs=("Pod", "ConfigMap", "Secret"), live=True)
def reloaded(workload: Workload, view: View) -> Findings:
    """No pod is older than the configuration that it read when it started.

    Why: variables keep the old value until a restart, which comes at a bad time and changes everything at once.

    Remedy: restart the workload, and put a checksum of the configuration into the template's annotations.
    """
    if not workload.serves:
        return
    for one in references(workload):
        item = view.snapshot.find(one.kind, workload.namespace, one.name) if one.by_variable else None
        changed = data_changed(item) if item is not None else None
        if changed is None:
            continue
        for pod in workload.pods():
            started = moment(get(pod, "status", "startTime"))
            if started is not None and started < changed:
                seen = f"{name_of(pod)} started {started.isoformat()}"
                yield finding(workload, one.path, f"started after {changed.isoformat()}", seen, view=view)
                break


CHECKS: Final[tuple[Check, ...]] = (
    missing_reference,
    missing_priority_class,
    unused,
    reloaded,
)
