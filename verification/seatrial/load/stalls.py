"""Moments in which a track answered nobody, found in the samples of an open-loop load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from seatrial.load.samples import Samples

LEAST: Final = 0.25
"""Seconds. Shorter ones are found by nobody who reads p99."""
TIMES: Final = 10.0
"""A stall is so many times as long as it usually takes until the next answer comes."""
WAITING: Final = 3
"""Requests that must have waited through it: one or two may be slow by themselves."""


@dataclass(frozen=True, kw_only=True)
class Stall:
    """``start`` and ``length`` in seconds of the run; ``waiting`` requests were open all the while.

    ``ours``: requests that were due meanwhile were not even sent, so it was the sender that stood still.
    """

    track: str
    start: float
    length: float
    waiting: int
    ours: bool

    def __str__(self) -> str:
        who = "our own process" if self.ours else self.track
        return f"{who} stood still for {self.length:.2f} s at {self.start:.1f} s, {self.waiting} requests waiting"


def find_stalls(samples: Samples, track: str) -> tuple[Stall, ...]:
    """Stalls of one track, in order of time; ``samples`` are what was sent to it, without the warm-up."""
    done = samples.where(~np.isnan(samples.end))
    if len(done) < WAITING + 1:
        return ()
    ends = np.sort(done.end)
    gaps = np.diff(ends)
    least = max(LEAST, TIMES * float(np.median(gaps)))
    found = []
    for index in np.flatnonzero(gaps >= least):
        begin, end = float(ends[index]), float(ends[index + 1])
        waiting = int(((done.due < begin + (end - begin) / 2) & (done.end >= end)).sum())
        if waiting < WAITING:
            continue
        due = done.where((done.due > begin) & (done.due < end - (end - begin) / 4))
        late = float(np.median(due.sent - due.due)) if len(due) else 0.0
        ours = late > (end - begin) / 4
        found.append(Stall(track=track, start=begin, length=end - begin, waiting=waiting, ours=ours))
    return tuple(found)


def told(stalls: tuple[Stall, ...], seconds: float) -> str:
    """Stalls in one phrase; empty where there were none. ``seconds`` is how long was measured."""
    if not stalls:
        return ""
    longest = max(stalls, key=lambda stall: stall.length)
    share = sum(stall.length for stall in stalls) / seconds if seconds else 0.0
    several = f"{len(stalls)} stalls, {share:.0%} of the time; the longest: " if len(stalls) > 1 else ""
    return f"{several}{longest}" if several else f"{longest} ({share:.0%} of the time)"
