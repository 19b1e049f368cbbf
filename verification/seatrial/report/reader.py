"""A decision as it is shown where it was made: paths and commands are good from there, and name no machine.

The record itself is a function of the reports alone, so it keeps what they say.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace

from seatrial.gate.decision import Decision
from seatrial.gate.evidence import GateCase
from seatrial.gate.merging import Evidence
from seatrial.gate.record import NAME as RECORD

Short = Callable[[str], str]


def command_for(command: str, record: str) -> str:
    """The command with the path of the record in the place of its name, so that it can be pasted."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    if record == RECORD or RECORD not in words:
        return command
    return shlex.join(record if word == RECORD else word for word in words)


def decision_for(decision: Decision, short: Short, record: str) -> Decision:
    """The decision with its paths as ``short`` writes them, and the record where it lies."""
    causes = [
        replace(cause, sentence=short(cause.sentence), cases=tuple(_case(case, short) for case in cause.cases))
        for cause in decision.causes
    ]
    return replace(
        decision,
        causes=tuple(causes),
        missing=tuple(_case(case, short) for case in decision.missing),
        next=tuple(command_for(command, record) for command in decision.next),
    )


def evidence_for(evidence: Evidence, short: Short) -> Evidence:
    """The same of the evidence behind it."""
    return replace(
        evidence,
        cases=_cases(evidence.cases, short),
        expected=_cases(evidence.expected, short),
        problems=tuple(replace(p, source=short(p.source), message=short(p.message)) for p in evidence.problems),
    )


def _cases(cases: Mapping[str, GateCase], short: Short) -> dict[str, GateCase]:
    return {key: _case(case, short) for key, case in cases.items()}


def _case(case: GateCase, short: Short) -> GateCase:
    message, remedy = short(case.message), short(case.remedy)
    same = message == case.message and remedy == case.remedy
    return case if same else replace(case, message=message, remedy=remedy)
