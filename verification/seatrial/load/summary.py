"""What a measurement came to, in a small file beside its samples: ``<service>.summary.json``.

It says what was sent to whom (the fingerprint), whether it was sound, and for each track counts, quantiles and classes,
so that later comparisons need not read every request again. Times are in whole microseconds.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from seatrial.environment.model import Service
from seatrial.evidence.run import write_atomically
from seatrial.load.fingerprint import Fingerprint
from seatrial.load.measurement import Measurement
from seatrial.load.naming import stem
from seatrial.load.samples import Samples

SCHEMA: Final = 1
LEVELS: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
BEYOND: Final = 10
"""Requests that must lie beyond a quantile for it to be told."""


def summary_path(directory: Path, service: str, region: str = "") -> Path:
    """Where the summary of a service lies, or of its copy in a region."""
    return directory / f"{stem(service, region)}.summary.json"


def microseconds(seconds: float) -> int:
    """Whole microseconds."""
    return round(seconds * 1e6)


def quantiles(latencies: Any) -> dict[str, int]:
    """Those quantiles, in microseconds, that enough requests lie beyond."""
    told = {name: level for name, level in LEVELS.items() if len(latencies) * (1 - level) >= BEYOND - 1e-9}
    return {name: microseconds(float(np.quantile(latencies, level))) for name, level in told.items()}


def write_summary(measurement: Measurement, service: Service, *, run_id: str, environment: str, profile: str) -> Path:
    """Write it, and return its path. ``profile`` is the profile's name. Raises OSError."""
    soundness = measurement.soundness
    tracks = [track for track in (measurement.subject, measurement.control) if track is not None]
    content = {
        "schema": SCHEMA,
        "run": run_id,
        "environment": environment,
        "service": measurement.service,
        "region": measurement.region,
        "profile": profile,
        "fingerprint": Fingerprint.of(service, measurement.profile, region=measurement.region).as_json(),
        "subject": measurement.subject,
        "control": measurement.control or "",
        "planned": measurement.profile.requests(1) - measurement.profile.warming,
        "sound": soundness.sound,
        "problems": list(soundness.problems),
        "samples": file_sha256(measurement.path),
        "tracks": {track: _told(measurement.of(track), measurement.profile.timeout) for track in tracks},
    }
    path = summary_path(measurement.path.parent, measurement.service, measurement.region)
    write_atomically(path, json.dumps(content, indent=1, sort_keys=True) + "\n")
    return path


def file_sha256(path: Path) -> str:
    """Over the bytes of the file. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _told(samples: Samples, timeout: float) -> dict[str, Any]:
    classes = {str(name): samples.where(samples.prompt_class == name) for name in np.unique(samples.prompt_class)}
    return {
        **_counts(samples, timeout),
        "classes": {name: _counts(part, timeout) for name, part in classes.items()} if len(classes) > 1 else {},
    }


def _counts(samples: Samples, timeout: float) -> dict[str, Any]:
    errors = samples.errors()
    told: dict[str, Any] = {
        "requests": len(samples),
        "failed": sum(errors.values()),
        "errors": dict(errors),
        "bytes": int(samples.bytes.sum()),
        "latency": quantiles(samples.latencies(timeout)),
    }
    if samples.pieces.any():
        paces = samples.seconds_per_token(timeout)
        told["pieces"] = int(samples.pieces.sum())
        told["first_token"] = quantiles(samples.first_tokens(timeout))
        told["time_per_piece"] = quantiles(paces[~np.isnan(paces)])
    return told
