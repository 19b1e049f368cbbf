"""Pages of metrics: both formats, and what is no page."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from seatrial.http.bounded import Answer
from seatrial.metrics.exposition import NoExposition, read_exposition

TEXT = "text/plain; version=0.0.4"


def answer(body: bytes, content_type: str = TEXT) -> Answer:
    return Answer(where="GET http://chat/metrics", status=200, content_type=content_type, body=body)


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    counter = Counter("requests", "all", ("code",), registry=made)
    counter.labels("200").inc(3)
    Histogram("seconds", "took", buckets=(0.1,), registry=made).observe(0.05)
    return made


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(generate_latest(registry()), TEXT), (generate_openmetrics(registry()), CONTENT_TYPE_LATEST)],
    ids=["text", "openmetrics"],
)
def test_both_formats_say_the_same(body: bytes, content_type: str) -> None:
    found = {str(one): one.values for one in read_exposition(answer(body, content_type), at=1.0)}
    assert found['requests_total{code="200"}'] == (3.0,)
    assert found['seconds_bucket{le="0.1"}'] == (1.0,)
    if content_type == CONTENT_TYPE_LATEST:
        assert not any("_created" in name for name in found)


@pytest.mark.parametrize("body", [b"", b"<html>404</html>", b"# HELP a b\n", b"a{b=\xff} 1\n", b"a one\n", b"a{b 1\n"])
def test_what_is_no_page_says_so(body: bytes) -> None:
    with pytest.raises(NoExposition, match="expected a page of metrics"):
        read_exposition(answer(body), at=1.0)


@given(st.binary(max_size=60), st.sampled_from([TEXT, CONTENT_TYPE_LATEST]))
def test_any_bytes_are_a_page_or_an_error(body: bytes, content_type: str) -> None:
    with suppress(NoExposition):
        assert read_exposition(answer(body, content_type), at=1.0)
