"""Pictures of numbers as inline SVG. Only numbers that were parsed are drawn; no picture of a report is taken over."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seatrial.report.page.histogram import Histogram
from seatrial.report.page.markup import Html, tag

WIDTH: Final = 420
HEIGHT: Final = 250
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 30
LEVELS: Final = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)
MOST_POINTS: Final = 300
WIDE_RANGE: Final = 12
"""A slowest request so many times slower than the 90th percentile asks for a logarithmic axis."""

_NUMBER: Final = re.compile(r"[+-]?\d{1,12}(?:,\d{3})*(?:\.\d{1,12})?")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A histogram to be drawn, and the class of its line."""

    histogram: Histogram
    style: str


def percentiles(title: str, curves: Sequence[Curve]) -> Html:
    """Milliseconds over the percentile, on a scale that gives the tail its room: log of 1 / (1 - level)."""
    longest = max(curve.histogram.n for curve in curves)
    last = math.log10(max(longest, 10))
    scale = _Scale.over(curves)
    parts = [tag("title", title)]
    for value in scale.steps():
        y = scale.y(value)
        parts.append(tag("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=_px(y), y2=_px(y)))
        parts.append(tag("text", _ms(value), x=LEFT - 6, y=_px(y + 4), text_anchor="end"))
    for level in LEVELS:
        at = -math.log10(1 - level)
        if at <= last:
            x = _px(_x(at, last))
            parts.append(tag("line", class_="grid", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM))
            parts.append(tag("text", f"p{level * 100:g}", x=x, y=HEIGHT - 10, text_anchor="middle"))
    for curve in curves:
        line = "L".join(f"{_px(x)} {_px(y)}" for x, y in _points(curve.histogram, last, scale))
        parts.append(tag("path", d=Html(f"M{line}"), class_=curve.style))
    return tag("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title)


def interval(seen: str, limit: str, between: str) -> Html | None:
    """The value seen on its interval, with the limit as a stroke; None where these are not numbers to be drawn."""
    value, bound, ends = _number(seen), _number(limit), [float(n.replace(",", "")) for n in _NUMBER.findall(between)]
    if value is None or len(ends) != 2 or not ends[0] <= value <= ends[1]:
        return None
    known = [*ends, *([] if bound is None else [bound]), 0.0]
    low, span = min(known), (max(known) - min(known)) or 1.0

    def x(at: float) -> str:
        return _px(4 + (at - low) / span * 152)

    begin, end = (float(x(at)) for at in ends)
    width = _px(max(end - begin, 2))
    parts: list[Html] = [
        tag("line", class_="grid", x1=4, x2=156, y1=10, y2=10),
        tag("rect", class_="interval", x=x(ends[0]), y=6, width=width, height=8, rx=4),
        tag("circle", class_="seen", cx=x(value), cy=10, r=4),
    ]
    if bound is not None:
        parts.append(tag("line", class_="limit", x1=x(bound), x2=x(bound), y1=1, y2=19))
    words = f"seen {seen}, interval {between}" + (f", allowed {limit}" if limit else "")
    return tag("svg", *parts, viewBox="0 0 160 20", role="img", aria_label=words, class_="spark")


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """The axis of milliseconds: from ``low``, or logarithmic where it is above 0, to ``high``."""

    low: float
    high: float

    @classmethod
    def over(cls, curves: Sequence[Curve]) -> _Scale:
        high = max(curve.histogram.quantile(1) for curve in curves)
        usual = max(curve.histogram.quantile(0.9) for curve in curves)
        low = min(curve.histogram.quantile(0) for curve in curves)
        return cls(low=low / 1.2 if high > WIDE_RANGE * usual else 0.0, high=max(high, 0.001) * 1.05)

    def y(self, value: float) -> float:
        share = value / self.high
        if self.low > 0:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def steps(self) -> list[float]:
        """Round numbers on the axis."""
        if self.low > 0:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            many = last - first > 3
            values = [factor * 10.0**power for power in range(first, last + 1) for factor in ((1,) if many else (1, 3))]
            return [value for value in values if self.low <= value <= self.high]
        size = 10.0 ** math.floor(math.log10(self.high))
        step = next(size * factor for factor in (0.2, 0.5, 1.0, 2.0) if self.high / (size * factor) <= 6)
        return [step * number for number in range(int(self.high / step) + 1)]


def _points(histogram: Histogram, last: float, scale: _Scale) -> list[tuple[float, float]]:
    """As many points as there are pixels; the slowest cells one by one."""
    n, below = histogram.n, 0
    points = []
    every = max(len(histogram.cells) // MOST_POINTS, 1)
    for number, (value, count) in enumerate(histogram.cells):
        if number % every == 0 or number >= len(histogram.cells) - 40:
            # Where the first of the cell stands, as in a sorted list.
            points.append((_x(min(math.log10(n / (n - below)), last), last), scale.y(value)))
        below += count
    points.append((_x(min(math.log10(n), last), last), scale.y(histogram.cells[-1][0])))
    return points


def _x(at: float, last: float) -> float:
    return LEFT + at / last * (WIDTH - LEFT - RIGHT)


def _px(value: float) -> str:
    return f"{value:.1f}"


def _ms(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g} s"
    return f"{value:.3g} ms"


def _number(text: str) -> float | None:
    found = _NUMBER.match(text.strip())
    return float(found[0].replace(",", "")) if found else None
