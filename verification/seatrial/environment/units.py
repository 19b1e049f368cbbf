"""Durations as people write them (``250ms``, ``30s``, ``10m``, ``2h``, ``14d``), held as seconds."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST: Final = 36500 * _UNITS["d"]
_PATTERN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", re.ASCII)


def parse_duration(value: object) -> float:
    """Seconds in ``value``.

    Raises ValueError for a bare number (no unit, so nobody can tell seconds from milliseconds) or an unknown unit.
    """
    if isinstance(value, str) and (match := _PATTERN.fullmatch(value)):
        seconds = float(match[1]) * _UNITS[match[2]]
        if seconds <= _LONGEST:
            return seconds
        raise ValueError(f"expected at most {_LONGEST / _UNITS['d']:g}d")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"the unit is missing: write {value}s or {value}ms")
    raise ValueError(f"expected a number with a unit ({', '.join(_UNITS)}), such as 250ms; seen {value!r}")


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)\s*$", "examples": ["250ms", "14d"]}),
]
"""A duration in seconds, written with a unit."""
