"""What happened in a rollout, step by step: what the deployer said, what traffic did, and what was measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from seatrial.evidence.assessment import Assessment
from seatrial.rollout.replay import Rolled
from seatrial.rollout.traffic import Seen

Ending = Literal["settled", "bad candidate", "aborted", "out of time", "step not reached", "stuck"]


class NoWord(ValueError):
    """A line of the file of words is none; the message says what was expected."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """What the deployer says that it has done. ``weight`` is in percent: 100 for a switch, 0 for an abort.

    ``done`` says that nothing more will come.
    """

    weight: float | None = None
    abort: bool = False
    done: bool = False


_WEIGHT: Final = re.compile(r"weight\s+(\d+(?:\.\d+)?)\s*%?")
_EXPECTED: Final = "expected `weight PERCENT`, `switch`, `abort` or `done`"


def parse_word(line: str) -> Word:
    """A line of the file of words. Raises NoWord."""
    text = line.strip().lower()
    if match := _WEIGHT.fullmatch(text):
        weight = float(match[1])
        if weight > 100:
            raise NoWord(f"expected a weight of at most 100 percent, seen {line.strip()!r}")
        return Word(weight=weight)
    if text == "switch":
        return Word(weight=100.0)
    if text == "abort":
        return Word(weight=0.0, abort=True)
    if text == "done":
        return Word(done=True)
    raise NoWord(f"{_EXPECTED}, seen {line.strip()[:80]!r}")


class Words:
    """A file to which a deployer appends a line for each thing that it has done. It need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def new(self) -> list[Word]:
        """Whole lines that came since the last call. Raises NoWord with the number of the line."""
        try:
            content = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        lines = content.split("\n")[:-1]
        new, self._read = lines[self._read :], len(lines)
        words = []
        for number, line in enumerate(new, len(lines) - len(new) + 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                words.append(parse_word(line))
            except NoWord as problem:
                raise NoWord(f"{self._path}:{number}: {problem}") from None
        return words


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
