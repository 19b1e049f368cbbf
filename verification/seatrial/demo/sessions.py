"""Server-side memory of conversations: bounded in number and in age."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from seatrial.demo.intents import Memory


class Sessions:
    """Memories by session id. At most ``limit``, the longest unused goes first; idle ones go after ``idle`` s."""

    def __init__(
        self, *, limit: int = 10_000, idle: float = 900.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._idle = idle
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Memory]] = OrderedDict()

    def __len__(self) -> int:
        self._forget_idle()
        return len(self._kept)

    def recall(self, session: str) -> Memory:
        """What is remembered of ``session``; a fresh memory where nothing is."""
        self._forget_idle()
        kept = self._kept.get(session)
        return kept[1] if kept else Memory()

    def keep(self, session: str, memory: Memory) -> None:
        """Remember ``memory`` for ``session``."""
        self._kept[session] = (self._clock(), memory)
        self._kept.move_to_end(session)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def end(self, session: str) -> bool:
        """Forget ``session``; False where there was none."""
        return self._kept.pop(session, None) is not None

    def _forget_idle(self) -> None:
        oldest = self._clock() - self._idle
        while self._kept:
            session, (used, _) = next(iter(self._kept.items()))
            if used > oldest:
                break
            del self._kept[session]
