"""The candidate against stable as a picture: each quantile's difference with its interval, and the margin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from seatrial.evidence.outcome import Outcome
from seatrial.judge.latency import LevelComparison, milliseconds

WIDTH: Final = 720
LEFT: Final = 90
RIGHT: Final = 200
TOP: Final = 60
ROW: Final = 48
COLOURS: Final = {Outcome.PASS: "var(--good)", Outcome.FAIL: "var(--bad)", Outcome.INCONCLUSIVE: "var(--open)"}
STYLE: Final = """<style>
svg { color: #222; background: #fff; font: 12px system-ui, sans-serif; --good: #0a6; --bad: #c22; --open: #b80; }
@media (prefers-color-scheme: dark) {
  svg { color: #ddd; background: #181818; --good: #3d9; --bad: #f66; --open: #fc4; }
}
text { fill: currentColor; } .zero { stroke: currentColor; stroke-opacity: .5; }
.margin { stroke: currentColor; stroke-dasharray: 4 3; } .whisker { stroke-width: 2; }
</style>"""


def comparison(levels: Sequence[LevelComparison], service: str, confidence: float) -> str:
    """A row for each level that could be compared: difference, interval, and the margin as a dashed line.

    An interval without an end on one side goes to the edge, and is told with what it has.
    """
    rows = [level for level in levels if not level.reason and math.isfinite(level.difference)]
    height = TOP + ROW * max(len(rows), 1) + 40
    title = f"Candidate less stable of {service}, {confidence * 100:.3g}% confidence"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>{STYLE}",
        f'<text x="{LEFT}" y="18" font-weight="600">{escape(title)}</text>',
    ]
    if not rows:
        parts.append(f'<text x="{LEFT}" y="{TOP + 20}">too few pairs to compare</text>')
        return "\n".join([*parts, "</svg>\n"])
    reach = 1.15 * max(
        value
        for row in rows
        for value in (abs(row.lower), abs(row.upper), row.margin, abs(row.difference))
        if math.isfinite(value)
    )

    def at(seconds: float) -> float:
        share = (min(max(seconds, -reach), reach) + reach) / (2 * reach)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    bottom = TOP + ROW * len(rows)
    parts.append(f'<line class="zero" x1="{at(0):.1f}" x2="{at(0):.1f}" y1="{TOP - 14}" y2="{bottom}"/>')
    parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{TOP - 14}">dashed: the margin</text>')
    for seconds in (-reach / 1.15, 0.0, reach / 1.15):
        label = milliseconds(seconds, sign=bool(seconds))
        parts.append(f'<text x="{at(seconds):.1f}" y="{bottom + 22}" text-anchor="middle">{label} ms</text>')
    parts += [_row(row, TOP + ROW * number + ROW / 2 - 8, at) for number, row in enumerate(rows)]
    return "\n".join([*parts, "</svg>\n"])


def _row(row: LevelComparison, y: float, at: Callable[[float], float]) -> str:
    colour = COLOURS[row.verdict]
    beside = WIDTH - RIGHT + 12
    margin, lower, upper = (f"{at(value):.1f}" for value in (row.margin, row.lower, row.upper))
    seen = milliseconds(row.difference, sign=True)
    interval = f"[{milliseconds(row.lower, sign=True)}, {milliseconds(row.upper, sign=True)}]"
    moved = f"{milliseconds(row.control)} to {milliseconds(row.candidate)} ms"
    tip = f"<title>margin {milliseconds(row.margin)} ms</title>"
    return f"""<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end" font-weight="600">{row.name}</text>
<line class="margin" x1="{margin}" x2="{margin}" y1="{y - 14:.1f}" y2="{y + 14:.1f}">{tip}</line>
<line class="whisker" stroke="{colour}" x1="{lower}" x2="{upper}" y1="{y:.1f}" y2="{y:.1f}"/>
<circle cx="{at(row.difference):.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>
<text x="{beside}" y="{y:.1f}">{seen} ms {interval}</text>
<text x="{beside}" y="{y + 15:.1f}">{moved}</text>"""
