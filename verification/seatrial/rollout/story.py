"""What happened in a rollout, step by step: what the deployer said, what traffic did, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from seatrial.evidence.assessment import Assessment
from seatrial.rollout.replay import Rolled
from seatrial.rollout.traffic import Seen

Ending = Literal["settled", "bad candidate", "aborted", "out of time", "step not reached", "stuck"]


@dataclass(kw_only=True)
class Step:
    """One step. Times are seconds since the watch began.

    ``told`` is when the deployer said so, or when the step before was done where it says nothing. ``reached`` is from
    when on traffic was seen to follow; None where it never did. ``errors`` and ``latency`` are what the judge found.
    """

    weight: float
    told: float
    by_word: bool
    abort: bool = False
    reached: float | None = None
    ended: float | None = None
    errors: Assessment | None = None
    latency: Assessment | None = None


@dataclass(kw_only=True)
class Story:
    """All of a watch. ``direct`` is what stable's own address answered meanwhile, ``memory`` seconds and bytes of the
    candidate, which are expected where the environment declares its metrics. ``compared`` says whether the candidate
    has an address of its own at which it is judged beside stable. ``rolled`` is what the cluster showed of a rolling
    update; ``rolling_problem`` why it could not be followed, ``rolling_unread`` which kinds could not be read, and why.
    """

    strategy: str
    stable: str
    candidate: str
    steps: list[Step] = field(default_factory=list)
    seen: Sequence[Seen] = ()
    direct: Sequence[Seen] = ()
    memory: Sequence[tuple[float, float]] = ()
    memory_expected: bool = False
    compared: bool = True
    rolled: Rolled | None = None
    rolling_problem: str = ""
    rolling_unread: Mapping[str, str] = field(default_factory=dict)
    rolling_notes: Sequence[str] = ()
    max_restarts: int = 0
    settle_began: float | None = None
    ended: float = 0.0
    ending: Ending = "out of time"

    def between(self, begin: float, end: float) -> list[Seen]:
        """What was asked in a time."""
        return [one for one in self.seen if begin <= one.at < end]
