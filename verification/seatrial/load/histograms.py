"""HDR histograms of a measurement: every latency to three digits, in the formats that other tools read.

``<service>.<track>.<metric>.hgrm`` is the table of percentiles that HdrHistogram's plotter takes, in milliseconds;
``<service>.histograms.json`` holds the histograms themselves, encoded as HdrHistogram's V2 format in base 64, in
microseconds, so that runs can be added up. Failed requests count as the timeout at least.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from seatrial.environment.model import Track
from seatrial.load.samples import Floats, Samples

LOWEST: Final = 1
HIGHEST: Final = 3_600_000_000
"""Microseconds: up to an hour."""
DIGITS: Final = 3


def write_histograms(samples: Mapping[Track, Samples], directory: Path, *, service: str, timeout: float) -> None:
    """Write the histograms of what counts of each track into ``directory``; latencies are taken in seconds."""
    from hdrh.histogram import HdrHistogram

    encoded: dict[str, dict[str, str]] = {}
    for track, of_track in samples.items():
        for metric, seconds in _metrics(of_track, timeout):
            histogram = HdrHistogram(LOWEST, HIGHEST, DIGITS)
            for value in np.clip(seconds * 1e6, LOWEST, HIGHEST).astype(np.int64).tolist():
                histogram.record_value(value)
            text = io.BytesIO()
            histogram.output_percentile_distribution(text, 1000)
            (directory / f"{service}.{track}.{metric}.hgrm").write_bytes(text.getvalue())
            encoded.setdefault(track, {})[metric] = histogram.encode().decode()
    document = {"service": service, "unit": "us", "digits": DIGITS, "histograms": encoded}
    (directory / f"{service}.histograms.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _metrics(samples: Samples, timeout: float) -> Iterator[tuple[str, Floats]]:
    if len(samples):
        yield "latency", samples.latencies(timeout)
    if samples.pieces.any():
        yield "first-token", samples.first_tokens(timeout)
        gaps = samples.gap[~np.isnan(samples.gap)]
        if len(gaps):
            yield "longest-gap", gaps
