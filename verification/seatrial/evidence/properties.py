"""The names under which a run and its cases are written into JUnit and Allure: one table, read by writer and gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCHEMA: Final = "1"
"""Version of this table; a reader that does not know it must not decide."""


@dataclass(frozen=True, kw_only=True)
class Property:
    """One written fact: in JUnit ``<property name=...>`` of the suite or case, in Allure a label of the result."""

    name: str
    meaning: str
    scope: str
    """``run`` (testsuite element in JUnit, every result and ``seatrial-run.json`` in Allure) or ``case``."""


def _run(name: str, meaning: str) -> Property:
    return Property(name=f"seatrial.{name}", meaning=meaning, scope="run")


def _case(name: str, meaning: str) -> Property:
    return Property(name=f"seatrial.{name}", meaning=meaning, scope="case")


TABLE: Final = (
    _run("schema", "version of this table"),
    _run("run-id", "identity of the run, also the name of its folder"),
    _run("environment", "name of the environment looked at"),
    _run("environment-hash", "SHA-256 of the resolved environment, secrets left as references"),
    _run("phase", "`pre`, `canary` or `post`"),
    _run("track", "track under test: `stable` or `candidate`"),
    _run("release-wanted", "version that was asked for; empty where none was"),
    _run("release-seen", "versions seen running on the track under test, comma-separated"),
    _run("digests", "image digests asked for, comma-separated; empty where none were"),
    _run("suite-version", "version of seatrial"),
    _run("started", "RFC 3339 time, UTC, of the start"),
    _run("finished", "RFC 3339 time, UTC, of the end"),
    _run("host", "machine that ran it"),
    _run("expected", "JSON array of the case keys that were to run"),
    _case("key", "identity of the case: `check[object]@track`"),
    _case("check", "id of the check, for example `smoke/ready`"),
    _case("object", "what it was applied to: a service, workload, conversation, host"),
    _case("suite", "`smoke`, `synthetic`, `config`, `latency`, `rollout`, `recovery` or `compliance`"),
    _case("severity", "`critical`, `major` or `minor`"),
    _case("trigger", "rollback trigger that it feeds: `health`, `error-rate`, `latency`, or empty"),
    _case("case-track", "track that this case looked at; empty where tracks do not apply"),
    _case("role", "`subject`, or `control` for the stable track watched beside a candidate"),
    _case("outcome", "`pass`, `inconclusive`, `error` or `fail`; absent where the case was skipped"),
    _case(
        "applicable", "`no` where there was nothing that the check could be about; it is skipped then, and not missing"
    ),
    _case("attempt", "number of the attempt, where it was not the first: a pass is flaky then"),
    _case("message", "one sentence"),
    _case("seen", "value seen"),
    _case("limit", "value expected or allowed"),
    _case("interval", "confidence interval of the value seen"),
    _case("n", "number of observations"),
    _case("unit", "unit of seen, limit and interval"),
    _case("remedy", "what to do next"),
    _case("explanation", "a paragraph: what the outcome rests on, how much it is, and what it cost"),
    _case("pictures", "paths of pictures in the run's folder, comma-separated"),
    _case("reproduce", "command that repeats this case"),
)


def case_key(check: str, obj: str, track: str = "") -> str:
    """Identity of a case, the same from run to run and in every report: ``check[object]@track``."""
    return f"{check}[{obj}]" + (f"@{track}" if track else "")
