"""Words from reports are data: what could move a cursor, break a table or start a tag is taken out of them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SPACE: Final = re.compile(r"\s+")
_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+!|~@$])")
_LINK: Final = re.compile(r"://|(?<=\bwww)\.", re.IGNORECASE)


def plain(text: str, width: int = 300) -> str:
    """One line without control, format and bidirectional characters, at most ``width`` characters long."""
    # Far more than is kept, so that a long text costs nothing and one that begins with much space is not lost.
    line = _SPACE.sub(" ", text[: 20 * width]).strip()
    # Most lines hold nothing of the kind, which is known far faster.
    kept = line if line.isprintable() else "".join(c for c in line if unicodedata.category(c) not in _UNSHOWN)
    return kept if len(kept) <= width else kept[: width - 3] + "..."


def markdown(text: str, width: int = 300) -> str:
    """:func:`plain`, with everything escaped that Markdown or HTML would interpret, links and mentions among it."""
    escaped = plain(text, width).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINK.sub(lambda found: "&#58;//" if found[0] == "://" else "&#46;", _MARKUP.sub(r"\\\1", escaped))


def code(text: str, *, table: bool = False) -> str:
    """Text between backquotes, more of them than it holds itself; in a table its bars are escaped."""
    line = plain(text, 1_000)
    fence = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    quoted = f"{fence}{pad}{line}{pad}{fence}"
    return quoted.replace("|", "\\|") if table else quoted
