"""What was read of a cluster: plain objects by kind, and for each kind that could not be read, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from seatrial.evidence.assessment import Assessment

Item = Mapping[str, Any]


class Unread(Exception):
    """A check needs a kind that could not be read."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind} could not be read: {reason}")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Objects of the declared namespaces. ``unread`` holds a reason for each kind that is missing from ``objects``."""

    objects: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str, namespace: str | None = None) -> tuple[Item, ...]:
        """All objects of ``kind``, in ``namespace`` or everywhere. Raises Unread."""
        if kind not in self.objects:
            raise Unread(kind, self.unread.get(kind, "nobody asked for it"))
        found = self.objects[kind]
        return found if namespace is None else tuple(item for item in found if namespace_of(item) == namespace)

    def find(self, kind: str, namespace: str, name: str) -> Item | None:
        """One object, or None. Raises Unread."""
        return next((item for item in self.of(kind, namespace) if name_of(item) == name), None)


def name_of(item: Item) -> str:
    """``metadata.name``."""
    return str(item.get("metadata", {}).get("name", ""))


def namespace_of(item: Item) -> str:
    """``metadata.namespace``, empty where there is none."""
    return str(item.get("metadata", {}).get("namespace", ""))


def get(item: Any, *path: str, default: Any = None) -> Any:
    """The value at a path of keys; ``default`` where a key is missing or null."""
    for key in path:
        item = item.get(key) if isinstance(item, Mapping) else None
    return default if item is None else item


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector matches; an empty one matches everything, an absent one nothing."""
    if not isinstance(selector, Mapping):
        return False
    if any(labels.get(key) != value for key, value in get(selector, "matchLabels", default={}).items()):
        return False
    return all(_expression(expression, labels) for expression in get(selector, "matchExpressions", default=[]))


def _expression(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression.get("key", ""), expression.get("values") or []
    operator = expression.get("operator")
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator == "Exists":
        return key in labels
    return operator == "DoesNotExist" and key not in labels


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet as a check sees it: the object and the snapshot around it."""

    kind: str
    namespace: str
    name: str
    item: Item
    snapshot: Snapshot

    @property
    def where(self) -> str:
        """``Kind namespace/name``."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def pod(self) -> Item:
        """Spec of its pods."""
        found: Item = get(self.item, "spec", "template", "spec", default={})
        return found

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of its pods."""
        found: Mapping[str, str] = get(self.item, "spec", "template", "metadata", "labels", default={})
        return found

    @property
    def replicas(self) -> int:
        """Replicas wanted; Kubernetes' default is one."""
        return int(get(self.item, "spec", "replicas", default=1))

    def containers(self, *, init: bool = True) -> Iterator[tuple[str, Item]]:
        """JSON path and object of each container; with ``init`` also those that run before or beside the others."""
        for index, container in enumerate(get(self.pod, "containers", default=[])):
            yield f"spec.template.spec.containers[{index}]", container
        for index, container in enumerate(get(self.pod, "initContainers", default=[]) if init else ()):
            yield f"spec.template.spec.initContainers[{index}]", container

    def serving(self) -> Iterator[tuple[str, Item]]:
        """Containers that run as long as the pod does: the ordinary ones and sidecars."""
        for path, container in self.containers():
            if "initContainers" not in path or container.get("restartPolicy") == "Always":
                yield path, container

    def pods(self) -> list[Item]:
        """Its running pods, by selector. Raises Unread."""
        selector = get(self.item, "spec", "selector")
        pods = self.snapshot.of("Pod", self.namespace)
        return [pod for pod in pods if selects(selector, get(pod, "metadata", "labels", default={}))]


KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
"""Kinds that an environment's ``workload`` may name."""


def locate(snapshot: Snapshot, reference: str, namespace: str) -> Workload | Assessment:
    """The workload ``kind/name``, or the assessment that it cannot be looked at."""
    kind, _, name = reference.partition("/")
    known = KINDS.get(kind.lower())
    if known is None:
        return Assessment.error(f"workload {reference}: expected one of {', '.join(KINDS)} before the slash")
    try:
        item = snapshot.find(known, namespace, name)
    except Unread as error:
        return Assessment.error(str(error), remedy="see the context, the network and the rights of the verifier")
    if item is None:
        words = f"there is no {known} {name} in the namespace {namespace}"
        return Assessment.failed(words, seen="absent", limit=f"{known} {namespace}/{name}")
    return Workload(kind=known, namespace=namespace, name=name, item=item, snapshot=snapshot)


def names(items: Iterable[Item]) -> str:
    """Names of objects, for a message."""
    return ", ".join(sorted(name_of(item) for item in items))
