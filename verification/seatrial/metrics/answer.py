"""What Prometheus answers, read strictly: a shape that is not the documented one is an error that shows it.

Format: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seatrial.evidence.outcome import CannotLook
from seatrial.metrics.series import Buckets, Series

SHOWN: Final = 120
"""Characters of an answer that a message may quote."""


class Malformed(CannotLook):
    """An answer that is not what the API documents."""


class Refused(CannotLook):
    """An answer of the documented shape that says no: ``errorType`` and ``error`` are its own words."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The data of a successful answer, and what was said beside it.

    ``warnings`` mean that the data may be a part of what there is; ``infos`` speak of the query alone.
    """

    data: Any
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


def _shown(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def read_answer(status: int, body: bytes, where: str) -> Answered:
    """The envelope of an answer. Raises Malformed, and Refused where the server says what is wrong."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        text = _shown(body[: 4 * SHOWN].decode(errors="replace"))
        raise Malformed(f"{where}: HTTP {status}: expected JSON of Prometheus; seen {text!r}") from None
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        words = f"{where}: HTTP {status}: expected an object with status success or error; seen {_shown(document)}"
        raise Malformed(words)
    if document["status"] == "error":
        kind, words = _shown(document.get("errorType", "error")), _shown(document.get("error", "no reason given"))
        raise Refused(f"{where}: HTTP {status}: {kind}: {words}")
    if status != 200 or "data" not in document:
        raise Malformed(f"{where}: expected HTTP 200 with data; seen HTTP {status} with {_shown(document)}")
    return Answered(
        data=document["data"],
        warnings=_texts(document, "warnings", where),
        infos=_texts(document, "infos", where),
    )


def _texts(document: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    found = document.get(key) or []
    if not isinstance(found, list):
        raise Malformed(f"{where}: expected a list of {key}; seen {_shown(found)}")
    return tuple(map(_shown, found))


def read_series(data: object, where: str, *, most: int) -> tuple[Series, ...]:
    """The series of a vector, a matrix or a scalar. Raises Malformed, and Refused for more than ``most``."""
    try:
        kind, result = _field(data, "resultType"), _field(data, "result")
        if kind == "scalar":
            time, value = _pair(result)
            return (Series(labels={}, times=(_number(time),), values=(_number(value),)),)
        if kind not in ("vector", "matrix"):
            raise _Shape(f"a vector, a matrix or a scalar as resultType; seen {_shown(kind)}")
        if not isinstance(result, list):
            raise _Shape(f"a list as result; seen {_shown(result)}")
        if len(result) > most:
            words = f"{where}: {len(result)} series, and metrics.max_series allows {most}: select fewer, or raise it"
            raise Refused(words)
        return tuple(_series(item, many=kind == "matrix") for item in result)
    except _Shape as problem:
        raise Malformed(f"{where}: expected {problem}") from None


class _Shape(Exception):
    """What was expected and seen; where it was is added above."""


def _field(value: object, key: str) -> Any:
    if not isinstance(value, dict) or key not in value:
        raise _Shape(f"an object with {key!r}; seen {_shown(value)}")
    return value[key]


def _pair(value: object) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise _Shape(f"a time with a value; seen {_shown(value)}")
    return value[0], value[1]


def _number(value: object) -> float:
    # Values are texts, so that NaN and infinities survive JSON; times are numbers.
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _Shape(f"a number; seen {_shown(value)}")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise _Shape(f"a number; seen {_shown(repr(value))}") from None


def _time(value: object) -> float:
    seconds = _number(value)
    if not math.isfinite(seconds):
        raise _Shape(f"a time; seen {_shown(value)}")
    return seconds


def _series(item: object, *, many: bool) -> Series:
    labels = _field(item, "metric")
    if not isinstance(labels, dict) or not all(isinstance(text, str) for text in labels.values()):
        raise _Shape(f"labels with texts; seen {_shown(labels)}")
    plain, native = ("values", "histograms") if many else ("value", "histogram")
    assert isinstance(item, dict)  # _field has seen to it
    floats, histograms = item.get(plain), item.get(native)
    if floats and histograms:
        raise _Shape(f"either {plain} or {native} in one series, not both; seen both of {_shown(labels)}")
    if floats is None and histograms is None:
        raise _Shape(f"{plain} or {native} of a series; seen {_shown(item)}")
    samples = floats if histograms is None else histograms
    if not many:
        samples = [samples]
    if not isinstance(samples, list):
        raise _Shape(f"a list of samples; seen {_shown(samples)}")
    pairs = [_pair(sample) for sample in samples]
    times = tuple(_time(time) for time, _ in pairs)
    if any(later <= earlier for earlier, later in itertools.pairwise(times)):
        raise _Shape(f"samples in order of time; seen others in {_shown(labels)}")
    if histograms is None:
        return Series(labels=labels, times=times, values=tuple(_number(value) for _, value in pairs))
    return Series(labels=labels, times=times, histograms=tuple(_buckets(value) for _, value in pairs))


def _buckets(value: object) -> Buckets:
    ranges: dict[tuple[float, float], float] = {}
    listed = value.get("buckets", []) if isinstance(value, dict) else []
    if not isinstance(listed, list):
        raise _Shape(f"a list of buckets; seen {_shown(listed)}")
    for bucket in listed:
        # The rule says which of both boundaries belongs to the bucket: 0 is (l, r], 1 [l, r), 2 (l, r), 3 [l, r].
        if not isinstance(bucket, list) or len(bucket) != 4:
            raise _Shape(f"a bucket of rule, lower, upper and count; seen {_shown(bucket)}")
        key = (_number(bucket[1]), _number(bucket[2]))
        ranges[key] = ranges.get(key, 0.0) + _number(bucket[3])
    return Buckets(count=_number(_field(value, "count")), ranges=ranges)
