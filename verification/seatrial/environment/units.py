"""What people write into TOML: durations with a unit (``250ms``, ``14d``), and numbers and flags taken by the word.

TOML is typed, so nothing is converted here: ``"yes"`` is not true, ``"3"`` is not three, and infinity is no limit.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainSerializer, Strict, WithJsonSchema

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PATTERN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", re.ASCII)


def parse_duration(value: object) -> float:
    """Seconds in ``value``.

    Raises ValueError for a bare number (no unit, so nobody can tell seconds from milliseconds), an unknown unit, or
    more than a float holds.
    """
    if isinstance(value, str) and (match := _PATTERN.fullmatch(value)):
        seconds = float(match[1]) * _UNITS[match[2]]
        if math.isfinite(seconds):
            return seconds
        raise ValueError("expected a duration that is finite")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"the unit is missing: write {value}s or {value}ms")
    raise ValueError(f"expected a number with a unit ({', '.join(_UNITS)}), such as 250ms; seen {value!r}")


def format_duration(seconds: float) -> str:
    """``seconds`` as it would be written, in the largest unit that holds it exactly; `parse_duration` reads it back."""
    for unit in reversed(_UNITS):
        count = round(seconds / _UNITS[unit])
        if count and float(count) * _UNITS[unit] == seconds:
            return f"{count}{unit}"
    return f"{Decimal(repr(seconds)):f}s" if seconds else "0s"


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)\s*$", "examples": ["250ms", "14d"]}),
]
"""A duration in seconds, written with a unit; as JSON it is written with one too."""

PositiveDuration = Annotated[Duration, Field(gt=0)]
"""A duration that waits for something: none at all would only ever time out."""

Flag = Annotated[bool, Strict()]
"""true or false, and nothing that merely looks like it."""

Count = Annotated[int, Strict()]
"""A whole number."""

Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
"""A finite number."""
