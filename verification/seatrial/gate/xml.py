"""Reads XML as a stream and refuses what no report needs: document types, entities, endless text and endless depth.

Expat is driven directly: nothing is expanded, nothing is fetched, and memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol
from xml.parsers import expat

MAX_TEXT: Final = 64_000
"""Characters kept of one element's text; the rest is read and thrown away."""
MAX_DEPTH: Final = 100


class XmlProblem(ValueError):
    """A file that is no report that can be trusted. ``hostile`` where it looks like an attack, not an accident."""

    def __init__(self, message: str, *, line: int, hostile: bool = False) -> None:
        super().__init__(f"line {line}: {message}")
        self.hostile = hostile


class Handler(Protocol):
    """What is told of each element, in document order."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str, text: str) -> None:
        """An element ends; ``text`` is its own text, at most MAX_TEXT characters."""


def parse(path: Path, handler: Handler) -> None:
    """Read ``path`` into ``handler``.

    Raises XmlProblem for XML that is empty, truncated, malformed or hostile, and OSError where the file cannot be read.
    """
    parser = expat.ParserCreate(namespace_separator=None)
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    texts: list[list[str]] = []
    sizes: list[int] = []

    def refuse(what: str) -> None:
        raise XmlProblem(f"{what}: no report needs it, so it is refused", line=parser.CurrentLineNumber, hostile=True)

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(texts) >= MAX_DEPTH:
            refuse(f"elements nested more than {MAX_DEPTH} deep")
        texts.append([])
        sizes.append(0)
        handler.start(name.rpartition(":")[2], attributes)

    def characters(data: str) -> None:
        if texts and (room := MAX_TEXT - sizes[-1]) > 0:
            texts[-1].append(data[:room])
            sizes[-1] += len(data)

    def end(name: str) -> None:
        sizes.pop()
        handler.end(name.rpartition(":")[2], "".join(texts.pop()))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters

    def doctype(*_: object) -> None:
        refuse("a document type declaration")

    def entity(*_: object) -> None:
        refuse("an entity declaration")

    def external(*_: object) -> int:
        refuse("an external entity")
        return 0

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    parser.ExternalEntityRefHandler = external
    with path.open("rb") as stream:
        try:
            parser.ParseFile(stream)
        except expat.ExpatError as error:
            words = expat.errors.messages.get(error.code, "malformed")
            if path.stat().st_size == 0:
                words = "the file is empty"
            raise XmlProblem(f"not whole XML: {words}", line=error.lineno) from None
        except XmlProblem:
            raise
        except (LookupError, ValueError) as error:
            # Of an encoding that Python does not know, or that expat cannot use.
            raise XmlProblem(f"not whole XML: {error}", line=parser.CurrentLineNumber) from None
