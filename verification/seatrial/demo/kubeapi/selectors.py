"""Label and field selectors as the API takes them in a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from seatrial.demo.kubeapi.errors import ApiError

Predicate = Callable[[Mapping[str, Any]], bool]

_SET = re.compile(r"\s*([^\s!=(),]+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"\s*([^\s!=(),]+)\s*(==|=|!=)\s*([^\s!=(),]*)\s*$")
_EXISTS = re.compile(r"\s*(!?)\s*([^\s!=(),]+)\s*$")


def _split(text: str) -> list[str]:
    """Parts between commas that are not inside parentheses."""
    return [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _label(part: str) -> Predicate:
    if match := _SET.match(part):
        key, operator, values = match[1], match[2], {value.strip() for value in match[3].split(",")}
        if operator == "in":
            return lambda labels: key in labels and labels[key] in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUAL.match(part):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.match(part):
        absent, key = bool(match[1]), match[2]
        return lambda labels: (key in labels) is not absent
    raise ApiError("BadRequest", f"unable to parse requirement: {part!r}")


def labels(text: str | None) -> Predicate:
    """Whether an object's labels match. Raises ApiError for a selector that cannot be parsed."""
    tests = [_label(part) for part in _split(text or "")]

    def matches(item: Mapping[str, Any]) -> bool:
        own = item.get("metadata", {}).get("labels") or {}
        return all(test(own) for test in tests)

    return matches


def _value(item: Mapping[str, Any], path: str) -> str:
    current: Any = item
    for key in path.split("."):
        current = current.get(key) if isinstance(current, Mapping) else None
    return "" if current is None else str(current)


def fields(text: str | None) -> Predicate:
    """Whether an object's fields match. Raises ApiError for a selector that cannot be parsed."""
    tests: list[tuple[str, bool, str]] = []
    for part in _split(text or ""):
        match = _EQUAL.match(part)
        if match is None:
            raise ApiError("BadRequest", f"invalid field selector: {part!r}")
        tests.append((match[1], match[2] != "!=", match[3]))
    return lambda item: all((_value(item, path) == value) is equal for path, equal, value in tests)
