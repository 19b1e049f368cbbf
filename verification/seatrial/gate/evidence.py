"""What the gate knows once it has read: runs, cases and problems, whatever reports they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from seatrial.evidence.outcome import Outcome

NUMBERS = ("seen", "limit", "interval", "n", "unit")


@dataclass(frozen=True, kw_only=True)
class GateCase:
    """One case as one report tells it. ``outcome`` is None where it was skipped; ``foreign`` cases are none of ours."""

    key: str
    check: str
    object: str
    suite: str
    severity: str = "major"
    trigger: str = ""
    track: str = ""
    role: str = "subject"
    outcome: Outcome | None = None
    message: str = ""
    skip_reason: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)
    remedy: str = ""
    reproduce: str = ""
    source: str = ""
    run: str = ""
    """Id of the run that it belongs to, where the report says."""
    foreign: bool = False

    @classmethod
    def of_properties(cls, values: Mapping[str, str], *, source: str, run: str = "") -> GateCase:
        """A case of ours from its ``seatrial.`` properties. Raises ValueError for an outcome that there is not."""
        short = {name.removeprefix("seatrial."): value for name, value in values.items()}
        outcome = short.get("outcome")
        return cls(
            key=short["key"],
            check=short.get("check", short["key"]),
            object=short.get("object", ""),
            suite=short.get("suite", ""),
            severity=short.get("severity", "major"),
            trigger=short.get("trigger", ""),
            track=short.get("case-track", short.get("track", "")),
            role=short.get("role", "subject"),
            outcome=Outcome(outcome) if outcome else None,
            message=short.get("message", "") if outcome else "",
            skip_reason="" if outcome else short.get("skip_reason", short.get("message", "")),
            numbers={name: short[name] for name in NUMBERS if short.get(name)},
            remedy=short.get("remedy", ""),
            reproduce=short.get("reproduce", ""),
            source=source,
            run=run,
        )

    def at_least(self, outcome: Outcome, message: str) -> GateCase:
        """The case, made worse where ``outcome`` ranks higher; never better."""
        if self.outcome is not None and self.outcome.rank >= outcome.rank:
            return self
        return replace(self, outcome=outcome, message=message or self.message)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something about the reports themselves: unreadable, truncated, hostile, contradictory.

    ``grave`` ones mean that the evidence as a whole cannot be trusted; the others that some of it is missing.
    """

    source: str
    message: str
    grave: bool = False

    def __str__(self) -> str:
        return f"{self.source}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """Identity of a run as one report tells it; empty strings where it does not say."""

    source: str
    values: Mapping[str, str]
    state: str = ""

    def get(self, name: str) -> str:
        """The run-scope property ``seatrial.<name>``."""
        return self.values.get(name, "")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Everything that one file, or all files together, said."""

    runs: tuple[RunFacts, ...] = ()
    expected: tuple[GateCase, ...] = ()
    cases: tuple[GateCase, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of every file that was read, by its path below the folder."""

    @classmethod
    def of_problem(cls, source: str, message: str, *, grave: bool = False) -> Reading:
        """A reading that is nothing but a problem."""
        return cls(problems=(Problem(source=source, message=message, grave=grave),))

    @classmethod
    def joined(cls, readings: Iterable[Reading]) -> Reading:
        """All readings as one; cases are not merged yet."""
        parts = list(readings)
        files: dict[str, str] = {}
        for part in parts:
            files.update(part.files)
        return cls(
            runs=tuple(run for part in parts for run in part.runs),
            expected=tuple(case for part in parts for case in part.expected),
            cases=tuple(case for part in parts for case in part.cases),
            problems=tuple(problem for part in parts for problem in part.problems),
            files=files,
        )


def merged(cases: Iterable[GateCase]) -> dict[str, GateCase]:
    """One case a key: the worst outcome counts, and a report that only skipped says nothing against one that looked."""
    result: dict[str, GateCase] = {}
    for case in cases:
        known = result.get(case.key)
        if known is None or (case.outcome is not None and (known.outcome is None or _worse(case, known))):
            result[case.key] = case
    return result


def _worse(case: GateCase, known: GateCase) -> bool:
    assert case.outcome is not None
    assert known.outcome is not None
    if case.outcome is known.outcome:
        return len(case.numbers) + len(case.message) > len(known.numbers) + len(known.message)
    return case.outcome.rank > known.outcome.rank


def contradictions(cases: Iterable[GateCase]) -> list[Problem]:
    """Cases of which two reports of the same run tell different outcomes: somebody changed one of them."""
    told: dict[tuple[str, str], GateCase] = {}
    problems: dict[str, Problem] = {}
    for case in cases:
        if not case.run or case.outcome is None or case.foreign:
            continue
        first = told.setdefault((case.run, case.key), case)
        if first.outcome is not case.outcome and first.source != case.source:
            message = (
                f"{case.key} is {case.outcome} here and {first.outcome} in {first.source}: reports of one run differ"
            )
            problems.setdefault(case.key, Problem(source=case.source, message=message, grave=True))
    return list(problems.values())
