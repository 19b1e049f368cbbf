"""Reads XML as a stream and refuses what no report needs: document types, entities, endless tags and endless depth.

Expat is driven directly: nothing is expanded, nothing is fetched, and memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NoReturn, Protocol
from xml.parsers import expat

MAX_TEXT: Final = 16_000
"""Characters kept of one element's text; the rest is read and thrown away."""
MAX_DEPTH: Final = 100
MAX_TOKEN: Final = 8 * 1024 * 1024
"""Bytes that one tag, comment or instruction may be long: expat keeps it whole until it ends."""
ENCODINGS: Final = frozenset(
    {"utf-8", "utf8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252"}
)
"""What tools write; for any other name Python would look for a codec, and some read the same bytes as other text."""


class XmlProblem(ValueError):
    """A file that is no report that can be trusted. ``hostile`` where it looks like an attack, not an accident."""

    def __init__(self, message: str, *, line: int = 0, hostile: bool = False) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.hostile = hostile


class Handler(Protocol):
    """What is told of each element, in document order; names come without a namespace prefix."""

    def start(self, name: str, attributes: Mapping[str, str]) -> bool:
        """An element begins. True asks for its text. May raise XmlProblem, which is told the line."""

    def end(self, name: str, text: str) -> None:
        """An element ends; ``text`` is its own text, at most MAX_TEXT characters, empty where it was not asked for."""


def parse(chunks: Iterable[bytes], handler: Handler) -> None:
    """Read ``chunks`` into ``handler``.

    Raises XmlProblem for XML that is empty, truncated, malformed or hostile, and whatever ``chunks`` raises.
    """
    reader = _Reader(handler)
    parser = reader.parser
    fed = 0
    try:
        for chunk in chunks:
            fed += len(chunk)
            parser.Parse(chunk, False)
            if fed - max(parser.CurrentByteIndex, 0) > MAX_TOKEN:
                reader.refuse(f"a tag, comment or instruction longer than {MAX_TOKEN >> 20} MiB")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        words = "the file is empty" if fed == 0 else expat.errors.messages.get(error.code, "malformed")
        raise XmlProblem(f"not whole XML: {words}", line=error.lineno) from None
    except (LookupError, UnicodeError) as error:
        raise XmlProblem(f"not readable: {error}", line=parser.CurrentLineNumber) from None
    except XmlProblem as problem:
        line = parser.CurrentLineNumber
        raise XmlProblem(str(problem), line=line, hostile=problem.hostile) from None
    except ValueError as error:
        # Encodings of several bytes that expat does not know.
        raise XmlProblem(f"not readable: {error}", line=parser.CurrentLineNumber) from None


class _Reader:
    """Expat's handlers around ours."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.depth = 0
        self.texts: dict[int, list[str]] = {}
        """Parts of the text of open elements that asked for it, by depth."""
        self.room: dict[int, int] = {}
        self.listening = False
        """Whether some open element asked for its text."""
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.XmlDeclHandler = self._declared
        self.parser.StartDoctypeDeclHandler = lambda *_: self.refuse("a document type declaration")
        self.parser.EntityDeclHandler = lambda *_: self.refuse("an entity declaration")
        self.parser.ExternalEntityRefHandler = lambda *_: self.refuse("an external entity")

    def refuse(self, what: str) -> NoReturn:
        raise XmlProblem(f"{what}, which no report needs: it is refused", hostile=True)

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            raise XmlProblem(f"not readable: expected an encoding such as UTF-8, seen {encoding[:60]!r}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        # Twice for each of a hundred thousand cases: the least that will do.
        self.depth = depth = self.depth + 1
        if depth > MAX_DEPTH:
            self.refuse(f"elements nested more than {MAX_DEPTH} deep")
        if ":" in name:
            name = name.rpartition(":")[2]
        if self.handler.start(name, attributes):
            self.texts[depth], self.room[depth] = [], MAX_TEXT
            self.parser.CharacterDataHandler = self._characters
            self.listening = True
        elif self.listening:
            self._listen()

    def _end(self, name: str) -> None:
        depth = self.depth
        self.depth = depth - 1
        text = ""
        if self.listening:
            if depth in self.texts:
                text = "".join(self.texts.pop(depth))
                del self.room[depth]
            self._listen()
        if ":" in name:
            name = name.rpartition(":")[2]
        self.handler.end(name, text)

    def _listen(self) -> None:
        # Most text is none that a decision needs, and a call for each piece would cost more than the parsing.
        self.parser.CharacterDataHandler = self._characters if self.depth in self.texts else None
        self.listening = bool(self.texts)

    def _characters(self, data: str) -> None:
        room = self.room[self.depth]
        if room > 0:
            self.texts[self.depth].append(data[:room])
            self.room[self.depth] = room - len(data)
