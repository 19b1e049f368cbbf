"""Reads JUnit XML, ours and anybody's, as a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from seatrial.evidence.outcome import Outcome
from seatrial.evidence.properties import SCHEMA
from seatrial.gate.evidence import GateCase, Problem, Reading, RunFacts
from seatrial.gate.xml import XmlProblem, parse

_EXPECTED_FAILURE = "pytest.xfail"


@dataclass
class _TestCase:
    name: str
    classname: str
    worst: Outcome = Outcome.PASS
    message: str = ""
    skipped: bool = False
    properties: dict[str, str] = field(default_factory=dict)


class _Handler:
    """Collects suites and cases; a suite's properties may come before or after its cases."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.suites: list[tuple[dict[str, str], list[_TestCase]]] = []
        self.open: list[int] = []
        self.case: _TestCase | None = None
        self.seen_root = False
        self.child: Mapping[str, str] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if not self.seen_root:
            self.seen_root = True
            if name not in ("testsuites", "testsuite"):
                raise XmlProblem(f"expected JUnit's <testsuites> or <testsuite>, seen <{name}>", line=1)
        if self.case is not None and name in ("testsuite", "testcase"):
            raise XmlProblem(f"a <{name}> inside the test case {self.case.name!r}", line=1)
        if name == "testsuite":
            self.suites.append(({}, []))
            self.open.append(len(self.suites) - 1)
        elif name == "testcase":
            self.case = _TestCase(name=attributes.get("name", ""), classname=attributes.get("classname", ""))
        elif name == "property":
            values = self.case.properties if self.case is not None else self._suite()[0]
            values[attributes.get("name", "")] = attributes.get("value", "")
        elif self.case is not None and name in ("failure", "error", "skipped"):
            self.child = attributes

    def end(self, name: str, text: str) -> None:
        if name == "testsuite":
            self.open.pop()
        elif name == "testcase" and self.case is not None:
            self._suite()[1].append(self.case)
            self.case = None
        elif self.case is not None and name in ("failure", "error"):
            outcome = Outcome.FAIL if name == "failure" else Outcome.ERROR
            if outcome.rank > self.case.worst.rank or not self.case.message:
                self.case.message = self.child.get("message") or text.strip()
            self.case.worst = max(outcome, self.case.worst, key=lambda ranked: ranked.rank)
        elif self.case is not None and name == "skipped":
            self.case.skipped = True
            kind = "expected to fail: " if self.child.get("type") == _EXPECTED_FAILURE else ""
            self.case.message = self.case.message or kind + (self.child.get("message") or text.strip())

    def _suite(self) -> tuple[dict[str, str], list[_TestCase]]:
        if not self.open:
            raise XmlProblem("a test case outside any <testsuite>", line=1)
        return self.suites[self.open[-1]]


def read(path: Path, source: str) -> Reading:
    """Everything that the file says; what is wrong with it is a problem in the reading. Raises OSError."""
    handler = _Handler(source)
    try:
        parse(path, handler)
    except XmlProblem as error:
        return Reading.of_problem(source, str(error), grave=error.hostile)
    readings = [_suite_reading(values, cases, source) for values, cases in handler.suites]
    joined = Reading.joined(readings)
    if not joined.cases and not joined.runs:
        return Reading.of_problem(source, "holds no test case")
    return joined


def _suite_reading(values: Mapping[str, str], cases: list[_TestCase], source: str) -> Reading:
    ours = {name.removeprefix("seatrial."): value for name, value in values.items() if name.startswith("seatrial.")}
    if not ours:
        return Reading(cases=tuple(_foreign(case, source) for case in cases))
    problems = []
    if ours.get("schema") != SCHEMA:
        message = f"written by another version: expected schema {SCHEMA}, seen {ours.get('schema', 'none')}"
        problems.append(Problem(source=source, message=message, grave=True))
    run = ours.get("run-id", "")
    read_cases = []
    for case in cases:
        if "seatrial.key" not in case.properties:
            foreign = replace(_foreign(case, source), run=run)
            if foreign.outcome is Outcome.FAIL:
                # Such as the test that a worker was running when it died: it says nothing about the product.
                foreign = replace(foreign, outcome=Outcome.ERROR)
            read_cases.append(foreign)
            continue
        try:
            read_cases.append(_own(case, source, run))
        except ValueError as error:
            problems.append(Problem(source=source, message=f"{case.name}: {error}", grave=True))
    expected, unreadable = expected_cases(ours.get("expected"), source)
    runs = (RunFacts(source=source, values={k: v for k, v in ours.items() if k not in ("schema", "expected")}),)
    return Reading(runs=runs, expected=expected, cases=tuple(read_cases), problems=(*problems, *unreadable))


def expected_cases(written: str | None, source: str) -> tuple[tuple[GateCase, ...], tuple[Problem, ...]]:
    """The planned cases out of the property ``seatrial.expected``, and what is wrong with it."""
    if written is None:
        return (), (Problem(source=source, message="does not say which checks were expected"),)
    try:
        keys = json.loads(written)
    except ValueError:
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        return (), (Problem(source=source, message="the list of expected checks is not readable", grave=True),)
    return tuple(GateCase(key=key, check=key.partition("[")[0], object="", suite="", source=source) for key in keys), ()


def _own(case: _TestCase, source: str, run: str) -> GateCase:
    told = GateCase.of_properties(case.properties, source=source, run=run)
    clean = case.worst is Outcome.PASS
    if told.outcome is Outcome.PASS and (case.skipped or not clean):
        # The property may make things worse than the elements say, never better.
        raise ValueError("its elements say that it did not pass, its property says that it did")
    return told if told.outcome is not None or clean else told.at_least(Outcome.ERROR, case.message)


def _foreign(case: _TestCase, source: str) -> GateCase:
    name = "::".join(part for part in (case.classname, case.name) if part) or "(unnamed)"
    looked = None if case.skipped and case.worst is Outcome.PASS else case.worst
    return GateCase(
        key=name,
        check=name,
        object="",
        suite="foreign",
        outcome=looked,
        message="" if looked in (None, Outcome.PASS) else case.message.split("\n", 1)[0],
        skip_reason=case.message if looked is None else "",
        source=source,
        foreign=True,
    )
