"""Reads ``*.histograms.json``: HdrHistogram's V2 encoding, as data from a stranger, with a bound on everything.

The format is that of HdrHistogram's `encodeIntoCompressedByteBuffer`: a cookie, a length, and a zlib stream of a header
and of counts as ZigZag LEB128, in which a negative number is so many empty counts.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MAX_FILE: Final = 4 * 1024 * 1024
MAX_COUNTS: Final = 512 * 1024
"""Bytes that the counts of one histogram may unpack to."""
MAX_CELLS: Final = 32 * 1024
"""Up to an hour in microseconds takes less than 24,000."""
MAX_HISTOGRAMS: Final = 40
_OUTER: Final = struct.Struct(">ii")
_INNER: Final = struct.Struct(">iiiiqqd")
_COMPRESSED, _PLAIN, _WORD = 0x1C849304, 0x1C849303, 0x10
_DIGITS: Final = 3
_HALF: Final = 1024
"""Half of the cells of a bucket, which is what three digits take."""
_HALF_BITS: Final = 10


class HistogramProblem(ValueError):
    """A file that cannot be drawn; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How long requests took: ``cells`` are pairs of milliseconds and a count, rising in both ways."""

    service: str
    track: str
    metric: str
    cells: tuple[tuple[float, int], ...]

    @property
    def n(self) -> int:
        """Requests."""
        return sum(count for _, count in self.cells)

    def quantile(self, level: float) -> float:
        """Milliseconds that at least the share ``level`` of the requests did not exceed."""
        wanted, below = level * self.n, 0
        for value, count in self.cells:
            below += count
            if below >= wanted:
                return value
        return self.cells[-1][0]


def read(path: Path) -> list[Histogram]:
    """The histograms that a file holds. Raises HistogramProblem."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise HistogramProblem(f"is larger than {MAX_FILE >> 20} MiB")
        document = json.loads(content)
        return list(_histograms(document))
    except OSError as error:
        raise HistogramProblem(f"cannot be read: {error.strerror or error}") from None
    except HistogramProblem:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise HistogramProblem(f"is no file of histograms: {type(error).__name__}") from None


def _histograms(document: Any) -> Iterator[Histogram]:
    if document["unit"] != "us" or document["digits"] != _DIGITS:
        raise HistogramProblem("expected microseconds to three digits")
    entries = [
        (str(track), str(metric), encoded)
        for track, metrics in document["histograms"].items()
        for metric, encoded in metrics.items()
    ]
    if len(entries) > MAX_HISTOGRAMS:
        raise HistogramProblem(f"holds more than {MAX_HISTOGRAMS} histograms")
    for track, metric, encoded in entries:
        cells = tuple(_cells(encoded))
        if cells:
            yield Histogram(service=str(document["service"]), track=track, metric=metric, cells=cells)


def _cells(encoded: str) -> Iterator[tuple[float, int]]:
    """Milliseconds at the upper end of each cell that is not empty, and its count."""
    index = 0
    for number in _numbers(_counts(encoded)):
        if number < 0:
            index -= number
            continue
        if index >= MAX_CELLS:
            raise HistogramProblem("holds more cells than there are latencies")
        if number:
            bucket = max((index >> _HALF_BITS) - 1, 0)
            cell = index if index < 2 * _HALF else (index & (_HALF - 1)) + _HALF
            yield (((cell + 1) << bucket) - 1) / 1000, number
        index += 1


def _counts(encoded: str) -> bytes:
    """The bytes of the counts, unpacked as far as they may be."""
    try:
        packed = base64.b64decode(encoded, validate=True)
        cookie, length = _OUTER.unpack_from(packed)
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed[_OUTER.size : _OUTER.size + length], _INNER.size + MAX_COUNTS)
        inner, size, _, digits, lowest, _, _ = _INNER.unpack_from(content)
    except (binascii.Error, struct.error, zlib.error) as error:
        raise HistogramProblem(f"is not encoded as HdrHistogram does: {error}") from None
    words = {_COMPRESSED | _WORD: cookie, _PLAIN | _WORD: inner, _DIGITS: digits, 1: lowest}
    if any(expected != seen for expected, seen in words.items()) or not unpacker.eof:
        raise HistogramProblem("is another version of HdrHistogram, or was cut off")
    return content[_INNER.size : _INNER.size + max(size, 0)]


def _numbers(content: bytes) -> Iterator[int]:
    position = 0
    while position < len(content):
        value, shift = 0, 0
        while True:
            byte = content[position]
            position += 1
            # The ninth byte holds eight bits.
            value |= (byte if shift == 56 else byte & 0x7F) << shift
            if shift == 56 or not byte & 0x80:
                break
            shift += 7
        yield (value >> 1) ^ -(value & 1)
