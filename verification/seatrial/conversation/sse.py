"""Server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html parses them."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LARGEST_LINE: Final = 4_000_000
"""Characters. A line that never ends would fill the memory."""


@dataclass(frozen=True)
class Event:
    """One event: its data, lines joined, and its type (``message`` where it has none)."""

    data: str
    type: str = "message"


class EventParser:
    """Takes the bytes as they come, cut anywhere, and gives the events that are complete."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""
        self._after_cr = False
        self._begun = False
        self._data: list[str] = []
        self._type = ""

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that ``chunk`` completes. Raises ValueError for a line above ``LARGEST_LINE``."""
        text = self._decoder.decode(chunk)
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix("\ufeff")
        if self._after_cr and text:
            self._after_cr = False
            text = text.removeprefix("\n")
        if text.endswith("\r"):
            # Its line feed may be in the next chunk.
            self._after_cr = True
        lines = (self._line + text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._line = lines.pop()
        if len(self._line) > LARGEST_LINE:
            raise ValueError(f"a line of more than {LARGEST_LINE:,} characters")
        for line in lines:
            event = self._take(line)
            if event is not None:
                yield event

    def _take(self, line: str) -> Event | None:
        if not line:
            data, kind = self._data, self._type
            self._data, self._type = [], ""
            return Event("\n".join(data), kind or "message") if data else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        return None
