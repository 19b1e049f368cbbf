"""Follows a workload, its pods and what is said of them in the cluster, while it is rolled out. It only reads."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self, TextIO

from seatrial.cluster.connection import CannotRead
from seatrial.cluster.followed import EVENT
from seatrial.cluster.followers import Followers
from seatrial.cluster.following import WATCH_FOR, Change
from seatrial.environment.model import Cluster
from seatrial.evidence.outcome import CannotLook
from seatrial.rollout.observed import (
    AnswerView,
    PodView,
    View,
    budget_view,
    event_view,
    pod_view,
    set_view,
    workload_view,
)
from seatrial.rollout.replay import Rolled, replay
from seatrial.snapshot.kinds import KINDS, Kind
from seatrial.snapshot.objects import get, labels_of
from seatrial.snapshot.workload import NAMED

MAY_LACK: Final = ("Event", "PodDisruptionBudget")
"""Kinds without which less is known, and the rest still holds."""
ASK_EVERY: Final = 0.5

Ask = Callable[[str, int], tuple[str, str]]
"""Address and port of a pod, to the version that it names and what is wrong with the answer."""


class ClusterWatch:
    """Follows ``reference`` (``kind/name``) for as long as its block lasts. ``now`` are the seconds of the watch.

    Every change is also a line of ``path``, at once. ``ask`` is called for each new pod that is ready, until it has
    answered well. Entering raises CannotLook where the workload cannot be read.
    """

    def __init__(
        self,
        cluster: Cluster,
        reference: str,
        namespace: str,
        *,
        now: Callable[[], float],
        path: Path,
        within: float,
        ask: Ask | None = None,
        watch_for: float = WATCH_FOR,
    ) -> None:
        kind, _, self._name = reference.partition("/")
        if kind.lower() not in ("deployment", "statefulset"):
            raise CannotLook(f"workload {reference}: a rolling update is followed of a deployment or a statefulset")
        self.kind = NAMED[kind.lower()]
        self._namespace, self._now, self._path = namespace, now, path
        self._ask = ask
        self._followers = Followers(cluster, within=within, watch_for=watch_for)
        self._lock = threading.Lock()
        self._record: list[View] = []
        self._labels: Any = {}
        self._stream: TextIO | None = None
        self._left = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Opened first, and so closed last: followers write until they have ended.
            self._stream = stack.enter_context(self._path.open("w", encoding="utf-8", buffering=1))
            try:
                followers = stack.enter_context(self._followers)
                item = followers.connection.get(f"{KINDS[self.kind].path(self._namespace)}/{self._name}")
            except CannotRead as problem:
                raise CannotLook(f"{self.kind} {self._namespace}/{self._name}: {problem}") from None
            self._labels = labels_of(get(item, "spec", "template", default={}))
            for kind, query in self._wanted(_selector(get(item, "spec", "selector", default={}))):
                followers.follow(kind, self._namespace, query, self._take)
            if self._ask is not None:
                followers.start(self._ask_pods, "seatrial-ask-pods")
            self._left = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._left.close()

    def _wanted(self, selector: str) -> Iterator[tuple[Kind, Sequence[tuple[str, str]]]]:
        """Kinds to follow and what chooses their objects; sets before pods, whose revision they tell."""
        chosen = (("labelSelector", selector),)
        yield KINDS[self.kind], (("fieldSelector", f"metadata.name={self._name}"),)
        if self.kind == "Deployment":
            yield KINDS["ReplicaSet"], chosen
        yield KINDS["PodDisruptionBudget"], ()
        yield KINDS["Pod"], chosen
        yield EVENT, (("fieldSelector", "involvedObject.kind=Pod"),)

    @property
    def problem(self) -> str:
        """Why what was seen is not all that there was; empty where it is."""
        return "; ".join(
            f"{one.kind.plural}: {one.problem}"
            for one in self._followers.all
            if one.problem and one.kind.name not in MAY_LACK
        )

    @property
    def unread(self) -> dict[str, str]:
        """Kinds that could not be read, and why."""
        return {one.kind.name: one.problem for one in self._followers.all if one.problem}

    @property
    def notes(self) -> list[str]:
        """What is known less well than it could be, and why."""
        notes = [f"{one.kind.plural} could not be read: {one.problem}" for one in self._followers.all if one.problem]
        polled = [one.kind.plural for one in self._followers.all if one.polled]
        if polled:
            notes.append(
                f"no right to watch {', '.join(polled)}: listed once a second, and what was between is unknown"
            )
        return notes

    def rolled(self) -> Rolled | None:
        """What has happened so far."""
        with self._lock:
            record = list(self._record)
        return replay(record)

    def _take(self, change: Change) -> None:
        view = self._view(change)
        if view is not None:
            self._keep(view)

    def _keep(self, view: View) -> None:
        line = json.dumps({"sort": type(view).__name__, **asdict(view)}, separators=(",", ":"))
        with self._lock:
            self._record.append(view)
            if self._stream is not None and not self._stream.closed:
                self._stream.write(line + "\n")

    def _view(self, change: Change) -> View | None:
        at, item = self._now(), change.item
        if change.kind == "ReplicaSet":
            return set_view(item, at, gone=change.gone, first=change.first)
        if change.kind == "Pod":
            return pod_view(item, at, gone=change.gone, first=change.first)
        if change.kind == "PodDisruptionBudget":
            return budget_view(item, at, gone=change.gone, labels=self._labels)
        if change.kind == "Event":
            return None if change.gone or change.first else event_view(item, at)
        return None if change.gone else workload_view(self.kind, item, at)

    def _ask_pods(self) -> None:
        assert self._ask is not None
        good: set[str] = set()
        while not self._followers.over.wait(ASK_EVERY):
            rolled = self.rolled()
            if rolled is None or not rolled.changed:
                continue
            for pod in [one for one in rolled.last.values() if _to_be_asked(one, rolled, good)]:
                version, error = self._ask(pod.ip, pod.port)
                if not error:
                    good.add(pod.uid)
                self._keep(AnswerView(at=self._now(), pod=pod.name, version=version, error=error))


def _to_be_asked(pod: PodView, rolled: Rolled, good: set[str]) -> bool:
    return rolled.new(pod) and pod.ready and not pod.leaving and bool(pod.ip and pod.port) and pod.uid not in good


def _selector(selector: Any) -> str:
    """A LabelSelector as a query has it."""
    parts = [f"{key}={value}" for key, value in get(selector, "matchLabels", default={}).items()]
    for one in get(selector, "matchExpressions", default=[]):
        key, values = one.get("key"), ",".join(one.get("values") or ())
        operator = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
        parts.append(str(operator.get(one.get("operator"), f"!{key}")))
    return ",".join(parts)
