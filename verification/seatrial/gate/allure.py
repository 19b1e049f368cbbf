"""Reads Allure result files, ours and anybody's. Of others' tests the attempts of one folder are put in their order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from seatrial.evidence.outcome import Outcome
from seatrial.gate import allure_containers
from seatrial.gate.allure_containers import BrokenFixture, Containers, place
from seatrial.gate.evidence import (
    GateCase,
    Passes,
    Problem,
    Reading,
    RunFacts,
    oldest_and_newest,
    own_values,
    schema_problem,
)
from seatrial.gate.results import as_object, kind_of

_STATUS: Final = {"passed": Outcome.PASS, "failed": Outcome.FAIL, "broken": Outcome.ERROR, "skipped": None}
_UNEXPECTED: Final = "XPASS"
"""How allure-pytest begins the message of a test that passed though it was marked as expected to fail."""
_EXPECTED: Final = "XFAIL"
"""The same of one that failed as it was expected to."""
MAX_NAME: Final = 1_000


class _Result(msgspec.Struct):
    """What a decision needs of a result; steps, attachments and parameters are passed over as they are parsed."""

    uuid: Any = None
    name: Any = None
    fullName: Any = None  # noqa: N815 - Allure's own names
    historyId: Any = None  # noqa: N815
    status: Any = None
    statusDetails: Any = None  # noqa: N815
    labels: Any = None
    start: Any = None
    stop: Any = None


class _Unlabelled(_Result):
    """A result none of whose labels can be ours: they are passed over as well."""

    labels: msgspec.Raw = msgspec.Raw(b"[]")


class _Attempt(msgspec.Struct, frozen=True, gc=False):
    """One foreign result."""

    start: int
    outcome: Outcome | None
    name: str
    message: str
    flaky: bool
    source: str
    place: str
    """By which containers name it."""


_decode = msgspec.json.Decoder(_Result).decode
_decode_unlabelled = msgspec.json.Decoder(_Unlabelled).decode


class Results:
    """The result files of one place, one after the other."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self._attempts: dict[tuple[str, str], list[_Attempt]] = {}
        """By folder and history, which names the test and its parameters."""
        self._ends: dict[str, list[tuple[int, str]]] = {}
        """Of each folder its first and last end, each with the file that tells it."""
        self._timeless: dict[str, str] = {}
        self._own: dict[str, GateCase] = {}
        """Cases of ours by what containers name them by."""
        self._containers = Containers()

    def add_container(self, content: bytes, source: str) -> None:
        """Take one ``*-container.json``; what is wrong with it becomes a problem."""
        try:
            self._containers.add(content, source)
        except ValueError as error:
            self.readings.append(Reading.of_problem(source, str(error)))

    def add(self, content: bytes, source: str) -> None:
        """Take one ``*-result.json``; what is wrong with it becomes a problem."""
        try:
            self._add(_parsed(content), source)
        except ValueError as error:
            self.readings.append(Reading.of_problem(source, str(error)))

    def reading(self) -> Reading:
        """Everything that was added."""
        passes: dict[str, dict[str, str]] = {}
        cases = self._fixtures_that_broke()
        for (folder, _), attempts in self._attempts.items():
            case = _settled(attempts)
            if isinstance(case, GateCase):
                cases.append(case)
            else:
                passes.setdefault(folder, {})[case] = ""
        foreign = Reading(
            runs=tuple(self._runs()),
            cases=tuple(cases),
            passes=tuple(Passes(report=folder, tests=tests) for folder, tests in passes.items()),
        )
        return Reading.joined([*self.readings, foreign])

    def _add(self, result: _Result, source: str) -> None:
        labels: dict[str, str] = {}
        if result.labels:
            if not isinstance(result.labels, list):
                raise ValueError(f"labels: expected a list, seen {kind_of(result.labels)}")
            for label in result.labels:
                if isinstance(label, dict):
                    labels[str(label.get("name", ""))] = str(label.get("value", ""))
        status = result.status
        outcome = _STATUS.get(status, Outcome.ERROR) if isinstance(status, str) else Outcome.ERROR
        details = result.statusDetails if isinstance(result.statusDetails, dict) else {}
        message = str(details.get("message") or "")
        name = str(result.fullName or result.name or "")[:MAX_NAME]
        run_values, case_values = own_values(labels) if labels else ({}, {})
        if run_values or case_values:
            told = _own(run_values, case_values, name, outcome, message, str(status), source)
            self.readings.append(told)
            if told.cases and isinstance(result.uuid, str):
                self._own[place(source, result.uuid)] = told.cases[0]
        else:
            self._foreign(result, name, outcome, message, details.get("flaky") is True, source)

    def _foreign(
        self, result: _Result, name: str, outcome: Outcome | None, message: str, flaky: bool, source: str
    ) -> None:
        folder = source.rpartition("/")[0] + "/"
        start = result.start if type(result.start) is int else -1
        # Without a history, each result is a test of its own: the worst of one name counts.
        history = result.historyId if isinstance(result.historyId, str) and result.historyId else f" {source}"
        known = place(source, result.uuid) if isinstance(result.uuid, str) else ""
        attempt = _Attempt(start, outcome, name, message, flaky, source, known)
        self._attempts.setdefault((folder, history), []).append(attempt)
        if type(result.stop) is not int:
            self._timeless.setdefault(folder, source)
            return
        end = (result.stop, source)
        ends = self._ends.setdefault(folder, [end, end])
        if end < ends[0]:
            ends[0] = end
        elif end > ends[1]:
            ends[1] = end

    def _fixtures_that_broke(self) -> list[GateCase]:
        """Errors where a container tells that a fixture failed; attempts of others' tests become errors themselves."""
        broken, rest = self._containers.broken()
        foreign: set[str] = set()
        for attempts in self._attempts.values() if broken else ():
            for position, attempt in enumerate(attempts):
                if (fixture := broken.get(attempt.place)) is not None:
                    foreign.add(attempt.place)
                    attempts[position] = _broken(attempt, fixture)
        rest += [fixture for known, fixture in broken.items() if known not in self._own and known not in foreign]
        return [*allure_containers.errors_of_ours(self._own, broken), *allure_containers.errors_of_the_run(rest)]

    def _runs(self) -> Iterator[RunFacts]:
        facts = [
            RunFacts(source=source, values={"finished": moment} if moment else {}, foreign=True)
            for ends in self._ends.values()
            for stop, source in dict.fromkeys(ends)
            for moment in [_moment(stop)]
        ]
        facts += [RunFacts(source=source, values={}, foreign=True) for source in self._timeless.values()]
        yield from oldest_and_newest(facts)


def _broken(attempt: _Attempt, fixture: BrokenFixture) -> _Attempt:
    """A foreign result whose fixture failed."""
    if attempt.outcome in (Outcome.FAIL, Outcome.ERROR) or (
        attempt.outcome is None and attempt.message.startswith(_EXPECTED)
    ):
        return attempt
    return msgspec.structs.replace(attempt, outcome=Outcome.ERROR, message=fixture.message)


def _parsed(content: bytes) -> _Result:
    """Raises ValueError in words."""
    try:
        # The name of a label of ours is written so, or with an escape; nearly all results are others'.
        if b"seatrial." not in content and b"\\" not in content and content.isascii():
            result: _Result = _decode_unlabelled(content)
            if bytes(result.labels).startswith(b"["):
                result.labels = None
                return result
        return _decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError, MemoryError) as error:
        # Read again, slowly, for words with a line.
        as_object(content)
        raise ValueError(f"line 1: not whole JSON: {error}") from None


def _settled(attempts: Sequence[_Attempt]) -> GateCase | str:
    """The test that the attempts were at; only its name where it passed at once.

    The last attempt counts, as Allure shows it. Where their times do not say which is the last, the worst does.
    """
    last = attempts[0]
    if len(attempts) == 1 and last.outcome is Outcome.PASS and not last.flaky and not last.message:
        return last.name
    if len(attempts) > 1:
        last = max(attempts, key=lambda attempt: attempt.start)
        if last.start < 0 or sum(attempt.start == last.start for attempt in attempts) > 1:
            last = max(attempts, key=lambda attempt: -1 if attempt.outcome is None else attempt.outcome.rank)
    failed = [a.message for a in attempts if a.outcome in (Outcome.FAIL, Outcome.ERROR)]
    flaky = last.outcome is Outcome.PASS and (bool(failed) or any(attempt.flaky for attempt in attempts))
    unexpected = last.outcome is Outcome.PASS and last.message.startswith(_UNEXPECTED)
    if last.outcome is Outcome.PASS and not flaky and not unexpected:
        return last.name
    return GateCase.of_foreign(
        last.name,
        last.outcome,
        next(filter(None, failed), last.message) if flaky else last.message,
        source=last.source,
        flaky=flaky,
        expected_failure=unexpected or (last.outcome is None and last.message.startswith(_EXPECTED)),
    )


def _own(
    run_values: dict[str, str],
    case_values: dict[str, str],
    name: str,
    outcome: Outcome | None,
    message: str,
    status: str,
    source: str,
) -> Reading:
    run = run_values.get("run-id", "")
    problems = schema_problem(run_values.pop("schema", None), source)
    # A label written while the run went on cannot know its end.
    run_values.pop("finished", None)
    runs = (RunFacts(source=source, values=run_values),)
    if "key" not in case_values:
        # In a run of ours, a result without our key says nothing about the product.
        unknown = Outcome.ERROR if outcome is Outcome.FAIL else outcome
        case = GateCase.of_foreign(name, unknown, message, source=source, run=run)
        return Reading(runs=runs, cases=(case,), problems=problems)
    try:
        told = GateCase.of_properties(case_values, source=source, run=run)
    except ValueError as error:
        return Reading(runs=runs, problems=(*problems, Problem(source=source, message=str(error), grave=True)))
    if told.outcome is None:
        return Reading(runs=runs, cases=(_without_outcome(told, outcome, message),), problems=problems)
    if told.outcome is Outcome.PASS and outcome is not Outcome.PASS:
        # The reverse is not: a teardown that failed after Allure had its status is told by the label.
        words = f"contradictory: the label says pass, the status is {status}"
        told = told.at_least(Outcome.ERROR, words)
        problems = (*problems, Problem(source=source, message=f"{told.key}: {words}", grave=True))
    return Reading(runs=runs, cases=(told,), problems=problems)


def _without_outcome(told: GateCase, status: Outcome | None, message: str) -> GateCase:
    if status in (Outcome.FAIL, Outcome.ERROR):
        return told.at_least(Outcome.ERROR, message)
    return replace(told, skipped=True, message=told.message or message or "it neither ran nor was skipped")


def _moment(stop: int) -> str:
    try:
        return dt.datetime.fromtimestamp(stop / 1000, dt.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def read_globals(content: bytes, source: str) -> Reading:
    """``*-globals.json``: errors of a run that belong to no test, such as those of Mocha's hooks."""
    try:
        errors = as_object(content).get("errors") or []
        if not isinstance(errors, list):
            raise ValueError(f"errors: expected a list, seen {kind_of(errors)}")
    except ValueError as error:
        return Reading.of_problem(source, str(error))
    words = [str(error.get("message") or "") if isinstance(error, dict) else str(error) for error in errors]
    cases = tuple(GateCase.of_foreign(f"{source} (run)", Outcome.ERROR, text, source=source) for text in words)
    return Reading(cases=cases)


def read(results: Iterable[tuple[bytes, str]]) -> Reading:
    """The result files of one place: content and name of each."""
    found = Results()
    for content, source in results:
        found.add(content, source)
    return found.reading()
