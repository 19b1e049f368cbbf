"""What one report tells the gate: runs, cases and problems, in the same types whatever the format was."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from seatrial.evidence.outcome import Outcome, Role, Severity
from seatrial.evidence.properties import SCHEMA, TABLE, case_key

NUMBERS: Final = ("seen", "limit", "interval", "n", "unit")
FOREIGN: Final = "foreign"
"""Suite of cases that are none of ours."""
STRICTNESS: Final = {Severity.MINOR: 0, Severity.MAJOR: 1, Severity.CRITICAL: 2}
MAX_WORDS: Final = 2_000
"""Characters kept of a message, remedy or number."""

RUN_NAMES: Final = frozenset(entry.name.removeprefix("seatrial.") for entry in TABLE if entry.scope == "run")
_CASE_NAMES: Final = frozenset(entry.name.removeprefix("seatrial.") for entry in TABLE if entry.scope == "case")
_KEY: Final = re.compile(r"(?P<check>[^\[\]]+)\[(?P<object>.*)\](?:@(?P<track>[^@\[\]]+))?", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateCase:
    """One case as one report tells it. ``outcome`` is None where it was skipped or only planned."""

    key: str
    check: str
    object: str = ""
    suite: str = ""
    """Empty where a plan names the case by its key alone."""
    severity: Severity = Severity.MAJOR
    trigger: str = ""
    track: str = ""
    role: Role = Role.SUBJECT
    outcome: Outcome | None = None
    message: str = ""
    """Why it ended so; of a skipped case the reason of the skip."""
    skipped: bool = False
    applicable: bool = True
    """False where it was skipped since there was nothing that it could be about."""
    numbers: tuple[tuple[str, str], ...] = ()
    remedy: str = ""
    reproduce: str = ""
    source: str = ""
    run: str = ""
    """Id of the run that it belongs to; empty where the report does not say."""
    foreign: bool = False
    """Whether it carries no identity of ours, whatever suite a policy counts it to."""
    file: str = ""
    """Of a foreign case the file of the test, where the report says."""
    expected_failure: bool = False
    """Whether it was skipped since it failed, as it was expected to; or passed, though it was expected to fail."""
    attempt: int = 1
    flaky: bool = False
    """Whether it passed after an attempt that did not."""

    def number(self, name: str) -> str:
        """``seen``, ``limit``, ``interval``, ``n`` or ``unit``; empty where it has none."""
        return next((value for known, value in self.numbers if known == name), "")

    @classmethod
    def of_properties(cls, values: Mapping[str, str], *, source: str, run: str = "") -> GateCase:
        """A case of ours from its properties, without their prefix.

        Raises ValueError for a value that the table of properties does not allow: no run wrote such a report.
        """
        key = values.get("key", "")
        match = _KEY.fullmatch(key)
        if match is None:
            raise ValueError(f"key: expected check[object]@track, seen {key[:100]!r}")
        check, obj = values.get("check", match["check"]), values.get("object", match["object"])
        track = values.get("case-track", values.get("track", match["track"] or ""))
        if case_key(check, obj, track) != key:
            raise ValueError(f"{key[:100]}: check, object and track say {case_key(check, obj, track)[:100]}")
        outcome = _one_of(Outcome, "outcome", values) if values.get("outcome") else None
        attempt = values.get("attempt") or "1"
        if re.fullmatch(r"[1-9][0-9]{0,5}", attempt) is None:
            raise ValueError(f"{key[:100]}: attempt: expected a whole number, seen {attempt[:60]!r}")
        return cls(
            key=key,
            check=check,
            object=obj,
            suite=values.get("suite", ""),
            severity=_one_of(Severity, "severity", {"severity": "major", **values}),
            trigger=values.get("trigger", ""),
            track=track,
            role=_one_of(Role, "role", {"role": "subject", **values}),
            outcome=outcome,
            applicable=outcome is not None or values.get("applicable") != "no",
            message=(values.get("message") or values.get("skip_reason", ""))[:MAX_WORDS],
            numbers=tuple((name, values[name][:MAX_WORDS]) for name in NUMBERS if values.get(name)),
            remedy=values.get("remedy", "")[:MAX_WORDS],
            reproduce=values.get("reproduce", "")[:MAX_WORDS],
            source=source,
            run=run,
            attempt=int(attempt),
            flaky=outcome is Outcome.PASS and attempt != "1",
        )

    @classmethod
    def of_foreign(
        cls,
        name: str,
        outcome: Outcome | None,
        message: str,
        *,
        source: str,
        run: str = "",
        file: str = "",
        flaky: bool = False,
        expected_failure: bool = False,
    ) -> GateCase:
        """A case of somebody else's. Its key can never be that of one of ours, whatever it is called."""
        line = message.strip().split("\n", 1)[0][:MAX_WORDS]
        key = f"{FOREIGN}:{name or '(unnamed)'}"
        return cls(
            key=key,
            check=key,
            suite=FOREIGN,
            outcome=outcome,
            skipped=outcome is None,
            message="" if outcome is Outcome.PASS and not flaky and not expected_failure else line,
            source=source,
            run=run,
            foreign=True,
            file=file,
            flaky=flaky and outcome is Outcome.PASS,
            expected_failure=expected_failure and outcome in (None, Outcome.PASS),
        )

    def at_least(self, outcome: Outcome, message: str) -> GateCase:
        """The case, made worse where ``outcome`` ranks higher; never better."""
        if self.outcome is not None and self.outcome.rank >= outcome.rank:
            return self
        return replace(self, outcome=outcome, message=message[:MAX_WORDS] or self.message, flaky=False)


_Word = TypeVar("_Word", Outcome, Severity, Role)


def _one_of(words: type[_Word], name: str, values: Mapping[str, str]) -> _Word:
    seen = values[name]
    if seen not in list(words):
        allowed = ", ".join(words)
        raise ValueError(f"{values.get('key', '')[:100]}: {name}: expected {allowed}; seen {seen[:60]!r}")
    return words(seen)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something about a report itself. ``grave`` ones mean that the evidence as a whole cannot be believed."""

    source: str
    message: str
    grave: bool = False


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What one report says about the run behind it."""

    source: str
    values: Mapping[str, str]
    """Run-scope properties without their prefix; of a foreign report at most ``finished``."""
    state: str = ""
    """`running`, `finished` or `interrupted`, where the report says."""
    expected: tuple[GateCase, ...] | None = None
    """The planned cases; None where the report does not say."""
    foreign: bool = False

    def get(self, name: str) -> str:
        """The run-scope property ``seatrial.<name>``."""
        return self.values.get(name, "")


@dataclass(frozen=True, kw_only=True)
class Passes:
    """Foreign tests of one report that passed, and of which there is nothing else to say.

    A hundred thousand of them are common, and a :class:`GateCase` for each would cost more than reading them.
    """

    report: str
    tests: Mapping[str, str]
    """The file of each by its name, empty where the report does not say."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Everything that one file, or all files together, said; nothing is merged yet."""

    runs: tuple[RunFacts, ...] = ()
    cases: tuple[GateCase, ...] = ()
    passes: tuple[Passes, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of every file that was read, by its name in the record."""

    @classmethod
    def of_problem(cls, source: str, message: str, *, grave: bool = False) -> Reading:
        """A reading that is nothing but a problem."""
        return cls(problems=(Problem(source=source, message=message, grave=grave),))

    @classmethod
    def joined(cls, readings: Iterable[Reading]) -> Reading:
        """All readings one after the other."""
        parts = list(readings)
        return cls(
            runs=tuple(run for part in parts for run in part.runs),
            cases=tuple(case for part in parts for case in part.cases),
            passes=tuple(passes for part in parts for passes in part.passes),
            problems=tuple(problem for part in parts for problem in part.problems),
            files={name: digest for part in parts for name, digest in part.files.items()},
        )


def oldest_and_newest(runs: Iterable[RunFacts]) -> list[RunFacts]:
    """Of runs that are known by their end alone those that can be too old, too new, or without one: at most three."""
    timeless: RunFacts | None = None
    found: list[tuple[dt.datetime, RunFacts]] = []
    for run in runs:
        moment = moment_of(run.get("finished"))
        if moment is None:
            timeless = timeless or run
        elif not found:
            found = [(moment, run), (moment, run)]
        elif moment < found[0][0]:
            found[0] = (moment, run)
        elif moment > found[1][0]:
            found[1] = (moment, run)
    chosen = [run for _, run in found] + ([timeless] if timeless else [])
    return [run for position, run in enumerate(chosen) if run not in chosen[:position]]


def moment_of(text: str) -> dt.datetime | None:
    """A time that a report tells, in UTC, which is also meant where it names no zone; None where it is none."""
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def own_values(properties: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """``properties`` that are in the table, without their prefix: those of the run and those of the case."""
    short = {n.removeprefix("seatrial."): value for n, value in properties.items() if n.startswith("seatrial.")}
    run = {name: value for name, value in short.items() if name in RUN_NAMES}
    return run, {name: value for name, value in short.items() if name in _CASE_NAMES}


def planned(keys: Iterable[str], source: str) -> tuple[GateCase, ...]:
    """Planned cases of which a report gives the keys alone. Raises ValueError for a key that is none."""
    return tuple(GateCase.of_properties({"key": key}, source=source) for key in keys)


def schema_problem(seen: str | None, source: str) -> tuple[Problem, ...]:
    """The problem that a report was written under another table of properties, where that is so."""
    if seen == SCHEMA:
        return ()
    message = f"written under another table of properties: expected schema {SCHEMA}, seen {seen or 'none'}"
    return (Problem(source=source, message=message, grave=True),)
