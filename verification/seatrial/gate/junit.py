"""Reads JUnit XML, ours and anybody's, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from seatrial.gate import junit_cases
from seatrial.gate.evidence import Passes, Problem, Reading, RunFacts, oldest_and_newest, own_values, schema_problem
from seatrial.gate.junit_cases import Seen
from seatrial.gate.junit_elements import NOT_RUN, Elements, Suite
from seatrial.gate.junit_plain import PlainCases
from seatrial.gate.xml import XmlProblem, parse

_RERUNNING: Final = frozenset({"pytest", "pytest tests"})
"""Names of suites of pytest, which writes no name twice but for the attempts of a rerun and errors of a teardown."""


def read_quickly(chunks: Iterable[bytes], source: str) -> Reading | None:
    """What :func:`read` says of the same bytes, in a third of the time where most cases are plain passes.

    None where anything is wrong with the file or unusual in it: :func:`read` is to say what.
    """
    plain = PlainCases(not_run=NOT_RUN)
    elements = Elements(plain)
    try:
        parse(plain.replaced(chunks), elements)
    except XmlProblem:
        return None
    return None if plain.waiting else _reading(elements, source)


def read(chunks: Iterable[bytes], source: str) -> Reading:
    """Everything that the file says; what is wrong with it is a problem in the reading."""
    elements = Elements(None)
    try:
        parse(chunks, elements)
    except XmlProblem as error:
        return Reading.of_problem(source, str(error), grave=error.hostile)
    return _reading(elements, source)


def _reading(elements: Elements, source: str) -> Reading:
    found = Reading(problems=tuple(Problem(source=source, message=words) for words in elements.problems))
    if not any(suite.cases or suite.passed or suite.properties for suite in elements.suites):
        return Reading.joined([found, Reading.of_problem(source, "holds no test case")])
    readings = list(_readings(elements, source))
    foreign = [run for reading in readings for run in reading.runs if run.foreign]
    passed: dict[str, str] = {}
    for reading in readings:
        for passes in reading.passes:
            passed.update(passes.tests)
    joined = Reading.joined([found, *readings])
    return replace(
        joined,
        runs=(*(run for run in joined.runs if not run.foreign), *oldest_and_newest(foreign)),
        passes=(Passes(report=source, tests=passed),) if passed else (),
    )


def _readings(elements: Elements, source: str) -> Iterator[Reading]:
    outer = "" if elements.root is None else elements.root.name
    for suite in elements.suites:
        inherited: dict[str, str] = {}
        above: Suite | None = suite
        while above is not None:
            inherited = {**above.properties, **inherited}
            above = None if above.parent is None else elements.suites[above.parent]
        values, _ = own_values(inherited)
        if values:
            yield _own(suite, values, source)
        elif suite.cases or suite.passed:
            yield _foreign(suite, source, reruns=outer in _RERUNNING or suite.counts.name in _RERUNNING)


def _own(suite: Suite, values: dict[str, str], source: str) -> Reading:
    problems = [*schema_problem(values.pop("schema", None), source)]
    expected, unreadable = junit_cases.expected_cases(values.pop("expected", None), source)
    run = RunFacts(source=source, values=values, expected=expected)
    plain = [Seen(name, file) for name, file in suite.passed.items()]
    cases, contradictory = junit_cases.own_cases([*suite.cases, *plain], source, run.get("run-id"))
    return Reading(runs=(run,), cases=cases, problems=(*problems, *unreadable, *contradictory))


def _foreign(suite: Suite, source: str, *, reruns: bool) -> Reading:
    values = {"finished": suite.timestamp} if suite.timestamp else {}
    cases = [case.foreign(source) for case in suite.cases]
    passed = suite.passed
    if reruns and suite.repeated:
        # The attempts of pytest-rerunfailures that did not pass look like passes, but for the last.
        flaky = [Seen(name, passed.pop(name), flaky=True, message="passed when run again") for name in suite.repeated]
        cases += [case.foreign(source) for case in sorted(flaky, key=lambda case: case.name)]
    return Reading(
        runs=(RunFacts(source=source, values=values, foreign=True),),
        cases=tuple(cases),
        passes=(Passes(report=source, tests=passed),) if passed else (),
    )
