"""One run of the past, decided anew by another policy at the moment at which it was decided."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from seatrial.gate import calendar_file
from seatrial.gate.decision import decide
from seatrial.gate.evidence import Reading
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question
from seatrial.gate.replay import Recorded

_NO_TIME: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""When a run is decided that tells no time at all; it holds for that, or any time will do."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What was decided then, empty where nothing is recorded, and what would be."""

    name: str
    moment: dt.datetime | None
    then: str
    now: str
    codes: tuple[str, ...]
    """Of the causes that hold or roll back."""
    sentences: tuple[str, ...]
    gone: tuple[str, ...]
    """Codes of the causes that held or rolled back then, and would not."""

    @property
    def same(self) -> bool:
        """Whether the decision is the same; one that is not recorded is none to differ from."""
        return self.then == self.now


def decided_anew(name: str, reading: Reading, recorded: Recorded | None, policy: Policy) -> Past:
    """The run as ``policy`` decides it, asked as it was asked then: approvals and decisions before it included."""
    moment = _end(reading) if recorded is None else recorded.question.now
    asked = Question(now=moment or _NO_TIME) if recorded is None else replace(recorded.question, no_policy="")
    # The calendars as they are now, of the moment of then.
    asked = replace(asked, calendars=calendar_file.looks(policy, asked.now))
    decision = decide(reading, policy, asked)
    telling = decision.of_effect("rollback", "hold")
    codes = tuple(dict.fromkeys(cause.reason.code for cause in telling))
    before = [] if recorded is None else recorded.values["causes"]
    held = dict.fromkeys(str(cause["code"]) for cause in before if cause["effect"] != "note")
    return Past(
        name=name,
        moment=moment,
        then="" if recorded is None else str(recorded.values["decision"]),
        now=decision.verdict.value,
        codes=codes,
        sentences=tuple(cause.sentence for cause in telling),
        gone=tuple(code for code in held if code not in codes),
    )


def _end(reading: Reading) -> dt.datetime | None:
    """When the last of the runs ended, else began."""
    told = [run.get("finished") or run.get("started") for run in reading.runs]
    return max((moment for moment in map(_moment, told) if moment is not None), default=None)


def _moment(text: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
