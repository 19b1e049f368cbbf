"""Histograms out of files that anybody may have written, held against HdrHistogram's own reader, and their pictures."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.report.page.drawing import Curve, interval, percentiles
from seatrial.report.page.histogram import Histogram, HistogramProblem, read


def encoded(values: list[int]) -> str:
    histogram = HdrHistogram(1, 3_600_000_000, 3)
    for value in values:
        histogram.record_value(value)
    text: str = histogram.encode().decode()
    return text


def written(folder: Path, histograms: Any, **changes: Any) -> Path:
    path = folder / "chat.histograms.json"
    path.write_text(json.dumps({"service": "chat", "unit": "us", "digits": 3, "histograms": histograms, **changes}))
    return path


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.integers(1, 3_600_000_000), min_size=1, max_size=60))
def test_agrees_with_the_library(tmp_path_factory: pytest.TempPathFactory, values: list[int]) -> None:
    text = encoded(values)
    (histogram,) = read(written(tmp_path_factory.mktemp("h"), {"stable": {"latency": text}}))
    library = HdrHistogram.decode(text.encode())
    assert histogram.n == library.total_count == len(values)
    for level, value in ((0.5, sorted(values)[(len(values) - 1) // 2]), (1.0, max(values))):
        assert round(histogram.quantile(level) * 1000) == library.get_highest_equivalent_value(value)
    assert "<path" in percentiles("t", [Curve(histogram=histogram, style="stable")])


def packed(counts: bytes, *, cookie: int = 0x1C849313, digits: int = 3, lowest: int = 1) -> str:
    inner = struct.pack(">iiiiqqd", cookie, len(counts), 0, digits, lowest, 3_600_000_000, 1.0) + counts
    body = zlib.compress(inner)
    return base64.b64encode(struct.pack(">ii", 0x1C849314, len(body)) + body).decode()


JUMP = b"\xff" * 8 + b"\x7f"
"""The longest jump over empty cells that nine bytes can say."""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not encoded"),
        ("!!", "is not encoded"),
        (base64.b64encode(b"\0" * 40).decode(), "is not encoded"),
        (packed(b"\x02", cookie=1), "another version"),
        (packed(b"\x02", digits=5), "another version"),
        (packed(b"\x02", lowest=1000), "another version"),
        (packed(b"\0" * 40_000 + b"\x02"), "more cells"),
        (packed(JUMP + b"\x02"), "more cells"),
        (packed(b"\0" * 3_000_000), "another version, or was cut off".partition(",")[0]),
        (packed(b"\x80"), "is no file of histograms"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(HistogramProblem, match=message):
        read(written(tmp_path, {"stable": {"latency": text}}))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"unit":"us","digits":3,"histograms":[]}', b" " * 5_000_000],
)
def test_a_file_that_is_no_file_of_histograms(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.histograms.json"
    path.write_bytes(content)
    with pytest.raises(HistogramProblem):
        read(path)


def test_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HistogramProblem, match="more than 40"):
        read(written(tmp_path, {f"t{n}": {"latency": ""} for n in range(41)}))


def test_a_link_into_nothing_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(HistogramProblem, match="cannot be read"):
        read(tmp_path / "none")


@pytest.mark.parametrize("cells", [((1.0, 1),), ((0.001, 5), (1e9, 1)), tuple((float(n), 1) for n in range(1, 5000))])
def test_any_histogram_can_be_drawn(cells: tuple[tuple[float, int], ...]) -> None:
    histogram = Histogram(service="s", track="stable", metric="latency", cells=cells)
    drawn = percentiles("t", [Curve(histogram=histogram, style="stable")])
    assert "nan" not in drawn
    assert "inf" not in drawn
    assert len(drawn) < 20_000


@pytest.mark.parametrize(
    ("seen", "limit", "between", "drawn"),
    [
        ("0.41", "0.25", "0.37 to 0.45", True),
        ("1.00%", "2.00%", "0.25% to 2.63%", True),
        ("0.00%", "2.00%", "0.00% to 0.00%", True),
        ("-1.0", "", "-4.9 to +3.1", True),
        ("100.0%", "at least 80%", "81.9% to 100.0%", True),
        ("none", "2", "1 to 2", False),
        ("5", "2", "1 to 2", False),
        ("1", "2", "1", False),
        ("9" * 400, "2", "1 to 2", False),
        ("1", "2", "", False),
    ],
)
def test_an_interval_is_drawn_where_it_is_one(seen: str, limit: str, between: str, drawn: bool) -> None:
    picture = interval(seen, limit, between)
    assert (picture is not None) is drawn
    assert picture is None or ("nan" not in picture and seen in picture)
