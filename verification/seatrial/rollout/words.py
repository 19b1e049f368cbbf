"""What a deployer says that it has done: lines of a file that a watch reads while they are appended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final


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
