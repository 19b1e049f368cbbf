"""What Prometheus may answer, and everything else that may come in its place."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.outcome import CannotLook
from seatrial.metrics.answer import Malformed, Refused, read_answer, read_series
from seatrial.metrics.series import Series

WHERE = "POST http://prometheus/api/v1/query"

numbers = st.floats(allow_nan=True, allow_infinity=True)
labels = st.dictionaries(st.sampled_from(["__name__", "job", "le"]), st.text(max_size=5), max_size=3)
times = st.lists(st.floats(0, 2e9), unique=True, max_size=5).map(sorted)


@st.composite
def matrices(draw: st.DrawFn) -> list[Series]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        at = draw(times)
        values = draw(st.lists(numbers, min_size=len(at), max_size=len(at)))
        found.append(Series(labels=draw(labels), times=tuple(at), values=tuple(values)))
    return found


def _spelt(value: float) -> str:
    return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, repr(value)).replace("nan", "NaN")


@given(matrices())
def test_a_matrix_is_read_as_it_was_written(series: list[Series]) -> None:
    result = [
        {
            "metric": dict(one.labels),
            "values": [[time, _spelt(value)] for time, value in zip(one.times, one.values, strict=True)],
        }
        for one in series
    ]
    body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
    read = read_series(read_answer(200, body, WHERE).data, WHERE, most=10)
    assert repr(read) == repr(tuple(series))  # NaN is unlike itself


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["success", "error", "vector", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["status", "data", "resultType", "result", "metric", "value", "values", "histogram", "warnings"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(trees)
def test_any_json_is_an_answer_or_an_error_that_says_so(tree: Any) -> None:
    try:
        read_series(read_answer(200, json.dumps(tree).encode(), WHERE).data, WHERE, most=10)
    except CannotLook as refusal:
        said = str(refusal)
    else:
        return
    assert WHERE in said


@given(st.binary(max_size=50))
def test_any_bytes_are_an_error_that_says_so(body: bytes) -> None:
    with pytest.raises(CannotLook, match="expected"):
        read_answer(200, body, WHERE)


def vector(*items: Any) -> dict[str, Any]:
    return {"resultType": "vector", "result": list(items)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "an object with 'resultType'"),
        ({"resultType": "string", "result": [1, "a"]}, "a vector, a matrix or a scalar"),
        ({"resultType": "vector", "result": {}}, "a list as result"),
        (vector({"value": [1, "1"]}), "an object with 'metric'"),
        (vector({"metric": {"job": 3}, "value": [1, "1"]}), "labels with texts"),
        (vector({"metric": {}}), "value or histogram of a series"),
        (vector({"metric": {}, "value": [1]}), "a time with a value"),
        (vector({"metric": {}, "value": [1, "many"]}), "a number; seen 'many'"),
        (vector({"metric": {}, "value": [1, True]}), "a number"),
        (vector({"metric": {}, "value": ["NaN", "1"]}), "a time"),
        (vector({"metric": {}, "histogram": [1, {"sum": "1"}]}), "an object with 'count'"),
        (vector({"metric": {}, "histogram": [1, {"count": "1", "buckets": [[0, "1", "2"]]}]}), "rule, lower, upper"),
        (
            {"resultType": "matrix", "result": [{"metric": {}, "values": [[2, "1"], [1, "1"]]}]},
            "samples in order of time",
        ),
        (
            {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "1"]], "histograms": [[1, {}]]}]},
            "not both",
        ),
    ],
)
def test_a_wrong_shape_says_what_was_expected(data: Any, words: str) -> None:
    with pytest.raises(Malformed) as problem:
        read_series(data, WHERE, most=10)
    assert words in str(problem.value)
    assert WHERE in str(problem.value)


@pytest.mark.parametrize(
    ("status", "document", "kind", "words"),
    [
        (
            422,
            {"status": "error", "errorType": "execution", "error": "too many samples"},
            Refused,
            "execution: too many",
        ),
        (503, {"status": "error", "errorType": "timeout", "error": "query timed out"}, Refused, "timeout: query timed"),
        (200, {"status": "success"}, Malformed, "expected HTTP 200 with data"),
        (500, {"status": "success", "data": []}, Malformed, "seen HTTP 500"),
        (200, {"status": "success", "data": [], "warnings": "some"}, Malformed, "expected a list of warnings"),
    ],
)
def test_refusals_speak_for_themselves(status: int, document: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        read_answer(status, json.dumps(document).encode(), WHERE)


def test_a_native_histogram() -> None:
    buckets = [[0, "0.5", "1", "3"], [3, "-0.001", "0.001", "1"]]
    item = {"metric": {"__name__": "h"}, "histogram": [1.5, {"count": "4", "sum": "2.5", "buckets": buckets}]}
    (series,) = read_series(vector(item), WHERE, most=1)
    (sample,) = series.histograms
    assert sample.count == 4
    assert sample.ranges == {(0.5, 1.0): 3.0, (-0.001, 0.001): 1.0}


def test_more_series_than_allowed_are_refused() -> None:
    with pytest.raises(Refused, match=r"2 series, and metrics\.max_series allows 1"):
        read_series(vector(*[{"metric": {}, "value": [1, "1"]}] * 2), WHERE, most=1)
