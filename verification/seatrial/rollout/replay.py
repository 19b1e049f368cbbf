"""How a workload was rolled out, from what was seen of its objects: batches, and what was available at each moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from seatrial.rollout.observed import (
    AnswerView,
    BudgetView,
    EventView,
    PodView,
    SetView,
    View,
    WorkloadView,
)

SLACK: Final = 1.0
"""Seconds by which a pod may be available before we say so: the API tells the moment of readiness in whole seconds."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The pods after one change. ``steady`` says that ``available`` had reached ``floor`` since the last scaling.

    ``floor`` are the pods that must be available, ``most`` those that may be there, ``healthy`` those that count for
    disruption budgets, which know nothing of ``minReadySeconds``.
    """

    at: float
    wanted: int
    floor: int
    most: int
    available: int
    healthy: int
    total: int
    new: int
    new_waiting: int
    batch: int
    """New pods that may be waited for at a time."""
    steady: bool
    cause: str


@dataclass(kw_only=True)
class Batch:
    """New pods that were brought up together: the next batch is what came after all of them were available."""

    began: float
    pods: list[str] = field(default_factory=list)
    ready: float | None = None


@dataclass(kw_only=True)
class Rolled:
    """One rollout of one workload. ``began`` and ``complete`` are seconds of the watch; None where it did not.

    ``last`` are the pods as they were at the end, by UID, without those that are gone.
    """

    workload: WorkloadView
    hash: str
    begin_hash: str
    began: float | None = None
    complete: float | None = None
    moments: list[Moment] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    last: dict[str, PodView] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    """Of new pods, by name."""
    flapped: dict[str, float] = field(default_factory=dict)
    """New pods that stopped being ready without leaving, and when first."""
    order: list[tuple[float, PodView]] = field(default_factory=list)
    """New pods in the order in which they came."""
    budgets: dict[str, BudgetView] = field(default_factory=dict)
    warnings: list[EventView] = field(default_factory=list)
    answers: list[AnswerView] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether there is a revision that was not the newest at the beginning, or a rollout that was on already."""
        return self.began is not None

    @property
    def wanted_new(self) -> int:
        """Pods that shall be of the new revision."""
        return max(self.workload.wanted - self.workload.partition, 0)

    def new(self, pod: PodView) -> bool:
        """Whether a pod is of the new revision."""
        return bool(pod.hash) and pod.hash == self.hash

    def waiting(self) -> list[PodView]:
        """New pods that are not ready now."""
        return [pod for pod in self.last.values() if self.new(pod) and not pod.ready and not pod.leaving]

    def reasons(self) -> list[str]:
        """Why new pods are not ready: what their statuses say, and the newest warning about each."""
        found = []
        for pod in self.waiting():
            warned = [one for one in self.warnings if one.pod == pod.name]
            event = f" ({warned[-1].reason}: {warned[-1].message})" if warned else ""
            found.append(f"{pod.name}: {pod.words or 'not ready, and nothing says why'}{event}")
        return found

    def __str__(self) -> str:
        ready = sum(self.new(pod) and pod.ready for pod in self.last.values())
        old = sum(not self.new(pod) for pod in self.last.values())
        told = f"{ready} of {self.wanted_new} new pods ready, {old} old left, batch {len(self.batches)}"
        return f"{told}: {why[0]}" if (why := self.reasons()) else told


def replay(record: Sequence[View]) -> Rolled | None:
    """What happened, of views in the order in which they came. None where the workload itself was never seen."""
    seen = [view for view in record if isinstance(view, WorkloadView)]
    if not seen:
        return None
    first, last = seen[0], seen[-1]
    hashes = _hashes(record, last)
    rolled = Rolled(workload=last, hash=hashes[-1], begin_hash=hashes[0])
    under_way = first.observed < first.generation or first.updated < max(first.wanted - first.partition, 0)
    if under_way:
        rolled.began = first.at
    elif rolled.hash != rolled.begin_hash:
        rolled.began = next((view.at for view in seen if view.generation > first.generation), last.at)
    _Player(rolled, first).play(record)
    if rolled.changed and rolled.complete is None and _complete(last) and _all_new(rolled):
        rolled.complete = max(last.at, rolled.moments[-1].at if rolled.moments else 0.0)
    return rolled


def _hashes(record: Sequence[View], workload: WorkloadView) -> list[str]:
    """Hash of the newest revision, at the beginning and at the end."""
    if workload.kind == "StatefulSet":
        return [view.revision for view in record if isinstance(view, WorkloadView) and view.revision] or [""]
    sets = [view for view in record if isinstance(view, SetView) and view.owner == workload.uid]
    return [_newest([one for one in sets if one.first]), _newest(sets)]


def _newest(sets: Sequence[SetView]) -> str:
    there = {one.hash: one for one in sets}
    kept = [one for one in there.values() if not one.gone]
    return max(kept, key=lambda one: one.revision).hash if kept else ""


def _complete(view: WorkloadView) -> bool:
    """The rules of `kubectl rollout status`."""
    wanted = max(view.wanted - view.partition, 0)
    done = view.observed >= view.generation and view.updated >= wanted and view.available >= view.wanted
    return done and (view.kind != "Deployment" or view.total <= view.updated)


def _all_new(rolled: Rolled) -> bool:
    """The pods themselves agree: the status of a workload and its pods come by different ways."""
    ready = sum(rolled.new(pod) and pod.ready and not pod.leaving for pod in rolled.last.values())
    return ready >= rolled.wanted_new


class _Player:
    def __init__(self, rolled: Rolled, first: WorkloadView) -> None:
        self._rolled = rolled
        self._workload = first
        self._since: dict[str, float] = {}
        self._came: dict[str, float] = {}
        self._steady = False

    def play(self, record: Sequence[View]) -> None:
        for view in record:
            if isinstance(view, WorkloadView):
                self._steady = self._steady and view.wanted == self._workload.wanted
                self._workload = view
            elif isinstance(view, PodView):
                self._pod(view)
            elif isinstance(view, BudgetView):
                if view.gone:
                    self._rolled.budgets.pop(view.name, None)
                else:
                    self._rolled.budgets[view.name] = view
            elif isinstance(view, EventView):
                self._rolled.warnings.append(view)
            elif isinstance(view, AnswerView):
                self._rolled.answers.append(view)

    def _pod(self, view: PodView) -> None:
        rolled, before = self._rolled, self._rolled.last.get(view.uid)
        self._finish_batches(view.at)
        if view.gone:
            rolled.last.pop(view.uid, None)
        else:
            rolled.last[view.uid] = view
        if not view.ready or view.gone:
            self._since.pop(view.uid, None)
        elif view.uid not in self._since:
            self._since[view.uid] = -math.inf if view.first else view.at
        if rolled.new(view):
            self._new_pod(view, before)
        self._finish_batches(view.at)
        self._moment(view, before)

    def _finish_batches(self, at: float) -> None:
        for batch in self._rolled.batches[-1:]:
            if batch.ready is None and not self._waiting(at, batch):
                batch.ready = at

    def _new_pod(self, view: PodView, before: PodView | None) -> None:
        rolled = self._rolled
        if view.uid not in self._came and not view.gone:
            self._came[view.uid] = view.at
            rolled.order.append((view.at, view))
            if not view.first or not view.ready:
                if not rolled.batches or rolled.batches[-1].ready is not None:
                    rolled.batches.append(Batch(began=view.at))
                rolled.batches[-1].pods.append(view.name)
        rolled.restarts[view.name] = max(rolled.restarts.get(view.name, 0), view.restarts)
        if before is not None and before.ready and not view.ready and not view.leaving and not view.gone:
            rolled.flapped.setdefault(view.name, view.at)

    def _available(self, pod: PodView, at: float) -> bool:
        since = self._since.get(pod.uid)
        return not pod.leaving and since is not None and at - since >= self._workload.min_ready - SLACK

    def _waiting(self, at: float, batch: Batch) -> bool:
        pods = {pod.name: pod for pod in self._rolled.last.values()}
        return any(name in pods and not self._available(pods[name], at) for name in batch.pods)

    def _moment(self, view: PodView, before: PodView | None) -> None:
        rolled, workload = self._rolled, self._workload
        there = [pod for pod in rolled.last.values() if not pod.leaving]
        available = sum(self._available(pod, view.at) for pod in there)
        floor = max(workload.wanted - workload.max_unavailable, 0)
        new = [pod for pod in there if rolled.new(pod)]
        rolled.moments.append(
            Moment(
                at=view.at,
                wanted=workload.wanted,
                floor=floor,
                most=workload.wanted + workload.max_surge,
                available=available,
                healthy=sum(pod.ready for pod in there),
                total=len(there),
                new=len(new),
                new_waiting=sum(not self._available(pod, view.at) for pod in new),
                batch=workload.max_unavailable + workload.max_surge,
                steady=self._steady,
                cause=_cause(view, before),
            )
        )
        self._steady = self._steady or available >= floor


def _cause(view: PodView, before: PodView | None) -> str:
    if view.gone:
        return f"{view.name} is gone"
    if view.leaving and not (before and before.leaving):
        return f"{view.name} is being deleted"
    if before is None:
        return f"{view.name} came"
    if before.ready and not view.ready:
        return f"{view.name} stopped being ready{f' ({view.words})' if view.words else ''}"
    if view.ready and not before.ready:
        return f"{view.name} became ready"
    return f"{view.name} changed"
