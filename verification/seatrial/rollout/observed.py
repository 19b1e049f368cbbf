"""What is kept of the cluster's objects while a workload is rolled out: a few fields of each change, and no secrets."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from seatrial.snapshot.objects import (
    Item,
    annotations_of,
    condition,
    get,
    labels_of,
    name_of,
    selects,
)

TroubleKind = Literal["", "image-pull", "crash-loop", "configuration", "unschedulable", "gate", "unready"]

_IMAGE: Final = frozenset(
    {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
_BROKEN: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_ORDINAL: Final = re.compile(r"-(\d+)$")
REVISION: Final = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, kw_only=True)
class WorkloadView:
    """A Deployment or StatefulSet. ``revision`` is the number of a Deployment's, the hash of a StatefulSet's newest."""

    at: float
    kind: str
    name: str
    uid: str
    generation: int
    observed: int
    wanted: int
    total: int
    updated: int
    available: int
    max_unavailable: int
    max_surge: int
    min_ready: float
    partition: int
    paused: bool
    by_hand: bool
    """Whether pods are only replaced when somebody deletes them (OnDelete)."""
    revision: str
    stuck: str
    """Why the controller has given up, where it has: the message of ProgressDeadlineExceeded."""


@dataclass(frozen=True, kw_only=True)
class SetView:
    """A ReplicaSet of the Deployment."""

    at: float
    revision: int
    hash: str
    owner: str
    gone: bool
    first: bool = False
    """Whether it was there when the watch began."""


@dataclass(frozen=True, kw_only=True)
class PodView:
    """A pod. ``leaving`` ones are being deleted, ``gone`` ones are."""

    at: float
    name: str
    uid: str
    hash: str
    ready: bool
    leaving: bool
    gone: bool
    restarts: int
    ip: str
    port: int
    """Port of its readiness probe, else the first that it declares; 0 where there is none."""
    trouble: TroubleKind
    words: str
    """What the trouble is, as container statuses and conditions have it."""
    first: bool = False
    """Whether it was there when the watch began."""

    @property
    def ordinal(self) -> int:
        """Its number in a StatefulSet."""
        match = _ORDINAL.search(self.name)
        return int(match[1]) if match else -1


@dataclass(frozen=True, kw_only=True)
class BudgetView:
    """A PodDisruptionBudget that is about the workload's pods. One of the limits is None; percentages end in %."""

    at: float
    name: str
    least: int | str | None
    most_out: int | str | None
    gone: bool

    def needed(self, wanted: int) -> int:
        """Pods that must be healthy of so many wanted (the disruption controller rounds both up)."""
        if self.least is not None:
            return scaled(self.least, wanted, up=True)
        return wanted - scaled(self.most_out if self.most_out is not None else 0, wanted, up=True)


@dataclass(frozen=True, kw_only=True)
class EventView:
    """A warning about a pod."""

    at: float
    pod: str
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class AnswerView:
    """What a new pod answered at its own address after it had become ready; ``error`` is empty for a good answer."""

    at: float
    pod: str
    version: str
    error: str


View = WorkloadView | SetView | PodView | BudgetView | EventView | AnswerView


def scaled(value: Any, of: int, *, up: bool) -> int:
    """A number, or a percentage of ``of``, rounded as the controllers do."""
    text = str(value)
    if text.endswith("%"):
        share = float(text[:-1]) * of / 100
        return math.ceil(share) if up else math.floor(share)
    return int(value)


def workload_view(kind: str, item: Item, at: float) -> WorkloadView:
    """Of a Deployment or a StatefulSet."""
    wanted = int(get(item, "spec", "replicas", default=1))
    count = {name: int(get(item, "status", f"{name}Replicas", default=0)) for name in ("updated", "available")}
    strategy = get(item, "spec", "strategy" if kind == "Deployment" else "updateStrategy", default={})
    rolling = get(strategy, "rollingUpdate", default={})
    if kind == "Deployment":
        out = scaled(get(rolling, "maxUnavailable", default="25%"), wanted, up=False)
        surge = scaled(get(rolling, "maxSurge", default="25%"), wanted, up=True)
        # Both at nothing would stand still: the API refuses that as numbers, and percentages may round to it.
        out = 1 if out == surge == 0 else out
        revision = str(annotations_of(item).get(REVISION, ""))
    else:
        out, surge = max(scaled(get(rolling, "maxUnavailable", default=1), wanted, up=True), 1), 0
        revision = str(get(item, "status", "updateRevision", default=""))
    if get(strategy, "type") == "Recreate":
        out, surge = wanted, 0
    progressing = condition(item, "Progressing")
    stuck = progressing.get("reason") == "ProgressDeadlineExceeded"
    return WorkloadView(
        at=at,
        kind=kind,
        name=name_of(item),
        uid=str(get(item, "metadata", "uid", default="")),
        generation=int(get(item, "metadata", "generation", default=0)),
        observed=int(get(item, "status", "observedGeneration", default=0)),
        wanted=wanted,
        total=int(get(item, "status", "replicas", default=0)),
        **count,
        max_unavailable=out,
        max_surge=surge,
        min_ready=float(get(item, "spec", "minReadySeconds", default=0)),
        partition=int(get(rolling, "partition", default=0)),
        paused=get(item, "spec", "paused", default=False) is True,
        by_hand=get(strategy, "type") == "OnDelete",
        revision=revision,
        stuck=str(progressing.get("message") or "progress deadline exceeded") if stuck else "",
    )


def set_view(item: Item, at: float, *, gone: bool, first: bool = False) -> SetView:
    """Of a ReplicaSet."""
    number = str(annotations_of(item).get(REVISION, "0"))
    owners = get(item, "metadata", "ownerReferences", default=[])
    return SetView(
        at=at,
        revision=int(number) if number.isdigit() else 0,
        hash=str(labels_of(item).get("pod-template-hash", "")),
        owner=str(next((get(owner, "uid") for owner in owners if get(owner, "controller")), "")),
        gone=gone,
        first=first,
    )


def pod_view(item: Item, at: float, *, gone: bool, first: bool = False) -> PodView:
    """Of a Pod."""
    labels = labels_of(item)
    ready = condition(item, "Ready").get("status") == "True"
    trouble: TroubleKind
    trouble, words = ("", "") if ready else _trouble(item)
    return PodView(
        at=at,
        name=name_of(item),
        uid=str(get(item, "metadata", "uid", default="")),
        hash=str(labels.get("pod-template-hash") or labels.get("controller-revision-hash", "")),
        ready=ready,
        leaving=get(item, "metadata", "deletionTimestamp") is not None,
        gone=gone,
        restarts=sum(int(one.get("restartCount", 0)) for one in _statuses(item)),
        ip=str(get(item, "status", "podIP", default="")),
        port=_port(item),
        trouble=trouble,
        words=words[:300],
        first=first,
    )


def budget_view(item: Item, at: float, *, gone: bool, labels: Any) -> BudgetView | None:
    """Of a PodDisruptionBudget, where it is about pods with these labels."""
    if not selects(get(item, "spec", "selector"), labels):
        return None
    spec = get(item, "spec", default={})
    return BudgetView(
        at=at, name=name_of(item), least=spec.get("minAvailable"), most_out=spec.get("maxUnavailable"), gone=gone
    )


def event_view(item: Item, at: float) -> EventView | None:
    """Of an Event, where it warns of a pod."""
    if item.get("type") != "Warning" or get(item, "involvedObject", "kind") != "Pod":
        return None
    return EventView(
        at=at,
        pod=str(get(item, "involvedObject", "name", default="")),
        reason=str(item.get("reason", "")),
        message=" ".join(str(item.get("message", "")).split())[:300],
    )


def _port(item: Item) -> int:
    for container in get(item, "spec", "containers", default=[]):
        ports = get(container, "ports", default=[])
        named = {port.get("name"): port.get("containerPort") for port in ports}
        probed = get(container, "readinessProbe", "httpGet", "port")
        found = named.get(probed, probed) if probed is not None else next(iter(named.values()), None)
        if isinstance(found, int):
            return found
    return 0


def _statuses(item: Item) -> list[Item]:
    return [
        one
        for sort in ("initContainerStatuses", "containerStatuses")
        for one in get(item, "status", sort, default=[])
        if isinstance(one, dict)
    ]


def _trouble(item: Item) -> tuple[TroubleKind, str]:
    for one in _statuses(item):
        waiting, name = get(one, "state", "waiting", default={}), one.get("name")
        reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
        if reason in _IMAGE:
            return "image-pull", f"container {name}: {reason}: {message or one.get('image', '')}"
        if reason in _BROKEN:
            return "configuration", f"container {name}: {reason}: {message}"
        ended = get(one, "state", "terminated") or get(one, "lastState", "terminated") or {}
        if reason == "CrashLoopBackOff" or ended.get("exitCode", 0) != 0:
            how = f"{ended.get('reason', 'ended')}, exit code {ended.get('exitCode', 'unknown')}"
            return (
                "crash-loop",
                f"container {name}: {reason or 'it ended'}: {how}, {one.get('restartCount', 0)} restarts",
            )
    scheduled = condition(item, "PodScheduled")
    if scheduled.get("status") == "False":
        return "unschedulable", f"{scheduled.get('reason', 'Unschedulable')}: {scheduled.get('message', '')}"
    for gate in get(item, "spec", "readinessGates", default=[]):
        kind = str(get(gate, "conditionType", default=""))
        if condition(item, kind).get("status") != "True" and condition(item, "ContainersReady").get("status") == "True":
            return "gate", f"readiness gate {kind} is not True"
    unready = [
        str(one.get("name")) for one in get(item, "status", "containerStatuses", default=[]) if not one.get("ready")
    ]
    return ("unready", f"not ready: {', '.join(unready)}") if unready else ("", "")
