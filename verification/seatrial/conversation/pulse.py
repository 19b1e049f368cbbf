"""Whether our own event loop ran while a conversation waited: a process that stood still cannot time an answer."""

from __future__ import annotations

import asyncio
from typing import Final, Self

BEAT: Final = 0.05
"""Seconds between two beats."""
LEAST: Final = 0.1
"""Seconds by which a beat may be late before the loop counts as having stood still; schedulers are late by less."""


class Pulse:
    """Beats in the running event loop for as long as its block lasts, and remembers the beats that came too late."""

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._stops: list[tuple[float, float]] = []
        self._due = self.now()
        self._beat()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._next.cancel()

    def now(self) -> float:
        """Seconds of the loop's clock, for :meth:`lost`."""
        return self._loop.time()

    def lost(self, since: float) -> float:
        """Seconds since the moment ``since`` in which the loop stood still; 0 where every beat came in time."""
        return sum(max(0.0, until - max(begin, since)) for begin, until in self._seen())

    def just_lost(self) -> float:
        """Seconds of the stop that has only just ended, in which an answer may have come unseen; 0 where none has."""
        now = self.now()
        return next((until - begin for begin, until in self._seen() if now - until < 2 * BEAT), 0.0)

    def _seen(self) -> list[tuple[float, float]]:
        """Begin and end of every stop, of one that lasts until this moment too."""
        now = self.now()
        return [*self._stops, (self._due, now)] if now - self._due > LEAST else self._stops

    def _beat(self) -> None:
        now = self.now()
        if now - self._due > LEAST:
            self._stops.append((self._due, now))
        self._due = now + BEAT
        self._next = self._loop.call_at(self._due, self._beat)
