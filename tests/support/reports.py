"""The reports of a run as it would have left them, without running it: built from cases, damaged at will."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from seatrial.evidence.case import Case
from seatrial.evidence.outcome import Role, Severity
from seatrial.evidence.run import Run, timestamp

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
"""When all decisions of these tests are made."""

SUITES = {"helm": "rollout", "rollback": "rollout", "probe": "config", "podsec": "config", "image": "config"}
STATUS = {"pass": "passed", "fail": "failed", "error": "broken", "inconclusive": "broken", None: "skipped"}


@dataclass(frozen=True, kw_only=True)
class Told:
    """A case and what was found; ``outcome`` is None where it was skipped."""

    case: Case
    outcome: str | None = "pass"
    message: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.case.key

    def properties(self) -> dict[str, str]:
        values = {**self.case.properties(), "seatrial.message": self.message, **self.more}
        return values if self.outcome is None else {**values, "seatrial.outcome": self.outcome}


def told(
    check: str,
    outcome: str | None = "pass",
    *,
    severity: str = "major",
    track: str = "candidate",
    role: str = "subject",
    obj: str = "chat",
    suite: str = "",
    message: str = "",
    **more: str,
) -> Told:
    """A case of ``check``; ``more`` are further properties, without the prefix."""
    case = Case(
        check=check,
        object=obj,
        suite=suite or SUITES.get(check.split("/", 1)[0], check.split("/", 1)[0]),
        severity=Severity(severity),
        track=track,
        role=Role(role),
    )
    words = message or ("" if outcome == "pass" else f"{check} was {outcome or 'skipped'}")
    return Told(case=case, outcome=outcome, message=words, more={f"seatrial.{k}": v for k, v in more.items()})


def run(**changes: Any) -> Run:
    """A run of release 1.5.0 in the demo that ended five minutes ago."""
    values: dict[str, Any] = {
        "id": "20260504T115000Z-demo-abc123",
        "environment": "demo",
        "phase": "canary",
        "track": "candidate",
        "release_wanted": "1.5.0",
        "release_seen": ("1.5.0",),
        "started": timestamp(NOW - dt.timedelta(minutes=10)),
        "finished": timestamp(NOW - dt.timedelta(minutes=5)),
        "host": "builder",
        "suite_version": "0",
    }
    return Run(**{**values, **changes})


@dataclass(frozen=True, kw_only=True)
class Reports:
    """What a run leaves. ``expected`` are its planned cases; those of ``cases`` where None."""

    cases: tuple[Told, ...]
    run: Run = field(default_factory=run)
    state: str = "finished"
    expected: tuple[Told, ...] | None = None
    kinds: frozenset[str] = frozenset({"junit", "allure", "evidence"})

    def only(self, *kinds: str) -> "Reports":
        return replace(self, kinds=frozenset(kinds))

    def of_run(self, **changes: Any) -> "Reports":
        return replace(self, run=replace(self.run, **changes))

    def plus(self, *cases: Told) -> "Reports":
        return replace(self, cases=(*self.cases, *cases))

    def but(self, check: str, outcome: str | None, *, track: str = "candidate", **changes: Any) -> "Reports":
        """The same, with the case of ``check`` on ``track`` told differently."""
        found = [t for t in self.cases if (t.case.check, t.case.track) == (check, track)]
        assert len(found) == 1, f"{check} on {track}: {len(found)} cases"
        words = changes.pop("message", f"{check} was {outcome or 'skipped'}")
        case = replace(found[0].case, **changes)
        new = replace(found[0], case=case, outcome=outcome, message=words)
        return replace(self, cases=tuple(new if t is found[0] else t for t in self.cases))

    def without(self, *checks: str) -> "Reports":
        """The same without an outcome for ``checks``, which stay planned."""
        left = tuple(t for t in self.cases if t.case.check not in checks)
        return replace(self, cases=left, expected=self.planned)

    @property
    def planned(self) -> tuple[Told, ...]:
        return self.cases if self.expected is None else self.expected

    def write(self, folder: Path) -> Path:
        """Write all kinds of reports below ``folder`` and return it."""
        folder.mkdir(parents=True, exist_ok=True)
        if "junit" in self.kinds:
            (folder / "junit.xml").write_text(self.junit(), encoding="utf-8")
        if "evidence" in self.kinds:
            (folder / "evidence.json").write_text(json.dumps(self.evidence()), encoding="utf-8")
        if "allure" in self.kinds:
            results = folder / "allure-results"
            results.mkdir(exist_ok=True)
            for number, case in enumerate(self.cases):
                (results / f"{number}-result.json").write_text(json.dumps(self.allure(case)), encoding="utf-8")
            (results / "seatrial-run.json").write_text(json.dumps(self.properties()), encoding="utf-8")
        return folder

    def properties(self) -> dict[str, str]:
        return self.run.properties([t.key for t in self.planned])

    def junit(self) -> str:
        cases = "".join(junit_case(t.key, t.properties(), element(t)) for t in self.cases)
        return junit_suite(properties(self.properties()) + cases)

    def allure(self, case: Told) -> dict[str, Any]:
        values = {**self.run.properties(), **case.properties()}
        return {
            "name": case.case.check,
            "fullName": case.key,
            "status": STATUS[case.outcome],
            "statusDetails": {"message": case.message},
            "labels": [{"name": name, "value": value} for name, value in values.items()],
        }

    def evidence(self) -> dict[str, Any]:
        facts = {name.removeprefix("seatrial."): value for name, value in self.run.properties().items()}
        del facts["schema"]
        return {
            "schema": 1,
            "state": self.state,
            "run": facts,
            "expected": [t.case.as_json() for t in self.planned],
            "outcomes": [outcome(t) for t in self.cases],
        }


def outcome(case: Told) -> dict[str, Any]:
    more = {name.removeprefix("seatrial."): value for name, value in case.more.items()}
    words = "skip_reason" if case.outcome is None else "message"
    return {**case.case.as_json(), "outcome": case.outcome, words: case.message, **more}


def element(case: Told) -> str:
    """The child element that pytest writes for the outcome."""
    names = {"fail": "failure", "error": "failure", "inconclusive": "failure", None: "skipped"}
    return "" if case.outcome == "pass" else f"<{names[case.outcome]} message={quoted(case.message)}/>"


def quoted(text: str) -> str:
    """An attribute's value; what XML cannot hold is left out, as pytest does in its way."""
    return quoteattr("".join(c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd"))


def properties(values: Mapping[str, str]) -> str:
    rows = (f"<property name={quoted(name)} value={quoted(value)}/>" for name, value in values.items())
    return f"<properties>{''.join(rows)}</properties>"


def junit_case(name: str, values: Mapping[str, str] | None = None, inside: str = "", classname: str = "t") -> str:
    written = properties(values) if values else ""
    return f"<testcase classname={quoted(classname)} name={quoted(name)}>{written}{inside}</testcase>"


def junit_suite(inside: str, timestamp: str = "") -> str:
    """``timestamp`` is the attribute that foreign reports tell their time by."""
    when = f" timestamp={quoted(timestamp)}" if timestamp else ""
    suite = f'<testsuite name="pytest"{when}>{inside}</testsuite>'
    return f'<?xml version="1.0" encoding="utf-8"?><testsuites>{suite}</testsuites>'


def good() -> Reports:
    """Everything that the policy of these tests asks for, and everything passes."""
    return Reports(cases=tuple(_good()))


def _good() -> Iterable[Told]:
    for check in ("smoke/tcp", "smoke/live", "smoke/ready", "smoke/version"):
        yield told(check, severity="critical")
        yield told(check, severity="critical", track="stable", role="control")
    yield told("synthetic/greeting", severity="critical", obj="greeting")
    yield told("probe/liveness-missing", obj="Deployment chatbot", track="")
    yield told("podsec/privileged", severity="critical", obj="Deployment chatbot", track="")
    yield told("latency/regression", trigger="latency", seen="0.01", limit="0.25", n="900")
    yield told("rollout/complete", severity="critical", obj="Deployment chatbot", track="")
    yield told("rollback/history", obj="Deployment chatbot", track="")
    yield told("helm/release-deployed", obj="chatbot", track="", severity="minor")
