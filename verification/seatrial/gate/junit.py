"""Reads JUnit XML, ours and anybody's, as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from seatrial.evidence.outcome import Outcome
from seatrial.gate.evidence import GateCase, Problem, Reading, RunFacts, own_values, planned, schema_problem
from seatrial.gate.xml import XmlProblem, parse

MAX_NAME: Final = 1_000
"""Characters kept of a name."""
MAX_VALUE: Final = 4_000
"""Characters kept of a property's value; the list of expected checks is kept whole."""
_EXPECTED_FAILURE: Final = "pytest.xfail"


@dataclass(slots=True)
class _TestCase:
    name: str
    worst: Outcome = Outcome.PASS
    message: str = ""
    skipped: bool = False
    properties: dict[str, str] | None = None


@dataclass(slots=True)
class _Suite:
    parent: int | None
    timestamp: str
    properties: dict[str, str] = field(default_factory=dict)
    cases: list[_TestCase] = field(default_factory=list)


class _Handler:
    """Collects suites and cases; a suite's properties may come before or after its cases."""

    def __init__(self) -> None:
        self.suites: list[_Suite] = []
        self.open: list[int] = []
        self.case: _TestCase | None = None
        self.seen_root = False
        self.child: Mapping[str, str] = {}

    def start(self, name: str, attributes: Mapping[str, str], line: int) -> bool:
        if not self.seen_root:
            self.seen_root = True
            if name not in ("testsuites", "testsuite"):
                raise XmlProblem(f"expected JUnit's <testsuites> or <testsuite>, seen <{name[:60]}>", line=line)
        if name == "testcase":
            if not self.open:
                raise XmlProblem("a <testcase> outside any <testsuite>", line=line)
            if self.case is not None:
                raise XmlProblem("a <testcase> inside another", line=line)
            parts = (attributes.get("classname", ""), attributes.get("name", ""))
            self.case = _TestCase("::".join(part[:MAX_NAME] for part in parts if part))
        elif name == "property":
            self._property(attributes.get("name", ""), attributes.get("value"))
        elif name in ("failure", "error", "skipped"):
            self.child = attributes
            return self.case is not None
        elif name == "testsuite":
            if self.case is not None:
                raise XmlProblem("a <testsuite> inside a <testcase>", line=line)
            parent = self.open[-1] if self.open else None
            self.suites.append(_Suite(parent, attributes.get("timestamp", "")[:MAX_NAME]))
            self.open.append(len(self.suites) - 1)
        return False

    def _property(self, name: str, value: str | None) -> None:
        if not name.startswith("seatrial.") or len(name) > MAX_NAME or not self.open:
            return
        kept = value or ""
        if self.case is not None:
            if self.case.properties is None:
                self.case.properties = {}
            self.case.properties[name] = kept[:MAX_VALUE]
        else:
            suite = self.suites[self.open[-1]]
            suite.properties[name] = kept if name == "seatrial.expected" else kept[:MAX_VALUE]

    def end(self, name: str, text: str) -> None:
        case = self.case
        if name == "testcase" and case is not None:
            self.suites[self.open[-1]].cases.append(case)
            self.case = None
        elif name == "testsuite" and self.open:
            self.open.pop()
        elif case is not None and name in ("failure", "error"):
            outcome = Outcome.FAIL if name == "failure" else Outcome.ERROR
            if outcome.rank > case.worst.rank:
                case.worst, case.message = outcome, (self.child.get("message") or text.strip())[:MAX_VALUE]
        elif case is not None and name == "skipped":
            case.skipped = True
            kind = "expected to fail: " if self.child.get("type") == _EXPECTED_FAILURE else ""
            case.message = case.message or (kind + (self.child.get("message") or text.strip()))[:MAX_VALUE]


def read(chunks: Iterable[bytes], source: str) -> Reading:
    """Everything that the file says; what is wrong with it is a problem in the reading."""
    handler = _Handler()
    try:
        parse(chunks, handler)
    except XmlProblem as error:
        return Reading.of_problem(source, str(error), grave=error.hostile)
    if not any(suite.cases or suite.properties for suite in handler.suites):
        return Reading.of_problem(source, "holds no test case")
    return Reading.joined(_suite_reading(suite, handler.suites, source) for suite in handler.suites)


def _suite_reading(suite: _Suite, suites: list[_Suite], source: str) -> Reading:
    inherited: dict[str, str] = {}
    above: _Suite | None = suite
    while above is not None:
        inherited = {**above.properties, **inherited}
        above = None if above.parent is None else suites[above.parent]
    values, _ = own_values(inherited)
    if not values:
        return _foreign_suite(suite, source) if suite.cases else Reading()
    problems = [*schema_problem(values.pop("schema", None), source)]
    expected, unreadable = expected_cases(values.pop("expected", None), source)
    run = RunFacts(source=source, values=values, expected=expected)
    cases, contradictory = _own_cases(suite.cases, source, run.get("run-id"))
    return Reading(runs=(run,), cases=cases, problems=(*problems, *unreadable, *contradictory))


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


def _own_cases(cases: list[_TestCase], source: str, run: str) -> tuple[tuple[GateCase, ...], list[Problem]]:
    problems: list[Problem] = []
    told: list[GateCase] = []
    by_name: dict[str, set[GateCase]] = {}
    nameless = []
    for case in cases:
        _, values = own_values(case.properties or {})
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
            told += [known.at_least(Outcome.ERROR, case.message) for known in same]
    return tuple(told), problems


def _judging_nothing(case: _TestCase) -> Outcome | None:
    if case.worst is not Outcome.PASS:
        return Outcome.ERROR
    return None if case.skipped else Outcome.PASS


def _checked(told: GateCase, case: _TestCase) -> GateCase:
    """The property's outcome, unless the elements say that it cannot be so good."""
    if told.outcome is Outcome.PASS and (case.skipped or case.worst is not Outcome.PASS):
        element = case.worst if case.worst is not Outcome.PASS else "skipped"
        return told.at_least(Outcome.ERROR, f"contradictory: the property says pass, the element says {element}")
    if told.outcome is None:
        if case.worst is not Outcome.PASS:
            return told.at_least(Outcome.ERROR, case.message)
        return replace(told, skipped=True, message=told.message or case.message or "it neither ran nor was skipped")
    return told


def _foreign_suite(suite: _Suite, source: str) -> Reading:
    cases = tuple(
        GateCase.of_foreign(
            case.name,
            None if case.skipped and case.worst is Outcome.PASS else case.worst,
            case.message,
            source=source,
        )
        for case in suite.cases
    )
    values = {"finished": suite.timestamp} if suite.timestamp else {}
    return Reading(runs=(RunFacts(source=source, values=values, foreign=True),), cases=cases)
