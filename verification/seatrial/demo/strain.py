"""What a process suffers from over time and under traffic: slower when it is busy, failing when it is old, leaking."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from seatrial.demo.behaviour import Behaviour

_WINDOW = 1.0
SOUR_SHARE = 0.1
"""Share of completions that fail once a process has gone sour."""
AGED_AFTER = 150
"""Completions after which a process that ages begins to."""


class Strain:
    """Of one process."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._lately: deque[float] = deque()
        self._kept: list[bytearray] = []
        self._first: float | None = None
        self._completions = 0
        self._old_since: float | None = None

    def middleware(self) -> Middleware:
        """Notes every request."""

        @web.middleware
        async def strain(request: web.Request, handler: Handler) -> web.StreamResponse:
            now = time.monotonic()
            self._lately.append(now)
            while self._lately[0] < now - _WINDOW:
                self._lately.popleft()
            if self._behaviour.leak:
                # Written to, so that the memory is really there.
                self._kept.append(bytearray(b"x" * self._behaviour.leak))
            if delay := self._delay(now, completion=request.method == "POST"):
                await asyncio.sleep(delay)
            return await handler(request)

        return strain

    def _delay(self, now: float, *, completion: bool) -> float:
        """Seconds that a request waits because the process has grown old."""
        self._completions += completion
        if self._old_since is None and self._completions > AGED_AFTER:
            self._old_since = now
        if completion or self._old_since is None:
            return 0.0
        return self._behaviour.ages * (now - self._old_since)

    def factor(self) -> float:
        """By which an answer takes longer now."""
        return self._behaviour.busy_factor if len(self._lately) > self._behaviour.busy_above * _WINDOW else 1.0

    def error_share(self) -> float:
        """Share of completions that fail now; asked at each completion."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
        sour = now - self._first > self._behaviour.sour_after
        return max(self._behaviour.error_share, SOUR_SHARE if sour else 0.0)
