"""What the sending process is told: a JSON file without secrets, written by the parent and read by the worker."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seatrial.environment.model import Track
from seatrial.load.schedule import Request


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that is sent, where to, and where the samples go. Times in seconds.

    ``bodies`` holds one request body for each prompt, or None where the protocol asks without one (GET).
    """

    run_id: str
    service: str
    urls: Mapping[Track, str]
    path: str
    bodies: Sequence[str | None]
    stream: bool
    expect: str
    """Text that a good answer contains; empty where any 2xx answer is good."""
    timeout: float
    connect_timeout: float
    in_flight: int
    """Requests open at once; one that is due beyond that is left unsent and counted."""
    ca_file: str | None
    samples: str
    requests: Sequence[Request]

    def write(self, path: Path) -> None:
        """Write the plan as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_plan(path: Path) -> Plan:
    """The plan in the file at ``path``."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    content["requests"] = [Request(**request) for request in content["requests"]]
    return Plan(**content)
