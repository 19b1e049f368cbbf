"""The decision as one self-contained page: HTML without script, image or address of anybody else.

What it says of a decision comes from the same evidence as the decision. Distributions, findings and links come from
what lies beside the reports; the gate has not hashed it, and the page says so.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from seatrial.evidence.run import write_atomically
from seatrial.gate.decision import Decision
from seatrial.gate.evidence import Reading
from seatrial.gate.merging import merge
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question
from seatrial.gate.record import NAME as RECORD
from seatrial.report import reader
from seatrial.report.page import folder
from seatrial.report.page.document import render
from seatrial.report.page.material import Material
from seatrial.report.reader import Short

NAME: Final = "decision.html"

__all__ = ["NAME", "Material", "render", "write"]


def write(
    output: Path,
    decision: Decision,
    *,
    places: Sequence[Path],
    reading: Reading,
    policy: Policy,
    question: Question,
    record_sha256: str,
    short: Short = str,
    shadow: bool = False,
) -> None:
    """Write the page beside ``decision.json``, whose hash is ``record_sha256``. Raises OSError.

    ``short`` writes the paths that reports tell.

    A page of an earlier decision goes first: where this one cannot be written there is none, not a wrong one.
    """
    (output / NAME).unlink(missing_ok=True)
    beside = [place.resolve() for place in places] == [output.resolve()]
    material = Material(
        decision=reader.decision_for(decision, short, short(str(output / RECORD))),
        evidence=reader.evidence_for(merge(reading), short),
        contents=folder.look(output, places, decision.files),
        policy=policy,
        question=question,
        elsewhere=() if beside else tuple(os.path.relpath(place.resolve(), output.resolve()) for place in places),
        record_sha256=record_sha256,
        shadow=shadow,
    )
    write_atomically(output / NAME, render(material))
