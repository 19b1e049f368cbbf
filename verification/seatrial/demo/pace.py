"""How long the demo takes to answer: log-normal draws, so that comparing latencies means something."""

from __future__ import annotations

import math
import random
from typing import Final

FIRST_TOKEN_MEDIAN: Final = 0.018
"""Seconds. With the spread below, 95 % of the draws lie between 11 and 29 ms."""
FIRST_TOKEN_SPREAD: Final = 0.25
"""Standard deviation of the logarithm."""
GAP_MEDIAN: Final = 0.008
"""Seconds: quicker than chatbots write, and slow enough that a busy browser still sees more than one piece. The event
loop's timer adds about one millisecond to each gap."""
GAP_SPREAD: Final = 0.4


class Pace:
    """Draws of one process, repeatable from ``seed``; ``slowdown`` multiplies every one."""

    def __init__(self, *, seed: str, slowdown: float = 1.0) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- a simulation, no secret
        self._slowdown = slowdown

    def first_token(self) -> float:
        """Seconds until the first token, or until the whole answer where it is not streamed."""
        return self._draw(FIRST_TOKEN_MEDIAN, FIRST_TOKEN_SPREAD)

    def gap(self) -> float:
        """Seconds between two tokens."""
        return self._draw(GAP_MEDIAN, GAP_SPREAD)

    def _draw(self, median: float, spread: float) -> float:
        return self._slowdown * self._random.lognormvariate(math.log(median), spread)
