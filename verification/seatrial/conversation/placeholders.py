"""``${name}`` in a script: values written in it, captured from earlier answers, or given by the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

BUILT_IN: Final = {
    "run.id": "identity of the run, the same for all its conversations",
    "session.id": "identity of this conversation on this track in this run, used nowhere else",
}
"""Names that every conversation may use, with their meaning."""

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
"""Names of values and captures."""

_PLACEHOLDER: Final = re.compile(r"\$\$(?=\{)|\$\{([^}]*)\}")


def names_in(text: str) -> Iterator[str]:
    """The names that ``text`` asks for; ``$${`` is a written ``${`` and asks for nothing."""
    return (match[1] for match in _PLACEHOLDER.finditer(text) if match[1] is not None)


def fill(text: str, values: Mapping[str, str], quote: Callable[[str], str] = str) -> str:
    """``text`` with each ``${name}`` replaced by ``quote(values[name])``. Raises KeyError for an unknown name."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] is None else quote(values[match[1]])

    return _PLACEHOLDER.sub(value, text)
