"""Follows objects of several kinds at once, over one connection, for as long as its block lasts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, Self

from seatrial.cluster.connection import Connection
from seatrial.cluster.following import WATCH_FOR, Change, Follower
from seatrial.environment.model import Cluster
from seatrial.snapshot.kinds import Kind

BEGIN_WITHIN: Final = 30.0
"""Seconds in which what is there at the beginning must have been listed."""


class Followers:
    """A thread for each kind that is followed; all of them, and the connection, end with the block.

    ``within`` is how long the whole may take, in seconds. Entering raises CannotRead where there is no way in.
    """

    def __init__(self, cluster: Cluster, *, within: float, watch_for: float = WATCH_FOR) -> None:
        self._cluster, self._within, self._watch_for = cluster, within, watch_for
        self._threads: list[threading.Thread] = []
        self._connection: Connection | None = None
        self.over = threading.Event()
        """Set when the block is left."""
        self.all: list[Follower] = []

    def __enter__(self) -> Self:
        # Twice as long: what is left of the watch itself is not what ends it.
        self._connection = Connection(self._cluster, within=2 * self._within + 60)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.over.set()
        self.connection.hang_up()
        for thread in self._threads:
            thread.join(2 * self._watch_for + 10)
        self.connection.close()

    @property
    def connection(self) -> Connection:
        """The connection inside the block."""
        assert self._connection is not None, "followed outside of its block"
        return self._connection

    def follow(
        self, kind: Kind, namespace: str, query: Sequence[tuple[str, str]], take: Callable[[Change], None]
    ) -> Follower:
        """Follow what ``query`` chooses; returns when what is there has been taken, or its ``problem`` says why not."""
        follower = Follower(
            connection=self.connection,
            kind=kind,
            namespace=namespace,
            query=query,
            take=take,
            watch_for=self._watch_for,
        )
        self.all.append(follower)
        self.start(lambda: follower.run(self.over), f"seatrial-{kind.plural}")
        if not follower.listed.wait(BEGIN_WITHIN):
            follower.problem = f"not listed within {BEGIN_WITHIN:g} s"
        return follower

    def start(self, run: Callable[[], None], name: str) -> None:
        """Run something else that ends when ``over`` is set, and is waited for as the followers are."""
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
