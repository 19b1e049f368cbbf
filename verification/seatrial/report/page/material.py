"""Everything that the page is made of, gathered before the first word of it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from seatrial.evidence.outcome import Outcome, Role
from seatrial.gate.decision import Decision
from seatrial.gate.evidence import GateCase
from seatrial.gate.merging import Evidence
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question
from seatrial.report.page.folder import Contents

_ORDER: Final = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, None, Outcome.PASS)


@dataclass(frozen=True, kw_only=True)
class Material:
    """A decision, what it was made from, and what lies beside it."""

    decision: Decision
    evidence: Evidence
    contents: Contents
    policy: Policy
    question: Question
    elsewhere: tuple[str, ...]
    """The reports as the gate was given them, where they are not just the page's own folder."""
    record_sha256: str
    """Of the file ``decision.json``."""
    shadow: bool = False
    """Whether the decision was only tried out."""

    def cases(self) -> list[GateCase]:
        """Every case, planned ones that nobody tells of among them; what did not pass comes first."""
        known = (
            self.evidence.cases.get(key) or case
            for key, case in {**self.evidence.cases, **self.evidence.expected}.items()
        )
        return sorted(known, key=lambda case: (_ORDER.index(case.outcome), not case.applicable, case.key))

    def subjects(self) -> Iterable[GateCase]:
        """Cases of the track under test."""
        return (case for case in self.cases() if case.role is not Role.CONTROL)
