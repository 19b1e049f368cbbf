"""Words from reports are data: what could move a cursor, break a table or start a tag is taken out of them."""

from __future__ import annotations

import re
import unicodedata

_SPACE = re.compile(r"\s+")


def plain(text: str, width: int = 300) -> str:
    """One line without control, format and bidirectional characters, at most ``width`` characters long."""
    line = _SPACE.sub(" ", text).strip()
    kept = "".join(character for character in line if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co"))
    return kept if len(kept) <= width else kept[: width - 3] + "..."


def markdown(text: str, width: int = 300) -> str:
    """:func:`plain`, with everything escaped that Markdown or HTML would interpret."""
    escaped = plain(text, width).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~@$])", r"\\\1", escaped)


def code(text: str, *, in_table: bool = False) -> str:
    """Text between backquotes, longer ones where it holds some itself; only a table needs its bars escaped."""
    line = plain(text, 1000) or "(none)"
    fence = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}".replace("|", "\\|" if in_table else "|")
