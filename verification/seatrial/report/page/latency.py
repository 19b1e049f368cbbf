"""Distributions of latency, candidate against stable, and every measurement that has an interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from seatrial.gate.evidence import GateCase
from seatrial.report.page.drawing import Curve, interval, percentiles
from seatrial.report.page.histogram import Histogram
from seatrial.report.page.markup import SPACE, Child, Html, joined, table, tag
from seatrial.report.page.material import Material
from seatrial.report.page.words import badge, key, state

METRICS: Final = {
    "latency": "answer",
    "first-token": "first token",
    "longest-gap": "silence",
}
LEVELS: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("slowest", 1.0))
MAX_MEASUREMENTS: Final = 200
_STYLES: Final = {"stable": "stable", "candidate": "candidate"}


def latency(material: Material) -> Html | None:
    """For each service the distributions, and the quantiles in numbers."""
    histograms = material.contents.histograms
    if not histograms:
        return None
    services = dict.fromkeys(histogram.service for histogram in histograms)
    parts = [_service(service, [h for h in histograms if h.service == service]) for service in services]
    words = (
        "Drawn from the histograms beside the reports, where a failed request counts as the time-out. "
        "The verdict was made from the same requests, pair by pair."
    )
    return joined([tag("p", words, class_="aside"), *parts])


def _service(service: str, histograms: Sequence[Histogram]) -> Html:
    figures, rows = [], []
    for metric in dict.fromkeys(h.metric for h in histograms):
        of_metric = sorted((h for h in histograms if h.metric == metric), key=lambda h: h.track == "candidate")
        name = METRICS.get(metric, metric)
        figures.append(_figure(service, name, of_metric))
        rows += [_row(name, histogram) for histogram in of_metric]
    header = ["measured", "track", "n", *(name for name, _ in LEVELS)]
    numbers = table(f"Quantiles of {service}, in milliseconds", header, rows, class_="numeric")
    return joined([tag("h3", service), tag("div", *figures, class_="figures"), numbers])


def _figure(service: str, name: str, histograms: Sequence[Histogram]) -> Html:
    curves = [Curve(histogram=h, style=_STYLES.get(h.track, "other")) for h in histograms]
    legend = [tag("span", _key(curve.style), curve.histogram.track, class_="legend") for curve in curves]
    drawn = percentiles(f"{service}, {name}: milliseconds by percentile, {_compared(histograms)}", curves)
    return tag("figure", tag("figcaption", tag("b", name), SPACE, *legend), drawn)


def _key(style: str) -> Html:
    return tag("svg", tag("path", d="M0 5H26", class_=style), viewBox="0 0 26 10", class_="line", aria_hidden="true")


def _compared(histograms: Iterable[Histogram]) -> str:
    return ", ".join(f"{h.track} p95 {_ms(h.quantile(0.95))} ms" for h in histograms)


def _row(name: str, histogram: Histogram) -> list[Child]:
    quantiles = (_ms(histogram.quantile(level)) for _, level in LEVELS)
    return [name, histogram.track, str(histogram.n), *quantiles]


def _ms(value: float) -> str:
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def measurements(material: Material) -> Html | None:
    """Cases on the track under test whose value has an interval: error rates, latencies, shares."""
    cases = [case for case in material.subjects() if case.number("interval")][:MAX_MEASUREMENTS]
    if not cases:
        return None
    header = ["check", "outcome", "seen", "allowed", "interval", "n", "seen on its interval"]
    listing = table("Values with their intervals", header, [_measurement(case) for case in cases])
    words = "The bar is the interval, the dot what was seen, the stroke what is allowed."
    return joined([listing, tag("p", words, class_="aside")])


def _measurement(case: GateCase) -> list[Child]:
    values = [case.number(name) for name in ("seen", "limit", "interval")]
    unit = f" {case.number('unit')}" if case.number("unit") else ""
    shown = [f"{value}{unit}" if value else "" for value in values]
    return [key(case), badge(state(case)), *shown, case.number("n"), interval(*values)]
