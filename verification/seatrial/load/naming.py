"""How the files of a measurement are named; here, since other processes of a run need nothing else of a load."""

from __future__ import annotations

from pathlib import Path


def stem(service: str, region: str = "") -> str:
    """How they begin: ``chat``, or ``chat@eu`` where it is the copy in a region."""
    return f"{service}@{region}" if region else service


def done_marker(directory: Path, service: str, region: str = "") -> Path:
    """The file that is there once the load of a service, or of its copy in a region, is over, whatever came of it."""
    return directory / f"{stem(service, region)}.done.json"
