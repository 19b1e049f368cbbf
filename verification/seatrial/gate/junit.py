"""Reads JUnit XML, ours and anybody's, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from seatrial.evidence.outcome import Outcome
from seatrial.gate import junit_cases
from seatrial.gate.counts import MISCOUNTING, Counts
from seatrial.gate.evidence import Passes, Problem, Reading, RunFacts, oldest_and_newest, own_values, schema_problem
from seatrial.gate.junit_cases import MAX_NAME, MAX_VALUE, Seen
from seatrial.gate.xml import XmlProblem, parse

_EXPECTED_FAILURE: Final = "pytest.xfail"
_FAILURES: Final = {
    "failure": Outcome.FAIL,
    "error": Outcome.ERROR,
    "rerunFailure": Outcome.FAIL,
    "rerunError": Outcome.ERROR,
}
_FLAKY: Final = frozenset({"flakyFailure", "flakyError"})
"""Attempts that failed before one passed, as Surefire, Gradle, nextest and Playwright write them."""
_ATTEMPTS: Final = frozenset({*_FLAKY, "rerunFailure", "rerunError"})
_TOLD: Final = frozenset({*_FAILURES, *_FLAKY, "skipped"})
_NOT_RUN: Final = frozenset({"notrun", "disabled", "skipped", "suppressed"})
"""Values of `status` and `result` by which GoogleTest and CTest write a test that did not run."""
_RERUNNING: Final = frozenset({"pytest", "pytest tests"})
"""Names of suites of pytest, which writes no name twice but for the attempts of a rerun and errors of a teardown."""


@dataclass(slots=True)
class _Suite:
    parent: int | None
    counts: Counts
    timestamp: str
    file: str
    properties: dict[str, str] = field(default_factory=dict)
    cases: list[Seen] = field(default_factory=list)
    passed: dict[str, str] = field(default_factory=dict)
    """Cases that passed and of which there is nothing else to say: their file by their name."""
    repeated: set[str] = field(default_factory=set)


class _Handler:
    """Collects suites and cases; a suite's properties may come before or after its cases."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.suites: list[_Suite] = []
        self.open: list[_Suite] = []
        self.root: Counts | None = None
        self.timestamp = ""
        """When the outermost element says that it was, which counts where a suite says nothing."""
        self.in_case = False
        self.case: Seen | None = None
        """The open case, where there is something to say of it."""
        self.name = self.file = ""
        self.files: dict[str, str] = {}
        self.child: Mapping[str, str] = {}
        self.problems: dict[str, None] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> bool:
        if name == "testcase":
            self._case(attributes)
        elif name in _TOLD:
            self.child = attributes
            return bool(self.open)
        elif name == "property":
            self._property(attributes.get("name", ""), attributes.get("value"))
        elif name == "testsuite":
            if self.in_case:
                raise XmlProblem("a <testsuite> inside a <testcase>")
            self._suite(attributes)
        elif not self.suites and self.root is None:
            if name != "testsuites":
                raise XmlProblem(f"expected JUnit's <testsuites> or <testsuite>, seen <{name[:60]}>")
            self.root = Counts.of(attributes)
            self.timestamp = attributes.get("timestamp", "")[:MAX_NAME]
        return False

    def _case(self, attributes: Mapping[str, str]) -> None:
        if not self.open:
            if self.root is None:
                raise XmlProblem("expected JUnit's <testsuites> or <testsuite>, seen <testcase>")
            raise XmlProblem("a <testcase> outside any <testsuite>")
        if self.in_case:
            raise XmlProblem("a <testcase> inside another")
        get = attributes.get
        classname, name, file = get("classname", ""), get("name", ""), get("file", "")
        if len(classname) + len(name) + len(file) > MAX_NAME:
            classname, name, file = classname[:MAX_NAME], name[:MAX_NAME], file[:MAX_NAME]
        self.name = f"{classname}::{name}" if classname and name else classname or name
        # One text for a file, however many of its tests name it.
        self.file = self.files.setdefault(file, file) if file else self.open[-1].file
        self.in_case = True
        if get("status") in _NOT_RUN or get("result") in _NOT_RUN:
            self._told().skip("was not run", expected_failure=False)

    def _told(self) -> Seen:
        if self.case is None:
            self.case = Seen(self.name, self.file)
        return self.case

    def _suite(self, attributes: Mapping[str, str]) -> None:
        above = self.open[-1] if self.open else None
        timestamp = attributes.get("timestamp", "")[:MAX_NAME] or (above.timestamp if above else self.timestamp)
        file = attributes.get("file", "")[:MAX_NAME] or (above.file if above else "")
        position = None if above is None else self.suites.index(above)
        suite = _Suite(position, Counts.of(attributes), timestamp, self.files.setdefault(file, file))
        self.suites.append(suite)
        self.open.append(suite)

    def _property(self, name: str, value: str | None) -> None:
        if not name.startswith("seatrial.") or len(name) > MAX_NAME or not self.open:
            return
        kept = value or ""
        if self.in_case:
            self._told().properties[name] = kept[:MAX_VALUE]
        else:
            self.open[-1].properties[name] = kept if name == "seatrial.expected" else kept[:MAX_VALUE]

    def end(self, name: str, text: str) -> None:
        if name == "testcase":
            if self.in_case:
                self._end_case()
        elif name in _TOLD:
            if self.open:
                self._end_told(name, self.child.get("message") or text.strip())
        elif name == "testsuite":
            self._close(self.open.pop().counts)
        elif name == "testsuites" and not self.open and self.root is not None:
            self._check(self.root)

    def _end_case(self) -> None:
        suite, case, self.in_case = self.open[-1], self.case, False
        suite.counts.tests += 1
        if case is not None:
            suite.cases.append(case)
            self.case = None
        elif self.name in suite.passed:
            suite.repeated.add(self.name)
        else:
            suite.passed[self.name] = self.file

    def _end_told(self, name: str, words: str) -> None:
        if not self.in_case:
            # What befell a whole suite, as some tools write it, is not lost.
            outer = Seen(f"{self.open[-1].counts.name} (suite)", self.open[-1].file)
            if name in ("failure", "error"):
                self.open[-1].counts.bad += 1
                outer.worsen(Outcome.ERROR, words)
                self.open[-1].cases.append(outer)
            return
        case = self._told()
        if name in _FLAKY:
            case.flaky, case.message = True, case.message or words[:MAX_VALUE]
        elif name == "skipped":
            case.skip(words, expected_failure=self.child.get("type") == _EXPECTED_FAILURE)
        else:
            case.worsen(_FAILURES[name], words)
        counts = self.open[-1].counts
        counts.bad += name in ("failure", "error")
        counts.attempts += name in _ATTEMPTS

    def _close(self, counts: Counts) -> None:
        self._check(counts)
        above = self.open[-1].counts if self.open else self.root
        if above is not None:
            above.add(counts)

    def _check(self, counts: Counts) -> None:
        outer = "" if self.root is None else self.root.name
        for words in counts.disagreements(lenient=counts.name in MISCOUNTING or outer in MISCOUNTING):
            self.problems.setdefault(words)


def read(chunks: Iterable[bytes], source: str) -> Reading:
    """Everything that the file says; what is wrong with it is a problem in the reading."""
    handler = _Handler(source)
    try:
        parse(chunks, handler)
    except XmlProblem as error:
        return Reading.of_problem(source, str(error), grave=error.hostile)
    found = Reading(problems=tuple(Problem(source=source, message=words) for words in handler.problems))
    if not any(suite.cases or suite.passed or suite.properties for suite in handler.suites):
        return Reading.joined([found, Reading.of_problem(source, "holds no test case")])
    readings = list(_readings(handler, source))
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


def _readings(handler: _Handler, source: str) -> Iterator[Reading]:
    outer = "" if handler.root is None else handler.root.name
    for suite in handler.suites:
        inherited: dict[str, str] = {}
        above: _Suite | None = suite
        while above is not None:
            inherited = {**above.properties, **inherited}
            above = None if above.parent is None else handler.suites[above.parent]
        values, _ = own_values(inherited)
        if values:
            yield _own(suite, values, source)
        elif suite.cases or suite.passed:
            yield _foreign(suite, source, reruns=outer in _RERUNNING or suite.counts.name in _RERUNNING)


def _own(suite: _Suite, values: dict[str, str], source: str) -> Reading:
    problems = [*schema_problem(values.pop("schema", None), source)]
    expected, unreadable = junit_cases.expected_cases(values.pop("expected", None), source)
    run = RunFacts(source=source, values=values, expected=expected)
    plain = [Seen(name, file) for name, file in suite.passed.items()]
    cases, contradictory = junit_cases.own_cases([*suite.cases, *plain], source, run.get("run-id"))
    return Reading(runs=(run,), cases=cases, problems=(*problems, *unreadable, *contradictory))


def _foreign(suite: _Suite, source: str, *, reruns: bool) -> Reading:
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
