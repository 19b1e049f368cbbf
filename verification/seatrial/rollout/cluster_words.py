"""Hears the steps of a rollout from the cluster: the object that shifts the traffic is followed; its news are words."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Self

from seatrial.cluster.connection import CannotRead
from seatrial.cluster.followed import shifting_kind
from seatrial.cluster.followers import Followers
from seatrial.cluster.following import WATCH_FOR, Change, Follower
from seatrial.environment.model import Cluster
from seatrial.environment.rollout import Shifter
from seatrial.evidence.outcome import CannotLook
from seatrial.rollout.weights import argo_word, route_weight, selector_weight
from seatrial.rollout.words import Word
from seatrial.snapshot.objects import Item


class ClusterWords:
    """What the deployer does, as the object that shifts the traffic shows it, for as long as its block lasts.

    What it says when the watch begins is where it starts from, and no step; where nothing is shifted any more after
    something was, the release was taken back. Entering raises CannotLook where the object cannot be followed.
    """

    def __init__(
        self, cluster: Cluster, shifter: Shifter, namespace: str, *, within: float, watch_for: float = WATCH_FOR
    ) -> None:
        self._shifter, self._namespace = shifter, namespace
        self._followers = Followers(cluster, within=within, watch_for=watch_for)
        self._kind, self._name = shifting_kind(shifter)
        self._lock = threading.Lock()
        self._new: list[Word] = []
        self._at: float | None = None
        self._taken_back = False
        self._strange = ""
        self._follower: Follower | None = None
        self._left = ExitStack()

    def __str__(self) -> str:
        return f"{self._kind.name} {self._namespace}/{self._name}"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            try:
                followers = stack.enter_context(self._followers)
            except CannotRead as problem:
                raise CannotLook(f"{self}: {problem}") from None
            query = (("fieldSelector", f"metadata.name={self._name}"),)
            self._follower = followers.follow(self._kind, self._namespace, query, self._take)
            self._check()
            if self._at is None:
                raise CannotLook(f"{self}: not found, or its controller has not said anything of it yet")
            if self._at == 100.0:
                raise CannotLook(f"{self} gives all traffic to the candidate already: begin to watch before it does")
            self._left = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._left.close()

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
