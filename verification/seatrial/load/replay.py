"""Arrivals that were recorded elsewhere: a file of due offsets, CSV or NDJSON, for ``arrival = "replay"``."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

COLUMN: Final = "due"
LARGEST: Final = 1_000_000
"""Offsets in one file."""
SHOWN: Final = 10
"""Bad lines that an error names; the rest are counted."""


class ReplayError(Exception):
    """The file cannot be replayed; the message names every bad line."""


def read_offsets(path: Path) -> tuple[float, ...]:
    """Seconds from the start at which one pair is due each, in order of the file, which is the order of time.

    ``*.csv`` has a column ``due``, or a single column without a header; ``*.ndjson`` or ``*.jsonl`` has a number on
    each line, or an object with ``due``. Raises ReplayError.
    """
    readers = {".csv": _csv, ".ndjson": _ndjson, ".jsonl": _ndjson}
    if path.suffix not in readers:
        raise ReplayError(f"{path}: expected a file named *.csv, *.ndjson or *.jsonl")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ReplayError(f"{path}: expected UTF-8, seen byte 0x{error.object[error.start]:02x}") from None
    offsets: list[float] = []
    bad: list[str] = []
    for number, value in readers[path.suffix](text):
        try:
            offset = float(value)  # type: ignore[arg-type]  # what is no number raises
            if isinstance(value, bool) or not math.isfinite(offset) or offset < 0:
                raise ValueError
        except (TypeError, ValueError):
            bad.append(f"{path}:{number}: expected seconds from the start, 0 or more; seen {value!r}")
            continue
        if offsets and offset < offsets[-1]:
            bad.append(f"{path}:{number}: expected {offsets[-1]:g} or later, since lines are in order; seen {offset:g}")
            continue
        offsets.append(offset)
        if len(offsets) > LARGEST:
            raise ReplayError(f"{path}:{number}: expected at most {LARGEST:,} offsets; split the file")
    if bad:
        more = [f"{path}: and {len(bad) - SHOWN} more bad lines"] if len(bad) > SHOWN else []
        raise ReplayError("\n".join([*bad[:SHOWN], *more]))
    if not offsets:
        raise ReplayError(f"{path}: expected at least one offset, seen none")
    return tuple(offsets)


def _csv(text: str) -> Iterator[tuple[int, object]]:
    reader = csv.reader(text.splitlines())
    at: int | None = None
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if at is None:
            header = [cell.strip() for cell in row]
            at = header.index(COLUMN) if COLUMN in header else 0
            if COLUMN in header:
                continue
            if len(header) > 1:
                yield reader.line_num, f"{','.join(header)}, which is no header with a column `{COLUMN}`"
                return
        yield reader.line_num, row[at] if at < len(row) else None


def _ndjson(text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        offset = value.get(COLUMN) if isinstance(value, dict) else value
        yield number, offset if isinstance(offset, int | float) else line


def peak_rate(offsets: tuple[float, ...]) -> float:
    """Most arrivals in any one second: what a limit on the rate must bear."""
    most = first = 0
    for last, offset in enumerate(offsets):
        while offsets[first] <= offset - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return float(most)
