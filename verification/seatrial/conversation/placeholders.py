"""``${name}`` in a script: values written in it, captured from earlier answers, or given by the run."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

BUILT_IN: Final = {
    "run.id": "identity of the run, the same for all its conversations",
    "session.id": "identity of this conversation on this track in this run, used nowhere else",
}
"""Names that every conversation may use, with their meaning."""

OPEN: Final = {
    "env.": "text of that name in the table [variables] of the environment",
    "unique.": "text that no other conversation of any run has, the same wherever this one uses the name",
}
"""Beginnings of names that are known only when the conversation is held, with their meaning."""


def is_open(name: str) -> bool:
    """Whether ``name`` is filled when the conversation is held: ``env.shop``, ``unique.order``."""
    return any(name.startswith(prefix) and NAME.fullmatch(name[len(prefix) :]) for prefix in OPEN)


class Values(dict[str, str]):
    """Values by name. Unique ones are made when they are first asked for."""

    def __missing__(self, name: str) -> str:
        if not name.startswith("unique."):
            raise KeyError(name)
        self[name] = f"{name.removeprefix('unique.').replace('_', '-')}-{secrets.token_hex(5)}"
        return self[name]


NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
"""Names of values and captures."""

_PLACEHOLDER: Final = re.compile(r"\$\$(?=\{)|\$\{([^}]*)\}")


def names_in(text: str) -> Iterator[str]:
    """The names that ``text`` asks for; ``$${`` is a written ``${`` and asks for nothing."""
    return (match[1] for match in _PLACEHOLDER.finditer(text) if match[1] is not None)


def texts_in(value: object) -> Iterator[str]:
    """Every text inside a JSON value, keys of tables left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)


def fill_all(value: Any, values: Mapping[str, str]) -> Any:
    """A JSON value with every text in it filled. Raises KeyError for an unknown name."""
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, dict):
        return {key: fill_all(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_all(inner, values) for inner in value]
    return value


def fill(text: str, values: Mapping[str, str], quote: Callable[[str], str] = str) -> str:
    """``text`` with each ``${name}`` replaced by ``quote(values[name])``. Raises KeyError for an unknown name."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] is None else quote(values[match[1]])

    return _PLACEHOLDER.sub(value, text)
