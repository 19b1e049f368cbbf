"""What a drill came to: the story while it happens, and what all kinds of drill conclude alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seatrial.drill.probing import Probe
from seatrial.environment.units import format_duration
from seatrial.evidence.drill import CommandRun, Subject, Users
from seatrial.evidence.outcome import Outcome

EXAMPLES: Final = 5


@dataclass(kw_only=True)
class Told:
    """What is known of a drill so far; ``broken`` is when the first thing was broken, on the drill's clock."""

    objective: float
    broken: float | None = None
    subjects: tuple[Subject, ...] = ()
    commands: tuple[CommandRun, ...] = ()
    first_change: float | None = None
    ended: float | None = None
    """When what was broken was back, or was waited for no more."""
    users: tuple[Users, ...] = ()
    """What users would have met from then until all was as it had been, by address."""
    left_at_most: float | None = None
    """Share of users who may still have got another version when one counted as back, at 95 %."""
    outcome: Outcome | None = None
    message: str = ""
    left: str = ""

    def conclude(self, outcome: Outcome, message: str) -> None:
        """Take ``outcome`` over where it is worse than what other parts of the drill came to; the words are kept."""
        self.message = f"{self.message}; {message}" if self.message else message
        self.outcome = Outcome.worst([outcome, *([] if self.outcome is None else [self.outcome])])


def within(seconds: float, objective: float) -> str:
    """A time beside what is allowed."""
    return f"{seconds:.1f} s, and {format_duration(objective)} are allowed"


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Failed looks among those that were made while something was broken."""

    probes: int
    count: int
    first: float | None
    examples: tuple[str, ...]

    @classmethod
    def among(cls, probes: Sequence[Probe], begin: float | None, end: float | None) -> Errors:
        """Of the looks between two moments; none where nothing was broken."""
        if begin is None:
            return cls(probes=0, count=0, first=None, examples=())
        seen = [probe for probe in probes if begin <= probe.end and (end is None or probe.at <= end)]
        failed = [probe for probe in seen if probe.error]
        kinds = dict.fromkeys(f"{probe.where}: {probe.error}" for probe in failed)
        return cls(
            probes=len(seen),
            count=len(failed),
            first=round(failed[0].end, 3) if failed else None,
            examples=tuple(kinds)[:EXAMPLES],
        )
