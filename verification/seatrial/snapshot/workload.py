"""What runs pods, as a check sees it: the object, its pod template, its containers and its pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from seatrial.snapshot.kinds import POD_TEMPLATES, SERVING
from seatrial.snapshot.objects import Item, Labels, controlled, get, labels_of, name_of, namespace_of, pairs, selects
from seatrial.snapshot.snapshot import Snapshot

NAMED: Final = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
"""Kinds that an environment's ``workload`` may name."""
INJECTED: Final = ("istio-proxy", "istio-init", "istio-validation", "linkerd-proxy", "linkerd-init", "vault-agent")
"""Names of containers that a service mesh or a secrets agent puts into pods; they are judged with what injects them."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a pod template. ``sort`` is the list in which it stands."""

    path: str
    """JSON path from the object."""
    item: Item
    sort: str

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.item.get("name", ""))

    @property
    def serves(self) -> bool:
        """Whether it runs as long as the pod does: an ordinary one, or a sidecar among the init containers."""
        return self.sort == "containers" or self.item.get("restartPolicy") == "Always"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A Deployment, StatefulSet, DaemonSet, Job, CronJob, or a ReplicaSet or Pod that nothing controls."""

    kind: str
    item: Item
    snapshot: Snapshot = field(repr=False)

    @cached_property
    def name(self) -> str:
        """``metadata.name``."""
        return name_of(self.item)

    @cached_property
    def namespace(self) -> str:
        """``metadata.namespace``."""
        return namespace_of(self.item)

    @property
    def where(self) -> str:
        """``Kind namespace/name``."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def serves(self) -> bool:
        """Whether it runs until it is told to stop."""
        return self.kind in SERVING

    @cached_property
    def path(self) -> str:
        """JSON path of the pod's spec."""
        template = POD_TEMPLATES[self.kind]
        return f"{template}.spec" if template else "spec"

    @cached_property
    def template(self) -> Item:
        """Its pod template; a Pod is its own."""
        template = POD_TEMPLATES[self.kind]
        found: Item = get(self.item, *template.split("."), default={}) if template else self.item
        return found

    @cached_property
    def pod(self) -> Item:
        """Spec of its pods."""
        found: Item = get(self.template, "spec", default={})
        return found

    @property
    def labels(self) -> Labels:
        """Labels of its pods."""
        return labels_of(self.template)

    @property
    def replicas(self) -> int:
        """Replicas wanted; Kubernetes' default is one."""
        return int(get(self.item, "spec", "replicas", default=1))

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """All containers, those of init and ephemeral ones among them, but for those that a mesh injects.

        Raises ValueError where there is none at all: nothing that runs is like that, and everything would hold for it.
        """
        if not self.pod.get("containers"):
            raise ValueError(f"{self.path}.containers: expected a container, seen none")
        found = [
            Container(path=f"{self.path}.{sort}[{index}]", item=item, sort=sort)
            for sort in ("containers", "initContainers", "ephemeralContainers")
            for index, item in enumerate(self.pod.get(sort) or ())
        ]
        return tuple(container for container in found if container.name not in INJECTED)

    @cached_property
    def serving(self) -> tuple[Container, ...]:
        """Containers that run as long as the pod does."""
        return tuple(container for container in self.containers if container.serves)

    def pods(self) -> Sequence[Item]:
        """Its pods as they are, by selector. Raises Unread."""
        if self.kind == "Pod":
            return (self.item,)
        return self.snapshot.selected("Pod", self.namespace, get(self.item, "spec", "selector"))

    def variables(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """JSON path and object of every environment variable."""
        for container in self.containers:
            for index, variable in enumerate(container.item.get("env") or ()):
                yield f"{container.path}.env[{index}]", variable


def workloads(snapshot: Snapshot, namespace: str | None = None) -> tuple[Workload, ...]:
    """Everything that runs pods, owned objects left out: they are judged at their owner. Raises Unread."""

    def find() -> tuple[Workload, ...]:
        return tuple(
            Workload(kind=kind, item=item, snapshot=snapshot)
            for kind in POD_TEMPLATES
            for item in snapshot.of(kind, namespace)
            if kind in SERVING or not controlled(item)
        )

    return snapshot.once(("workloads", namespace), find)


def selected_workloads(snapshot: Snapshot, namespace: str, selector: Any) -> list[Workload]:
    """Workloads whose pods a LabelSelector matches. Raises Unread."""

    def index() -> dict[tuple[str, str], list[Workload]]:
        found: dict[tuple[str, str], list[Workload]] = {}
        for workload in workloads(snapshot, namespace):
            for pair in pairs(workload.labels):
                found.setdefault(pair, []).append(workload)
        return found

    candidates: Sequence[Workload] = workloads(snapshot, namespace)
    wanted = get(selector, "matchLabels", default={})
    if wanted:
        by_label = snapshot.once(("templates", namespace), index)
        candidates = min((by_label.get(pair, []) for pair in wanted.items()), key=len)
    return [one for one in candidates if selects(selector, one.labels)]
