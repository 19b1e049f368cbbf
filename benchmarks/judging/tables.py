"""Rows as lines for people, as Markdown for the page, and as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Columns = Sequence[tuple[str, str]]
"""Keys of a row, and their headings."""

LATENCIES: Columns = (
    ("rollback", "rolled back"),
    ("rollback at most", "at most"),
    ("pairs to rollback", "after pairs"),
    ("promote", "promoted"),
    ("rollback by looks", "back by looks"),
    ("oracle", "oracle"),
    ("kayenta", "Kayenta"),
    ("threshold", "threshold"),
)
ROLLOUTS: Columns = (
    ("rollback", "rolled back"),
    ("rollback at most", "at most"),
    ("pairs to rollback", "after requests"),
    ("promote", "promoted"),
    ("oracle", "oracle"),
    ("kayenta", "Kayenta"),
    ("kayenta after", "after"),
    ("success", "99 % of each"),
    ("argo", "any check"),
    ("argo after", "after"),
    ("flagger", "5 checks"),
    ("flagger after", "after"),
)
WATCHES: Columns = (
    ("rollback", "rolled back"),
    ("rollback at most", "at most"),
    ("promote", "promoted"),
)


def cells(row: dict[str, Any], columns: Columns) -> list[str]:
    """What stands in each column: shares in per cent, requests as they are, nothing where there is none."""

    def cell(key: str) -> str:
        value = row.get(key)
        if value is None:
            return ""
        return f"{value:.0f}" if key.endswith(("after", "pairs to rollback")) else f"{value:.1%}"

    return [cell(key) for key, _ in columns]


def markdown(rows: Iterable[dict[str, Any]], columns: Columns) -> str:
    """A table for the page."""
    lines = ["| situation | runs | " + " | ".join(heading for _, heading in columns) + " |"]
    lines.append("|---" * (len(columns) + 2) + "|")
    lines += [f"| {row['situation']} | {row['runs']} | " + " | ".join(cells(row, columns)) + " |" for row in rows]
    return "\n".join(lines)


def picture(rows: list[dict[str, Any]], rollouts: list[dict[str, Any]]) -> str:
    """Share of runs that each judge rolls back, a row for each situation, as an SVG."""
    judges = (
        ("rollback", "#0b6", "seatrial"),
        ("kayenta", "#c60", "Kayenta"),
        ("threshold", "#66c", "p95 > 1.2 / errors > 1 %"),
        ("argo", "#c36", "any static check"),
    )
    left, width, height = 310, 420, 22
    total = 70 + height * (len(rows) + len(rollouts))
    begin = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 60} {total}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12"><title>Share of runs rolled back</title>'
        f'<rect width="{left + width + 60}" height="{total}" fill="#fff"/>'
    )
    parts = [begin]
    for x, (_, colour, label) in zip((left - 60, left + 20, left + 100, left + 270), judges, strict=True):
        parts.append(f'<circle cx="{x}" cy="14" r="5" fill="{colour}"/><text x="{x + 9}" y="18">{label}</text>')
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + share * width
        parts.append(f'<line x1="{x}" x2="{x}" y1="30" y2="{total - 16}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{total - 3}" text-anchor="middle" fill="#555">{share:.0%}</text>')
    y = 42
    for number, row in enumerate([*rows, *rollouts]):
        if number == len(rows):
            parts.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end" font-weight="bold">rollouts</text>')
            y += height
        parts.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{row["situation"]}</text>')
        parts += [
            f'<circle cx="{left + row[key] * width:.1f}" cy="{y}" r="5" fill="{colour}" fill-opacity="0.75"/>'
            for key, colour, _ in reversed(judges)
            if row.get(key) is not None
        ]
        y += height
    return "\n".join([*parts, "</svg>\n"])
