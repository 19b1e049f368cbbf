"""Raw samples: one NDJSON line for each request, between a header and a footer, read into columns.

Times are seconds after the start of the run on one monotonic clock. A request that was due and could not be sent has
no ``sent``; one that failed has ``error`` set to a class: ``timeout``, ``refused``, ``dns``, ``tls``,
``disconnected``, ``truncated``, ``malformed``, ``stream-error``, ``http-503``, ``os-ENETUNREACH``, ``unsent``.

The header names run, service, path and region, which are the same for all. Where several processes send, each writes a
file of its own, and `merge_samples` makes one of them.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from seatrial.environment.model import Track

SCHEMA: Final = 3
"""Version of the file format; a reader refuses others."""

Floats = NDArray[np.float64]


class SamplesError(Exception):
    """The file cannot be relied on: missing, truncated, foreign or corrupt; the message says which and where."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One request as it went: ``first`` is the first byte of the answer, or the first event of a stream with words.

    ``pieces`` are the events of a stream with words, ``last`` the last of them, ``gap`` the longest time between two.
    ``session`` and ``turn`` say which part of which conversation it was.
    """

    kind: Literal["sample"] = "sample"
    track: Track
    pair: int
    warm_up: bool
    prompt: int
    due: float
    prompt_class: str = ""
    session: int = 0
    turn: int = 0
    sent: float | None = None
    first: float | None = None
    last: float | None = None
    end: float | None = None
    status: int = 0
    bytes: int = 0
    error: str = ""
    gap: float | None = None
    pieces: int = 0


@dataclass(frozen=True, kw_only=True)
class Footer:
    """What the sending process says of itself at its end. ``wall`` and ``cpu`` are its seconds while sending.

    ``scheduled`` are the requests that were due until the end, which comes early where it was ``stopped``. The
    ``overhead`` are seconds that a request to a server takes that answers at once, measured before.
    """

    scheduled: int
    written: int
    unsent: int
    wall: float
    cpu: float
    stopped: bool = False
    overhead_p50: float = 0.0
    overhead_p99: float = 0.0


class SampleWriter:
    """Writes a file of samples, buffered; what is missing the footer was cut short."""

    def __init__(self, stream: IO[str], *, run_id: str, service: str, path: str = "", region: str = "") -> None:
        self._stream = stream
        self._encoder = msgspec.json.Encoder()
        self.written = 0
        self.unsent = 0
        self._line(
            {"kind": "header", "schema": SCHEMA, "run": run_id, "service": service, "path": path, "region": region}
        )

    def _line(self, content: object) -> None:
        self._stream.write(self._encoder.encode(content).decode() + "\n")

    def add(self, sample: Sample) -> None:
        """Append one sample."""
        self.written += 1
        self.unsent += sample.sent is None
        self._line(sample)

    def flush(self) -> None:
        """Let readers see what was added so far."""
        self._stream.flush()

    def finish(
        self,
        *,
        scheduled: int,
        wall: float,
        cpu: float,
        stopped: bool = False,
        overhead_p50: float = 0.0,
        overhead_p99: float = 0.0,
    ) -> None:
        """Append the footer and flush."""
        footer = Footer(
            scheduled=scheduled,
            written=self.written,
            unsent=self.unsent,
            wall=wall,
            cpu=cpu,
            stopped=stopped,
            overhead_p50=overhead_p50,
            overhead_p99=overhead_p99,
        )
        self._line({"kind": "footer", **vars(footer)})
        self._stream.flush()


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Columns over requests in order of their due times; NaN where a time does not exist."""

    track: NDArray[np.str_]
    pair: NDArray[np.int64]
    warm_up: NDArray[np.bool_]
    due: Floats
    sent: Floats
    first: Floats
    end: Floats
    status: NDArray[np.int64]
    bytes: NDArray[np.int64]
    error: NDArray[np.str_]
    gap: Floats
    pieces: NDArray[np.int64]
    last: Floats
    prompt_class: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.due)

    def where(self, mask: NDArray[np.bool_]) -> Samples:
        """The samples that ``mask`` selects."""
        return Samples(**{name: getattr(self, name)[mask] for name in self.__dataclass_fields__})

    def of(self, track: Track) -> Samples:
        """The samples of one track."""
        return self.where(self.track == track)

    def measured(self) -> Samples:
        """What counts: sent, and not warm-up."""
        return self.where(~self.warm_up & ~np.isnan(self.sent))

    def latencies(self, timeout: float) -> Floats:
        """Seconds from due to end; of a failed request at least ``timeout``, however quickly it failed."""
        taken = self.end - self.due
        return np.where(self.error == "", taken, np.fmax(taken, timeout))

    def first_tokens(self, timeout: float) -> Floats:
        """Seconds from due to the first event of a stream; of a failed request at least ``timeout``."""
        taken = np.where(np.isnan(self.first), timeout, self.first - self.due)
        return np.where(self.error == "", taken, np.fmax(taken, timeout))

    def longest_gaps(self, timeout: float) -> Floats:
        """Seconds of the longest silence within a stream; 0 where there is one piece, ``timeout`` where it failed."""
        return np.where(self.error == "", np.nan_to_num(self.gap), np.fmax(self.gap, timeout))

    def seconds_per_token(self, timeout: float) -> Floats:
        """Mean seconds from one piece of a stream to the next, the inverse of tokens per second.

        A piece stands for a token, which it is for most services. ``timeout`` where the request failed; NaN of a stream
        with a single piece.
        """
        taken = (self.last - self.first) / np.where(self.pieces > 1, self.pieces - 1, np.nan)
        return np.where(self.error == "", taken, timeout)

    def errors(self) -> Mapping[str, int]:
        """Failures by class, the most frequent first."""
        return dict(Counter(str(error) for error in self.error if error).most_common())


@dataclass(frozen=True, kw_only=True)
class SampleFile:
    """Everything that a file of samples held."""

    samples: Samples
    footer: Footer


def _columns(rows: list[dict[str, Any]]) -> Samples:
    rows = sorted(rows, key=lambda row: row["due"])

    def times(name: str) -> Floats:
        return np.array([math.nan if row[name] is None else row[name] for row in rows], dtype=np.float64)

    return Samples(
        track=np.array([row["track"] for row in rows], dtype=np.str_),
        pair=np.array([row["pair"] for row in rows], dtype=np.int64),
        warm_up=np.array([row["warm_up"] for row in rows], dtype=np.bool_),
        due=times("due"),
        sent=times("sent"),
        first=times("first"),
        end=times("end"),
        status=np.array([row["status"] for row in rows], dtype=np.int64),
        bytes=np.array([row["bytes"] for row in rows], dtype=np.int64),
        error=np.array([row["error"] for row in rows], dtype=np.str_),
        gap=times("gap"),
        pieces=np.array([row["pieces"] for row in rows], dtype=np.int64),
        last=times("last"),
        prompt_class=np.array([row["prompt_class"] for row in rows], dtype=np.str_),
    )


def read_samples(path: Path, *, run_id: str, service: str) -> SampleFile:
    """The samples at ``path``. Raises SamplesError where the file is not the whole of this run's for this service."""
    header: dict[str, Any] | None = None
    footer: Footer | None = None
    rows: list[dict[str, Any]] = []
    number = 0
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                record = json.loads(line)
                kind = record.pop("kind")
                if footer is not None:
                    raise SamplesError(f"{path}:{number}: expected nothing after the footer")
                if kind == "header":
                    header = record
                elif kind == "sample":
                    rows.append(record)
                elif kind == "footer":
                    footer = Footer(**record)
        if header is None or header["schema"] != SCHEMA:
            raise SamplesError(f"{path}: expected a header of schema {SCHEMA}; seen {header}")
        if (header["run"], header["service"]) != (run_id, service):
            raise SamplesError(
                f"{path}: expected run {run_id!r} of {service!r}; seen {header['run']!r} of {header['service']!r}"
            )
        if footer is None:
            raise SamplesError(f"{path}: truncated after {len(rows)} samples: there is no footer")
        if footer.written != len(rows):
            raise SamplesError(f"{path}: the footer counts {footer.written} samples; seen {len(rows)}")
        return SampleFile(samples=_columns(rows), footer=footer)
    except OSError as error:
        raise SamplesError(f"{path}: cannot be read: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SamplesError(f"{path}:{number}: corrupt: {error!r}") from error


def merge_samples(parts: Sequence[Path], path: Path) -> None:
    """Make one file of the ``parts`` of several processes at ``path``, in order of due times, and remove the parts.

    Its footer counts all; of use of the processor and of overhead it names the worst process. Raises SamplesError where
    a part is not whole.
    """
    header, rows, footers = b"", [], []
    for part in parts:
        try:
            first, *lines, last = part.read_bytes().splitlines()
            footer = msgspec.json.decode(last)
            if footer.pop("kind") != "footer" or footer["written"] != len(lines):
                raise SamplesError(f"{part}: truncated after {len(lines)} samples")
            rows += [(float(msgspec.json.decode(line)["due"]), line) for line in lines]
            footers.append(Footer(**footer))
            header = first
        except OSError as error:
            raise SamplesError(f"{part}: cannot be read: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError, msgspec.DecodeError) as error:
            raise SamplesError(f"{part}: corrupt: {error!r}") from error
    wall = max(footer.wall for footer in footers)
    whole = Footer(
        scheduled=sum(footer.scheduled for footer in footers),
        written=sum(footer.written for footer in footers),
        unsent=sum(footer.unsent for footer in footers),
        wall=wall,
        cpu=wall * max(footer.cpu / footer.wall if footer.wall > 0 else 0.0 for footer in footers),
        stopped=any(footer.stopped for footer in footers),
        overhead_p50=max(footer.overhead_p50 for footer in footers),
        overhead_p99=max(footer.overhead_p99 for footer in footers),
    )
    end = msgspec.json.encode({"kind": "footer", **vars(whole)})
    path.write_bytes(b"\n".join([header, *(line for _, line in sorted(rows)), end]) + b"\n")
    for part in parts:
        part.unlink()
