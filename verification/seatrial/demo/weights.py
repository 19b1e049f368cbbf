"""Who is served by which track: shares, and a place in the unit interval for every user."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Track = Literal["stable", "candidate"]

_STEP: Final = (math.sqrt(5) - 1) / 2
"""The golden ratio's fraction: multiples of it, modulo 1, spread as evenly as any sequence can (Weyl, Knuth 6.4)."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Relative weights of the tracks, neither negative, not both zero."""

    stable: float
    candidate: float

    def __post_init__(self) -> None:
        for name, weight in (("stable", self.stable), ("candidate", self.candidate)):
            if (
                isinstance(weight, bool)
                or not isinstance(weight, int | float)
                or not math.isfinite(weight)
                or weight < 0
            ):
                raise ValueError(f"weight of {name}: expected a number of at least 0, seen {weight!r}")
        if not 0 < self.stable + self.candidate < math.inf:
            raise ValueError(f"expected weights with a sum above 0, seen {self.stable!r} and {self.candidate!r}")

    @classmethod
    def parse(cls, content: object) -> Weights:
        """Weights from ``{"stable": 95, "candidate": 5}``. Raises ValueError."""
        if not isinstance(content, Mapping) or set(content) != {"stable", "candidate"}:
            raise ValueError(f'expected {{"stable": NUMBER, "candidate": NUMBER}}, seen {content!r:.200}')
        return cls(stable=content["stable"], candidate=content["candidate"])

    @property
    def share(self) -> float:
        """Share of users whom the candidate serves, from 0 to 1."""
        return self.candidate / (self.stable + self.candidate)

    def track_of(self, place: float) -> Track:
        """The track that serves the user at ``place`` in [0, 1).

        When the candidate's share grows, users move to it and none moves back.
        """
        return "candidate" if place < self.share else "stable"


class Places:
    """Places for users not seen before, evenly spread: of n of them, n times the share fall to a track, give or take 3.

    The bound holds for n up to some tens of thousands; the error grows with the logarithm of n.
    """

    def __init__(self) -> None:
        self._given = 0

    def take(self) -> float:
        """The next place in [0, 1)."""
        self._given += 1
        return (0.5 + self._given * _STEP) % 1.0


def place_of(session: str) -> float:
    """The place of a session that names itself: always the same one."""
    return int.from_bytes(hashlib.sha256(session.encode()).digest()[:7]) / 2**56
