"""The file that tells other processes of a run that a load is over; here, since they need nothing else of a load."""

from __future__ import annotations

from pathlib import Path

from seatrial.load.plan import stem


def done_marker(directory: Path, service: str, region: str = "") -> Path:
    """The file that is there once the load of a service, or of its copy in a region, is over, whatever came of it."""
    return directory / f"{stem(service, region)}.done.json"
