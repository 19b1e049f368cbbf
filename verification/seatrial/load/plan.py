"""What the sending processes are told: a JSON file without secrets, written by the parent and read by each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from seatrial.environment.model import Track
from seatrial.load.dialogue import Dialogue
from seatrial.load.schedule import Request


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that is sent, where to, and where the samples go. Times in seconds.

    ``body`` is what every request's body holds beside its messages, or None where the protocol asks without one (GET).
    """

    run_id: str
    service: str
    urls: Mapping[Track, str]
    path: str
    dialogues: Sequence[Dialogue]
    body: Mapping[str, Any] | None
    stream: bool
    expect: str
    """Text that a good answer contains; empty where any 2xx answer is good."""
    timeout: float
    connect_timeout: float
    in_flight: int
    """Requests open at once in one process; one that is due beyond that is left unsent and counted."""
    ca_file: str | None
    samples: str
    requests: Sequence[Request]
    workers: int = 1
    region: str = ""

    def write(self, path: Path) -> None:
        """Write the plan as JSON."""
        path.write_bytes(msgspec.json.encode(self))

    def files(self) -> tuple[Path, ...]:
        """Where each process writes its samples: into the file itself, where there is only one."""
        whole = Path(self.samples)
        if self.workers == 1:
            return (whole,)
        return tuple(whole.with_suffix(f".{index}{whole.suffix}") for index in range(self.workers))

    def share(self, index: int) -> Plan:
        """What the process ``index`` of ``workers`` sends: whole pairs, and all turns of a conversation.

        So that what is compared is sent by one process, whatever else a process may suffer from.
        """
        return replace(
            self,
            samples=str(self.files()[index]),
            requests=[request for request in self.requests if request.session % self.workers == index],
        )


def read_plan(path: Path) -> Plan:
    """The plan in the file at ``path``."""
    return msgspec.json.decode(path.read_bytes(), type=Plan)
