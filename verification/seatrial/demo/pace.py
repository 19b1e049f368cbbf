"""How long the demo takes to answer: log-normal draws, so that comparing latencies means something."""

from __future__ import annotations

import math
import random
from typing import Final

from seatrial.demo.behaviour import Behaviour

FIRST_TOKEN_MEDIAN: Final = 0.018
"""Seconds. With the spread below, 95 % of the draws lie between 11 and 29 ms."""
FIRST_TOKEN_SPREAD: Final = 0.25
"""Standard deviation of the logarithm."""
GAP_MEDIAN: Final = 0.008
"""Seconds: quicker than chatbots write, and slow enough that a busy browser still sees more than one piece. The event
loop's timer adds about one millisecond to each gap."""
GAP_SPREAD: Final = 0.4


class Tempo:
    """Draws of one answer."""

    def __init__(self, generator: random.Random, *, factor: float, delay: float) -> None:
        self._random = generator
        self._factor = factor
        self._delay = delay

    def first_token(self) -> float:
        """Seconds until the first token, or until the whole answer where it is not streamed."""
        return self._delay + self._draw(FIRST_TOKEN_MEDIAN, FIRST_TOKEN_SPREAD)

    def gap(self) -> float:
        """Seconds between two tokens."""
        return self._draw(GAP_MEDIAN, GAP_SPREAD)

    def _draw(self, median: float, spread: float) -> float:
        return self._factor * self._random.lognormvariate(math.log(median), spread)


class Pace:
    """The answers of one process, repeatable from ``seed``, as slow as ``behaviour`` makes them."""

    def __init__(self, *, seed: str, behaviour: Behaviour) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- a simulation, no secret
        # Its own sequence, so that switching a fault on does not shift the other draws.
        self._tails = random.Random(f"{seed}/tails")  # noqa: S311 -- a simulation, no secret
        self._behaviour = behaviour

    def tempo(self, factor: float = 1.0) -> Tempo:
        """Of the next answer, ``factor`` times as long as it would be."""
        slow = self._tails.random() < self._behaviour.tail_share
        own = self._behaviour.slowdown * (self._behaviour.tail_factor if slow else 1.0)
        return Tempo(self._random, factor=factor * own, delay=self._behaviour.first_token_delay)
