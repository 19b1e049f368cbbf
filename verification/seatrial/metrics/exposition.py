"""The page that a process exposes, read as Prometheus reads it: its text format, or OpenMetrics.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from seatrial.evidence.outcome import CannotLook
from seatrial.http.bounded import Answer, ask
from seatrial.http.sync import Client
from seatrial.metrics.series import Series

ACCEPT: Final = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8"


_COUNTING: Final = ("counter", "histogram", "summary", "gaugehistogram")


class NoExposition(CannotLook):
    """The process answered, and what it answered is no page of metrics."""


def scrape(
    client: Client, path: str, *, at: float, within: float, max_bytes: int, max_series: int
) -> tuple[Series, ...]:
    """Every sample of the page at ``path``, with ``at`` as its time: seconds since 1970 when the scrape began.

    Raises NoAnswer, and NoExposition for another status, another text, or more than ``max_series``.
    """
    answer = ask(client, "GET", path, within=within, max_bytes=max_bytes, headers={"Accept": ACCEPT})
    if answer.status != 200:
        raise NoExposition(f"{answer.where}: expected HTTP 200 with metrics; seen HTTP {answer.status}")
    found = read_exposition(answer, at=at)
    if len(found) > max_series:
        raise NoExposition(f"{answer.where}: {len(found)} series, and metrics.max_series allows {max_series}")
    return found


def read_exposition(answer: Answer, *, at: float) -> tuple[Series, ...]:
    """The samples of one page. Raises NoExposition where it is none, or has no sample."""
    parse = openmetrics if answer.content_type.startswith("application/openmetrics-text") else text_format
    families: list[Metric] = []
    try:
        families.extend(parse(answer.body.decode()))
    # The parsers raise whatever a malformed line makes them stumble over.
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise NoExposition(f"{answer.where}: expected a page of metrics: {str(error)[:120]}") from None
    found = tuple(
        Series(labels={**sample.labels, "__name__": sample.name}, times=(at,), values=(float(sample.value),))
        for family in families
        for sample in family.samples
        # OpenMetrics tells when a counter began in a sample of its own.
        if not (family.type in _COUNTING and sample.name.endswith("_created"))
    )
    if not found:
        raise NoExposition(f"{answer.where}: expected a page of metrics; seen one without a sample")
    return found
