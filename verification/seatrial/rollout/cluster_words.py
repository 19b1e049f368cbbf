"""Hears the steps of a rollout from the cluster: the object that shifts the traffic is followed; its news are words."""

from __future__ import annotations

import threading
from typing import Final, Self

from seatrial.cluster.connection import Connection
from seatrial.cluster.followed import shifting_kind
from seatrial.cluster.following import WATCH_FOR, Change, Follower
from seatrial.environment.model import Cluster
from seatrial.environment.rollout import Shifter
from seatrial.evidence.outcome import CannotLook
from seatrial.rollout.story import Word
from seatrial.rollout.weights import argo_word, route_weight, selector_weight
from seatrial.snapshot.objects import Item

BEGIN_WITHIN: Final = 30.0


class ClusterWords:
    """What the deployer does, as the object that shifts the traffic shows it, for as long as its block lasts.

    What it says when the watch begins is where it starts from, and no step; where nothing is shifted any more after
    something was, the release was taken back. Entering raises CannotLook where the object cannot be followed.
    """

    def __init__(
        self, cluster: Cluster, shifter: Shifter, namespace: str, *, within: float, watch_for: float = WATCH_FOR
    ) -> None:
        self._cluster, self._shifter, self._namespace = cluster, shifter, namespace
        self._within, self._watch_for = within, watch_for
        self._kind, self._name = shifting_kind(shifter)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._new: list[Word] = []
        self._at: float | None = None
        self._taken_back = False
        self._strange = ""
        self._connection: Connection | None = None
        self._follower: Follower | None = None
        self._thread: threading.Thread | None = None

    def __str__(self) -> str:
        return f"{self._kind.name} {self._namespace}/{self._name}"

    def __enter__(self) -> Self:
        # Twice as long: what is left of the watch itself is not what ends it.
        connection = self._connection = Connection(self._cluster, within=2 * self._within + 60)
        follower = self._follower = Follower(
            connection=connection,
            kind=self._kind,
            namespace=self._namespace,
            query=(("fieldSelector", f"metadata.name={self._name}"),),
            take=self._take,
            watch_for=self._watch_for,
        )
        self._thread = threading.Thread(
            target=lambda: follower.run(self._over), name=f"seatrial-{self._kind.plural}", daemon=True
        )
        self._thread.start()
        listed = follower.listed.wait(BEGIN_WITHIN)
        try:
            if not listed:
                raise CannotLook(f"{self}: not listed within {BEGIN_WITHIN:g} s")
            self._check()
            if self._at is None:
                raise CannotLook(f"{self}: not found, or its controller has not said anything of it yet")
            if self._at == 100.0:
                raise CannotLook(f"{self} gives all traffic to the candidate already: begin to watch before it does")
        except CannotLook:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        if self._connection is not None:
            self._connection.hang_up()
        if self._thread is not None:
            self._thread.join(2 * self._watch_for + 10)
        if self._connection is not None:
            self._connection.close()

    def new(self) -> list[Word]:
        """Words since the last call. Raises CannotLook where the object cannot be followed any more."""
        with self._lock:
            words, self._new = self._new, []
        if not words:
            self._check()
        return words

    def _check(self) -> None:
        if self._follower is not None and self._follower.problem:
            raise CannotLook(f"{self} could not be followed: {self._follower.problem}")
        if self._strange:
            raise CannotLook(self._strange)

    def _take(self, change: Change) -> None:
        if change.gone:
            self._strange = f"{self} was deleted while it was followed"
            return
        word = self._word(change.item)
        if word is None or word.weight is None:
            return
        with self._lock:
            begun, self._at, before = self._at is not None, word.weight, self._at
            if not begun:
                # A release that is everywhere already is where the next one starts from.
                self._at = 0.0 if word.weight == 100.0 and self._shifter.argo_rollout else word.weight
                if 0.0 < self._at < 100.0:
                    self._new.append(word)
                return
            if self._taken_back or word.weight == before:
                return
            if word.abort or (word.weight == 0.0 and before):
                self._taken_back = True
                self._new.append(Word(weight=0.0, abort=True))
            else:
                self._new.append(word)

    def _word(self, item: Item) -> Word | None:
        shifter = self._shifter
        if shifter.argo_rollout is not None:
            return argo_word(item)
        if shifter.httproute is not None:
            weight = route_weight(item, shifter.candidate or "")
            if weight is None:
                self._strange = f"{self}: a weight is no whole number"
            return None if weight is None else Word(weight=weight)
        return Word(weight=selector_weight(item, shifter.labels))
