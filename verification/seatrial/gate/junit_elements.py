"""Takes the suites and cases out of the elements of a JUnit report, as the parser comes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from seatrial.evidence.outcome import Outcome
from seatrial.gate.counts import MISCOUNTING, Counts
from seatrial.gate.junit_cases import MAX_NAME, MAX_VALUE, Seen, full_name
from seatrial.gate.junit_plain import PlainCases
from seatrial.gate.xml import XmlProblem

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
NOT_RUN: Final = frozenset({"notrun", "disabled", "skipped", "suppressed"})
"""Values of `status` and `result` by which GoogleTest and CTest write a test that did not run."""


@dataclass(slots=True)
class Suite:
    """One ``<testsuite>``: its own words, and the cases that are directly in it."""

    parent: int | None
    counts: Counts
    timestamp: str
    file: str
    properties: dict[str, str] = field(default_factory=dict)
    cases: list[Seen] = field(default_factory=list)
    passed: dict[str, str] = field(default_factory=dict)
    """Cases that passed and of which there is nothing else to say: their file by their name."""
    repeated: set[str] = field(default_factory=set)


class Elements:
    """Collects suites and cases; a suite's properties may come before or after its cases."""

    def __init__(self, plain: PlainCases | None) -> None:
        self.plain = plain
        """Where the runs of plain cases wait for the parser to come to their place; None where it sees them itself."""
        self.suites: list[Suite] = []
        self.open: list[Suite] = []
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
        """An element begins; True for those whose text is wanted."""
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
        elif self.plain is not None and name == self.plain.mark:
            self._plain_cases(*self.plain.waiting.popleft())
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
        self.name = full_name(classname, name)
        # One text for a file, however many of its tests name it.
        self.file = self.files.setdefault(file, file) if file else self.open[-1].file
        self.in_case = True
        if get("status") in NOT_RUN or get("result") in NOT_RUN:
            self._told().skip("was not run", expected_failure=False)

    def _plain_cases(self, names: list[str], files: list[str]) -> None:
        """The same as an element for each, of which there is nothing to say but that it passed."""
        if not self.open or self.in_case:
            raise XmlProblem("cases where none may be")
        suite = self.open[-1]
        suite.counts.tests += len(names)
        if suite.file:
            files = [file or suite.file for file in files]
        # One text for a file, as above, and no step of Python for a case where no name comes twice.
        files = list(map(self.files.setdefault, files, files))
        fresh = dict(zip(names, files, strict=True))
        if len(fresh) == len(names) and suite.passed.keys().isdisjoint(fresh):
            suite.passed.update(fresh)
            return
        for name, file in zip(names, files, strict=True):
            if name in suite.passed:
                suite.repeated.add(name)
            else:
                suite.passed[name] = file

    def _told(self) -> Seen:
        if self.case is None:
            self.case = Seen(self.name, self.file)
        return self.case

    def _suite(self, attributes: Mapping[str, str]) -> None:
        above = self.open[-1] if self.open else None
        timestamp = attributes.get("timestamp", "")[:MAX_NAME] or (above.timestamp if above else self.timestamp)
        file = attributes.get("file", "")[:MAX_NAME] or (above.file if above else "")
        position = None if above is None else self.suites.index(above)
        suite = Suite(position, Counts.of(attributes), timestamp, self.files.setdefault(file, file))
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
        """An element ends, with its text where that was wanted."""
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
            if self.plain is not None:
                # Cases inside such an element are part of its text as well.
                raise XmlProblem("what befell a whole suite is not read the short way")
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
