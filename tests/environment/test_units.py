"""Durations."""

import json
import math
from pathlib import Path
from re import compile as regex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environment.documentation import schema
from seatrial.environment.model import Environment, Service
from seatrial.environment.units import format_duration, parse_duration

GOOD = {
    "250ms": 0.25,
    "30s": 30,
    "10m": 600,
    "2h": 7200,
    "14d": 1209600,
    "0.5 s": 0.5,
    " 1.50m ": 90,
    "0ms": 0,
    "007s": 7,
}
BAD = [
    "",
    "5",
    "s",
    "5 sec",
    "5S",
    "1e3s",
    "-1s",
    "+1s",
    "1,5s",
    ".5s",
    "5.s",
    "1m30s",
    "٣s",
    "inf s",
    "nan",
    "9" * 400 + "s",
    5,
    5.0,
    True,
    None,
    [],
    {},
]


@pytest.mark.parametrize(("text", "seconds"), GOOD.items())
def test_good(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", BAD, ids=repr)
def test_bad(value: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a|the unit is missing"):
        parse_duration(value)


@given(st.floats(min_value=0, max_value=1e300, allow_nan=False))
def test_what_is_written_is_read_back(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(1, 10**6), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_what_is_read_is_written_shortly(count: int, unit: str) -> None:
    seconds = parse_duration(f"{count}{unit}")
    assert parse_duration(format_duration(seconds)) == seconds
    assert len(format_duration(seconds)) <= len(f"{count}ms") + 1


PATTERN = schema()["$defs"]["Service"]["properties"]["timeout"]["pattern"]


@given(st.text(max_size=12) | st.from_regex(r"[0-9.]{1,5} ?(ms|s|m|h|d|x)?", fullmatch=True))
def test_reader_and_schema_agree(text: str) -> None:
    assert PATTERN.startswith("^")
    # ECMA 262 knows ASCII digits alone, and has other blanks than Python.
    if not text.isascii():
        return
    try:
        read = math.isfinite(parse_duration(text))
    except ValueError:
        read = False
    assert read == bool(regex(PATTERN.replace("$", r"\Z")).match(text))


def test_json_has_units_and_comes_back() -> None:
    service = Service.model_validate({"url": {"stable": "https://a.example"}, "timeout": "250ms"})
    document = json.loads(Environment(name="x", services={"c": service}).model_dump_json())
    assert document["services"]["c"]["timeout"] == "250ms"
    assert document["load"]["max_duration"] == "1m"
    assert Environment.model_validate(document).services["c"] == service


def test_units_stand_in_the_page() -> None:
    assert "`14d`" in (Path(__file__).parents[2] / "docs" / "environment.md").read_text()
