"""Pairs of which a test at the end is made: all of them, or of very many a fixed number, spread evenly over the run.

Where more come than are kept, one of each two neighbours is dropped, and again each time that they are too many. Which
one is drawn by their numbers, never by their latencies, and anew for each two: what is kept is a sample of the run in
order of time, its pairs whole, that no pattern of alternating servers or prompts can hide in. A test over it keeps its
promise and is told its own dependence, which lies further apart; what it loses is precision that nobody has a margin
for: at a spread of 0.5 the interval of p99 reaches 3 % to either side with the least that is kept.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_Numbers = NDArray[np.uint64]

MOST: Final = 200_000
"""Pairs kept at most; the least is half of it, once there were more."""


def _drawn(numbers: _Numbers, round_: int) -> _Numbers:
    """0 or 1 for each number, as if by tossing a coin; the same for the same number and round (splitmix64)."""
    with np.errstate(over="ignore"):
        mixed = (numbers + np.uint64(round_ << 48)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed >> np.uint64(63)


def _stays(numbers: _Numbers, round_: int) -> NDArray[np.bool_]:
    """Which pairs, by their ``numbers`` from the start, stay in the halving ``round_``, counted from one."""
    half = (numbers >> np.uint64(round_ - 1)) & np.uint64(1)
    return np.asarray(_drawn(numbers >> np.uint64(round_), round_) == half)


class Kept:
    """Takes pairs in order of time, in pieces of any size. What it holds is bounded, whatever their number."""

    def __init__(self, most: int = MOST) -> None:
        self.n = 0
        """Pairs that came."""
        self._most = most
        self._rounds = 0
        self._count = 0
        self._numbers = np.empty(0, dtype=np.uint64)
        self._pairs = np.empty((2, 0))

    @property
    def control(self) -> Floats:
        """Stable's latencies of the pairs that are kept."""
        return np.asarray(self._pairs[0, : self._count])

    @property
    def candidate(self) -> Floats:
        """The candidate's."""
        return np.asarray(self._pairs[1, : self._count])

    @property
    def whole(self) -> bool:
        """Whether every pair is kept."""
        return self.of == 1

    @property
    def of(self) -> int:
        """Of so many neighbours one is kept."""
        return 1 << self._rounds

    def add(self, control: Floats, candidate: Floats) -> None:
        """Further pairs. Raises ValueError for arrays of unequal length."""
        if len(control) != len(candidate):
            raise ValueError(f"expected pairs; seen {len(control)} and {len(candidate)} latencies")
        begin = 0
        while begin < len(control):
            part = slice(begin, begin + self._most * self.of)
            self._add(control[part], candidate[part])
            begin = part.stop

    def _add(self, control: Floats, candidate: Floats) -> None:
        numbers = np.arange(self.n, self.n + len(control), dtype=np.uint64)
        self.n += len(control)
        for round_ in range(1, self._rounds + 1):
            stay = _stays(numbers, round_)
            numbers, control, candidate = numbers[stay], control[stay], candidate[stay]
        while (more := self._count + len(numbers)) > self._most:
            self._rounds += 1
            stay = _stays(numbers, self._rounds)
            numbers, control, candidate = numbers[stay], control[stay], candidate[stay]
            stay = _stays(self._numbers[: self._count], self._rounds)
            kept = int(stay.sum())
            self._numbers[:kept] = self._numbers[: self._count][stay]
            self._pairs[:, :kept] = self._pairs[:, : self._count][:, stay]
            self._count = kept
        if more > len(self._numbers):
            room = min(max(2 * len(self._numbers), more), self._most) - len(self._numbers)
            self._numbers = np.pad(self._numbers, (0, room))
            self._pairs = np.pad(self._pairs, ((0, 0), (0, room)))
        self._numbers[self._count : more] = numbers
        self._pairs[:, self._count : more] = control, candidate
        self._count = more
