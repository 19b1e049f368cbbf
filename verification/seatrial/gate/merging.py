"""Makes one body of evidence out of many reports: the worst counts, and reports of one run must agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from seatrial.evidence.outcome import Role
from seatrial.gate.evidence import FOREIGN, STRICTNESS, GateCase, Passes, Problem, Reading, RunFacts

_AGREED: Final = ("environment", "environment-hash", "phase", "track", "release-wanted", "release-seen", "digests")
"""Facts that no two reports of one run may tell differently."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run as all its reports together tell it; a foreign report is a run of its own."""

    name: str
    """Its id, or the name of the report where it has none."""
    values: Mapping[str, str]
    state: str
    """`running`, `finished` or `interrupted`; of a foreign report always `finished`."""
    planned: bool
    """Whether some report says which checks were expected."""
    foreign: bool

    def get(self, name: str) -> str:
        """The run-scope property ``seatrial.<name>``; empty where no report gives it."""
        return self.values.get(name, "")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that is known, each case once."""

    runs: tuple[Run, ...]
    cases: Mapping[str, GateCase]
    """By key; cases without an outcome were skipped."""
    expected: Mapping[str, GateCase]
    """The planned cases by key."""
    problems: tuple[Problem, ...]
    files: Mapping[str, str]
    passes: tuple[Passes, ...] = ()
    """Foreign tests that passed and are in no other place; none of them is among the cases."""
    passed: Mapping[str, int] = field(default_factory=dict)
    """How many of them count to each suite, once a policy has said so."""

    def facts(self, name: str) -> tuple[str, ...]:
        """The distinct values of a run-scope property, in the order of the runs."""
        return tuple(dict.fromkeys(value for run in self.runs if (value := run.get(name))))

    @property
    def digests(self) -> tuple[str, ...]:
        """The image digests that the runs were to verify, each once, in alphabetical order."""
        words = (word.strip() for value in self.facts("digests") for word in value.split(","))
        return tuple(sorted({word for word in words if word}))


def merge(reading: Reading) -> Evidence:
    """All reports as one body of evidence; disagreements between reports of one run are grave problems."""
    runs, differing = _runs(reading.runs)
    plans = [case for facts in reading.runs for case in facts.expected or ()]
    expected = _plan(plans)
    told = _last_attempts(reading.cases)
    cases = _merged(told)
    known = _suites_by_check([*told, *plans])
    return Evidence(
        runs=runs,
        cases=_with_suites(cases, known),
        expected=_with_suites(expected, known),
        problems=(*reading.problems, *differing, *_contradictions(told), *_misplaced(expected, cases)),
        files=dict(sorted(reading.files.items())),
        passes=_once(reading.passes, cases),
    )


def _runs(facts: Iterable[RunFacts]) -> tuple[tuple[Run, ...], list[Problem]]:
    groups: dict[tuple[bool, str], list[RunFacts]] = defaultdict(list)
    for fact in facts:
        groups[fact.foreign, fact.source if fact.foreign else fact.get("run-id") or fact.source].append(fact)
    runs, problems = [], []
    for (foreign, name), told in groups.items():
        values: dict[str, str] = {}
        for fact in told:
            for key, value in fact.values.items():
                first = values.get(key) or value
                values[key] = first
                if value and value != first and key in _AGREED:
                    message = f"reports of run {name} differ: {key} is {value[:100]} here and {first[:100]} elsewhere"
                    problems.append(Problem(source=fact.source, message=message, grave=True))
        plans = {frozenset(case.key for case in fact.expected) for fact in told if fact.expected is not None}
        if len(plans) > 1:
            message = f"reports of run {name} differ in which checks were expected"
            problems.append(Problem(source=told[-1].source, message=message, grave=True))
        runs.append(
            Run(name=name, values=values, state=_state(told, values, foreign), planned=bool(plans), foreign=foreign)
        )
    return tuple(runs), list(dict.fromkeys(problems))


def _state(told: Sequence[RunFacts], values: Mapping[str, str], foreign: bool) -> str:
    states = {fact.state for fact in told if fact.state}
    for state in ("running", "interrupted"):
        if state in states:
            return state
    return "finished" if states or foreign or values.get("finished") else "running"


def _plan(plans: Sequence[GateCase]) -> dict[str, GateCase]:
    """Planned cases by key, those that come with their weight before those of which a report gives the key alone."""
    full = _merged(case for case in plans if case.suite)
    return {case.key: full.get(case.key, case) for case in plans}


def _merged(cases: Iterable[GateCase]) -> dict[str, GateCase]:
    """One case a key. The worst outcome counts; a report that only skipped says nothing against one that looked."""
    result: dict[str, GateCase] = {}
    for case in cases:
        known = result.get(case.key)
        result[case.key] = case if known is None else _stricter(known, case)
    return result


def _last_attempts(cases: Sequence[GateCase]) -> list[GateCase]:
    """Without the attempts at cases of ours that the same reports tell a later one of: that one says if it is flaky."""
    last: dict[tuple[str, str, str], int] = {}
    for case in cases:
        if case.attempt > 1 and case.run:
            place = (case.run, case.key, _form(case))
            last[place] = max(last.get(place, 1), case.attempt)
    if not last:
        return list(cases)
    return [case for case in cases if case.attempt >= last.get((case.run, case.key, _form(case)), 1)]


def _form(case: GateCase) -> str:
    """The report that tells of the case. Allure writes a file for each attempt, so all its files are one."""
    return "allure" if case.source.endswith("-result.json") else case.source


def _once(passes: Sequence[Passes], cases: Mapping[str, GateCase]) -> tuple[Passes, ...]:
    """The passes of names of which no report says anything else, each once."""
    others = {key.removeprefix(f"{FOREIGN}:") for key, case in cases.items() if case.foreign}
    seen: set[str] = set()
    kept = []
    for report in passes:
        tests = report.tests
        if not (tests.keys().isdisjoint(others) and tests.keys().isdisjoint(seen)):
            tests = {name: file for name, file in tests.items() if name not in others and name not in seen}
        kept.append(Passes(report=report.report, tests=tests))
        if len(passes) > 1:
            seen.update(tests)
    return tuple(kept)


def _stricter(first: GateCase, second: GateCase) -> GateCase:
    worse = second if _rank(second) > _rank(first) else first
    other = first if worse is second else second
    return replace(
        worse,
        suite=worse.suite or other.suite,
        severity=max(first.severity, second.severity, key=STRICTNESS.__getitem__),
        role=first.role if first.role is second.role else Role.SUBJECT,
        reproduce=worse.reproduce or other.reproduce,
    )


def _rank(case: GateCase) -> tuple[int, bool, bool, int]:
    # Of two equal outcomes the one with the numbers and more words is shown.
    outcome = -1 if case.outcome is None else case.outcome.rank
    return outcome, case.flaky, case.skipped, len(case.numbers) * 1_000 + len(case.message)


def _contradictions(cases: Iterable[GateCase]) -> list[Problem]:
    """Cases of which two reports of the same run tell different things: somebody changed one of them."""
    told: dict[tuple[str, str], GateCase] = {}
    problems: dict[tuple[str, str], Problem] = {}
    for case in _worst_by_source(cases):
        first = told.setdefault((case.run, case.key), case)
        if first is case:
            continue
        for name in ("outcome", "severity", "role"):
            one, two = getattr(first, name), getattr(case, name)
            if one != two:
                words = f"{case.key} has {name} {two or 'none'} here and {one or 'none'} in {first.source}"
                message = f"{words}: reports of one run differ"
                problems.setdefault((case.run, case.key), Problem(source=case.source, message=message, grave=True))
    return list(problems.values())


def _worst_by_source(cases: Iterable[GateCase]) -> list[GateCase]:
    """Cases of ours, one for each report that tells of it; JUnit may write a case twice."""
    result: dict[tuple[str, str, str], GateCase] = {}
    for case in cases:
        if not case.run or case.foreign:
            continue
        place = (case.run, case.key, _form(case))
        known = result.get(place)
        if known is None or _rank(case) > _rank(known):
            result[place] = case
    return list(result.values())


def _misplaced(expected: Mapping[str, GateCase], cases: Mapping[str, GateCase]) -> list[Problem]:
    """Cases whose weight is not what the plan says; plans that give keys alone say nothing of it."""
    problems = []
    for key, plan in expected.items():
        case = cases.get(key)
        if case is None or not plan.suite or not case.suite:
            continue
        if (plan.suite, plan.severity, plan.role) != (case.suite, case.severity, case.role):
            planned, ran = (f"{c.severity} {c.role} of suite {c.suite}" for c in (plan, case))
            message = f"{key} was planned as {planned} and is told as {ran}"
            problems.append(Problem(source=case.source, message=message, grave=True))
    return problems


def _suites_by_check(cases: Iterable[GateCase]) -> dict[str, str]:
    """The suite of each check, and of each family of checks (``podsec/``), as far as the reports tell."""
    known: dict[str, str] = {}
    for case in cases:
        if case.suite and not case.foreign:
            known[case.check] = case.suite
            known.setdefault(case.check.partition("/")[0] + "/", case.suite)
    return known


def _with_suites(cases: Mapping[str, GateCase], known: Mapping[str, str]) -> dict[str, GateCase]:
    """A plan in JUnit or Allure gives keys alone; the suite is that of the other cases of the check or its family."""
    return {
        key: case
        if case.suite
        else replace(case, suite=known.get(case.check) or known.get(case.check.partition("/")[0] + "/", ""))
        for key, case in cases.items()
    }
