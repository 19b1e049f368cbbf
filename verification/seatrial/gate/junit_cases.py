"""What a JUnit report's cases mean: ours by their properties, anybody's by their elements."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from seatrial.evidence.outcome import Outcome
from seatrial.gate.evidence import GateCase, Problem, own_values, planned

MAX_NAME: Final = 1_000
"""Characters kept of a name."""
MAX_VALUE: Final = 4_000
"""Characters kept of a property's value; the list of expected checks is kept whole."""


def full_name(classname: str, name: str) -> str:
    """What a case is called."""
    return f"{classname}::{name}" if classname and name else classname or name


@dataclass(slots=True)
class Seen:
    """One ``<testcase>`` of which there is more to say than that it passed."""

    name: str
    file: str
    worst: Outcome = Outcome.PASS
    message: str = ""
    skipped: bool = False
    expected_failure: bool = False
    flaky: bool = False
    properties: dict[str, str] = field(default_factory=dict)

    def worsen(self, outcome: Outcome, words: str) -> None:
        """Take ``outcome`` over if it ranks higher than what is known."""
        if outcome.rank > self.worst.rank:
            self.worst, self.message = outcome, words[:MAX_VALUE]

    def skip(self, words: str, *, expected_failure: bool) -> None:
        """It did not run, or was expected to fail, and did."""
        self.skipped, self.expected_failure = True, expected_failure
        self.message = self.message or (("expected to fail: " if expected_failure else "") + words)[:MAX_VALUE]

    def foreign(self, source: str) -> GateCase:
        """The case as one of somebody else's."""
        outcome = None if self.skipped and self.worst is Outcome.PASS else self.worst
        return GateCase.of_foreign(
            self.name,
            outcome,
            self.message,
            source=source,
            file=self.file,
            flaky=self.flaky,
            expected_failure=self.expected_failure,
        )


def expected_cases(written: str | None, source: str) -> tuple[tuple[GateCase, ...] | None, tuple[Problem, ...]]:
    """The planned cases out of the property ``seatrial.expected``, and what is wrong with it."""
    if written is None:
        return None, (Problem(source=source, message="does not say which checks were expected"),)
    try:
        keys = json.loads(written)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise ValueError("expected a list of keys")
        return planned(keys, source), ()
    except (ValueError, RecursionError) as error:
        message = f"the list of expected checks is not readable: {error}"
        return None, (Problem(source=source, message=message, grave=True),)


def own_cases(cases: Iterable[Seen], source: str, run: str) -> tuple[tuple[GateCase, ...], list[Problem]]:
    """The cases of a run of ours, and where they contradict themselves."""
    problems: list[Problem] = []
    told: list[GateCase] = []
    by_name: dict[str, set[GateCase]] = {}
    nameless = []
    for case in cases:
        _, values = own_values(case.properties)
        if "key" not in values:
            nameless.append(case)
            continue
        try:
            known = GateCase.of_properties(values, source=source, run=run)
        except ValueError as error:
            problems.append(Problem(source=source, message=str(error), grave=True))
            nameless.append(case)
            continue
        checked = _checked(known, case)
        by_name.setdefault(case.name, set()).add(checked)
        told.append(checked)
        if checked.outcome is not known.outcome and known.outcome is Outcome.PASS:
            problems.append(Problem(source=source, message=f"{known.key}: {checked.message}", grave=True))
    for case in nameless:
        # pytest writes a failure and the error of its teardown as two cases of one name, the first without properties.
        # Anything else without them, such as the test that a worker was running when it died, judges no product.
        same = by_name.get(case.name, set())
        if len({known.key for known in same}) != 1:
            told.append(GateCase.of_foreign(case.name, _judging_nothing(case), case.message, source=source, run=run))
        elif case.worst is not Outcome.PASS:
            last = max(same, key=lambda known: known.attempt)
            told.append(last.at_least(Outcome.ERROR, case.message))
    return tuple(told), problems


def _judging_nothing(case: Seen) -> Outcome | None:
    if case.worst is not Outcome.PASS:
        return Outcome.ERROR
    return None if case.skipped else Outcome.PASS


def _checked(told: GateCase, case: Seen) -> GateCase:
    """The property's outcome, unless the elements say that it cannot be so good."""
    if told.outcome is Outcome.PASS and (case.skipped or case.worst is not Outcome.PASS):
        element = case.worst if case.worst is not Outcome.PASS else "skipped"
        return told.at_least(Outcome.ERROR, f"contradictory: the property says pass, the element says {element}")
    if told.outcome is None:
        if case.worst is not Outcome.PASS:
            return told.at_least(Outcome.ERROR, case.message)
        return replace(told, skipped=True, message=told.message or case.message or "it neither ran nor was skipped")
    return told
