"""Pictures of a measurement, as SVG: the distribution out to its tail, and every request over time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from seatrial.environment.model import Track
from seatrial.load.samples import Floats, Samples

WIDTH: Final = 720
HEIGHT: Final = 320
LEFT: Final = 70
TOP: Final = 40
RIGHT: Final = 20
BOTTOM: Final = 44
MOST_DOTS: Final = 1500
"""Of one track. Failures are all shown, of the rest an even selection."""
LEVELS: Final = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999)
_STYLE: Final = """<style>
svg { color: #222; background: #fff; font: 12px system-ui, sans-serif; --a: #0a6; --b: #c40; }
@media (prefers-color-scheme: dark) { svg { color: #ddd; background: #181818; --a: #3d9; --b: #f85; } }
.grid { stroke: currentColor; stroke-opacity: .15; } .a { --c: var(--a); } .b { --c: var(--b); }
path { fill: none; stroke: var(--c); stroke-width: 2; } circle { fill: var(--c); fill-opacity: .45; }
.failed { stroke: var(--c); stroke-width: 2; } rect.key { fill: var(--c); } text { fill: currentColor; }
</style>"""


def write_pictures(samples: Mapping[Track, Samples], directory: Path, *, service: str, timeout: float) -> list[Path]:
    """Write ``<service>.percentiles.svg``, ``.ecdf.svg`` and ``.timeline.svg``; the first track is drawn first."""
    tracks = {track: each for track, each in samples.items() if len(each)}
    pictures = {
        "percentiles": percentiles({track: each.latencies(timeout) for track, each in tracks.items()}, service),
        "ecdf": ecdf({track: each.latencies(timeout) for track, each in tracks.items()}, service),
        "timeline": timeline(tracks, service, timeout),
    }
    paths = []
    for name, content in pictures.items():
        paths.append(directory / f"{service}.{name}.svg")
        paths[-1].write_text(content, encoding="utf-8")
    return paths


def percentiles(latencies: Mapping[str, Floats], service: str) -> str:
    """Latency in milliseconds over the percentile, on a scale that gives the tail its room: log of 1 / (1 - level)."""
    longest = max((len(each) for each in latencies.values()), default=1)
    highest = max((float(each.max()) for each in latencies.values()), default=1.0)
    last = max(math.log10(max(longest, 10)), 1.0)
    frame = _Frame(right=last, top=highest * 1000)
    parts = [frame.begin(f"Latency of {service} by percentile", latencies)]
    for level in LEVELS:
        at = -math.log10(1 - level)
        if at <= last:
            parts.append(frame.tick(at, "0" if level == 0 else f"p{level * 100:g}"))
    for number, values in enumerate(latencies.values()):
        ordered = np.sort(values) * 1000
        n = len(ordered)
        # As many points as there are pixels; the slowest requests one by one.
        kept = np.unique(np.concatenate((np.linspace(0, n - 1, 400).astype(int), np.arange(max(n - 40, 0), n))))
        points = [(min(math.log10(n / (n - index)), last), float(ordered[index])) for index in kept]
        parts.append(f'<path class="{_name(number)}" d="{frame.line(points)}"/>')
    return "\n".join([*parts, "</svg>\n"])


def ecdf(latencies: Mapping[str, Floats], service: str) -> str:
    """Share of requests that were answered within a time, over the time on a logarithmic scale."""
    least = min((float(each.min()) for each in latencies.values()), default=0.001)
    most = max((float(each.max()) for each in latencies.values()), default=1.0)
    low = math.log10(max(least, 1e-5))
    frame = _Frame(right=max(math.log10(max(most, 1e-5)) - low, 0.05), top=100.0, unit="%")
    parts = [frame.begin(f"Share of {service}'s requests by latency", latencies)]
    parts += [frame.tick(math.log10(at) - low, f"{at * 1000:g} ms") for at in _round_times(least, most)]
    for number, values in enumerate(latencies.values()):
        ordered = np.sort(np.maximum(values, 1e-5))
        n = len(ordered)
        kept = np.unique(np.linspace(0, n - 1, 600).astype(int))
        points = [(math.log10(ordered[index]) - low, 100 * (index + 1) / n) for index in kept]
        parts.append(f'<path class="{_name(number)}" d="{frame.line(points)}"/>')
    return "\n".join([*parts, "</svg>\n"])


def _round_times(least: float, most: float) -> list[float]:
    """Round times between the two, at most nine."""
    powers = range(math.floor(math.log10(max(least, 1e-5))), math.ceil(math.log10(max(most, 1e-5))) + 1)
    times = [round(step * 10.0**power, 12) for power in powers for step in (1, 1.5, 2, 3, 5, 7)]
    inside = [each for each in times if least <= each <= most]
    return inside[:: max(math.ceil(len(inside) / 9), 1)]


def timeline(samples: Mapping[Track, Samples], service: str, timeout: float) -> str:
    """Latency of each request over the moment when it was due; failures as crosses."""
    begin = min((float(each.due.min()) for each in samples.values()), default=0.0)
    end = max((float(each.due.max()) for each in samples.values()), default=1.0)
    taken = {track: each.latencies(timeout) for track, each in samples.items()}
    highest = max((float(values.max()) for values in taken.values()), default=1.0)
    frame = _Frame(right=max(end - begin, 1e-3), top=highest * 1000)
    parts = [frame.begin(f"Latency of {service} over time", samples)]
    parts += [frame.tick(at, f"{at:g} s") for at in _steps(end - begin)]
    for number, (track, each) in enumerate(samples.items()):
        failed = each.error != ""
        fine = np.flatnonzero(~failed)
        shown = fine[:: max(len(fine) // MOST_DOTS, 1)]
        dots = [frame.place(each.due[i] - begin, taken[track][i] * 1000) for i in shown]
        parts.append(f'<g class="{_name(number)}">')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>' for x, y in dots]
        for index in np.flatnonzero(failed):
            x, y = frame.place(each.due[index] - begin, taken[track][index] * 1000)
            parts.append(f'<path class="failed" d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"/>')
        parts.append("</g>")
    return "\n".join([*parts, "</svg>\n"])


class _Frame:
    """Axes: ``right`` in units of the x axis, ``top`` in ``unit``; both begin at 0."""

    def __init__(self, *, right: float, top: float, unit: str = "ms") -> None:
        self._right, self._top, self._unit = right, max(top, 1e-6), unit

    def place(self, x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + float(x) / self._right * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - float(y) / self._top * (HEIGHT - TOP - BOTTOM),
        )

    def begin(self, title: str, tracks: Iterable[str]) -> str:
        named = list(tracks)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(title)}</title>{_STYLE}",
            f'<text x="{LEFT}" y="18" font-weight="600">{escape(title)}</text>',
        ]
        for number, track in enumerate(named):
            x = WIDTH - RIGHT - 110 * (len(named) - number)
            parts.append(f'<rect class="key {_name(number)}" x="{x}" y="9" width="10" height="10"/>')
            parts.append(f'<text x="{x + 15}" y="18">{escape(track)}</text>')
        for at in _steps(self._top):
            _, y = self.place(0, at)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{at:g} {self._unit}</text>')
        return "\n".join(parts)

    def tick(self, at: float, label: str) -> str:
        x, bottom = self.place(at, 0)
        return (
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom:.1f}"/>'
            f'<text x="{x:.1f}" y="{bottom + 18:.1f}" text-anchor="middle">{label}</text>'
        )

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        places = [self.place(x, y) for x, y in points]
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _steps(top: float) -> list[float]:
    """Round numbers from 0 to ``top``, four to nine of them."""
    size = 10 ** math.floor(math.log10(max(top, 1e-9)))
    step = next(size * factor for factor in (0.2, 0.5, 1.0, 2.0) if top / (size * factor) <= 6)
    return [round(step * number, 9) for number in range(int(top / step) + 1)]


def _name(number: int) -> str:
    return "ab"[number % 2]
