"""Selectors of series as PromQL writes them, ``name{label="value",other=~"a|b"}``: parsed, completed and matched here.

Grammar: https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, Field

Operator = Literal["=", "!=", "=~", "!~"]
_OPERATORS: Final = get_args(Operator)

_NAME: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*", re.ASCII)
_MATCHER: Final = re.compile(
    r"""\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')\s*""", re.ASCII
)
_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPED: Final = re.compile(r"\\([0-3][0-7]{2}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """One condition on a label; a label that a series does not have is the empty text, as in Prometheus."""

    label: str
    operator: Operator
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels of a series satisfy it; regular expressions match the whole value."""
        seen = labels.get(self.label, "")
        equal = re.fullmatch(self.value, seen) is not None if "~" in self.operator else seen == self.value
        return equal is not self.operator.startswith("!")

    def __str__(self) -> str:
        # A JSON string with its own characters left alone is a string of PromQL.
        return f"{self.label}{self.operator}{json.dumps(self.value, ensure_ascii=False)}"


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Series by name and labels."""

    name: str
    matchers: tuple[Matcher, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The selector that ``text`` spells. Raises ValueError, which says where it stops being one."""
        match = _NAME.match(text)
        if match is None:
            raise ValueError(f'expected a selector such as http_requests_total{{code="500"}}; seen {text!r}')
        rest = text[match.end() :].strip()
        if not rest:
            return cls(name=match[1])
        if not (rest.startswith("{") and rest.endswith("}")):
            raise ValueError(f"expected labels in braces after {match[1]}; seen {rest!r}")
        return cls(name=match[1], matchers=parse_matchers(rest[1:-1]))

    def where(self, matchers: Iterable[Matcher]) -> Self:
        """The same with more conditions."""
        return replace(self, matchers=(*self.matchers, *matchers))

    def suffixed(self, suffix: str) -> Self:
        """The same labels of another series of the same family, such as ``_bucket``."""
        return replace(self, name=self.name + suffix)

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a series is one of those selected."""
        return name == self.name and all(matcher.holds(labels) for matcher in self.matchers)

    def __str__(self) -> str:
        return f"{self.name}{{{','.join(map(str, self.matchers))}}}" if self.matchers else self.name


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Conditions such as ``job="chat",track!="stable"``; none of an empty text.

    Raises ValueError where it cannot be read, and for a regular expression that is none. They are written in RE2 for
    Prometheus and read by Python where there is no Prometheus, so only what both understand should be used.
    """
    matchers: list[Matcher] = []
    position = 0
    while text[position:].strip():
        match = _MATCHER.match(text, position)
        if match is None:
            shown = text[position:].strip()
            raise ValueError(f'expected label="value", with one of {" ".join(_OPERATORS)}; seen {shown!r}')
        operator: Operator = next(known for known in _OPERATORS if known == match[2])
        matcher = Matcher(label=match[1], operator=operator, value=_unquoted(match[3]))
        if "~" in operator:
            try:
                re.compile(matcher.value)
            except re.error as error:
                raise ValueError(f"{matcher}: not a regular expression: {error}") from None
        matchers.append(matcher)
        position = match.end()
        if position < len(text):
            if text[position] != ",":
                raise ValueError(f"expected a comma between conditions; seen {text[position:]!r}")
            position += 1
    return tuple(matchers)


def _unquoted(literal: str) -> str:
    """What a string of Go between quotes says, as PromQL has them. Raises ValueError for an escape that is none."""

    def character(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ESCAPES:
            return _ESCAPES[code]
        if code == literal[0]:
            return code
        # Octal digits, or hexadecimal ones after a letter; a single character is no other escape.
        number = -1 if len(code) == 1 else int(code, 8) if code.isdigit() else int(code[1:], 16)
        # Of bytes, those that are a character by themselves; half a pair is none.
        most = 0x10FFFF if code[0] in "uU" else 0x7F
        if not 0 <= number <= most or 0xD800 <= number <= 0xDFFF:
            raise ValueError(f"expected an escape such as \\\\ or \\n in {literal}; seen \\{code}")
        return chr(number)

    return _ESCAPED.sub(character, literal[1:-1])


def _selector(value: str) -> str:
    Selector.parse(value)
    return value


def _matchers(value: str) -> str:
    parse_matchers(value)
    return value


SelectorText = Annotated[str, AfterValidator(_selector), Field(examples=['http_requests_total{code=~"5.."}'])]
"""A selector, kept as it is written."""

MatchersText = Annotated[str, AfterValidator(_matchers), Field(examples=['job="chat"'])]
"""Conditions on labels without the name and the braces, kept as they are written."""
