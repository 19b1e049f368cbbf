"""A case: one check applied to one object on one track, with everything that identifies it in a report."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.evidence.outcome import Role, Severity, Trigger
from seatrial.evidence.properties import case_key


@dataclass(frozen=True, kw_only=True)
class Case:
    """Identity of one planned check. ``track`` is empty where tracks do not apply."""

    check: str
    object: str
    suite: str
    severity: Severity = Severity.MAJOR
    trigger: Trigger | None = None
    track: str = ""
    role: Role = Role.SUBJECT

    @property
    def key(self) -> str:
        """``check[object]@track``, unique in a run and stable between runs."""
        return case_key(self.check, self.object, self.track)

    def properties(self) -> dict[str, str]:
        """The identity under the names of the table of properties."""
        return {
            "seatrial.key": self.key,
            "seatrial.check": self.check,
            "seatrial.object": self.object,
            "seatrial.suite": self.suite,
            "seatrial.severity": self.severity.value,
            "seatrial.trigger": self.trigger.value if self.trigger else "",
            "seatrial.case-track": self.track,
            "seatrial.role": self.role.value,
        }

    def as_json(self) -> dict[str, str]:
        """The identity as it stands in ``evidence.json``."""
        short = {name.removeprefix("seatrial."): value for name, value in self.properties().items()}
        return {("track" if name == "case-track" else name): value for name, value in short.items()}
