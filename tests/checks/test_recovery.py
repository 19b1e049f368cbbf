"""Records of drills that count, are too old, fell short, were cut off, or are of somewhere else."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from seatrial.checks import recovery
from seatrial.environment.model import Environment
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.drill import CommandRun, DrillRecord, Subject
from seatrial.evidence.outcome import Outcome
from seatrial.evidence.run import timestamp
from support.project import Project

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
ASKED = {"drills": {"allowed": True, "max_age": "30d"}, "recovery": {"time_objective": "10m"}}
CHECKS = {check.id: check for check in recovery.CHECKS}


def keep(project: Path, *, age: float = 1.0, seconds: float | None = 60.0, now: dt.datetime = NOW, **more: Any) -> None:
    ended = now - dt.timedelta(days=age)
    ran = CommandRun(words=("helm", "rollback"), began=1.0, seconds=2.0, exit=0, problem="", output="")
    values: dict[str, Any] = {
        "drill": "rollback",
        "environment": "qa",
        "run_id": f"{ended:%Y%m%dT%H%M%SZ}-{more.get('drill', 'rollback')}",
        "state": "finished",
        "started": timestamp(ended),
        "finished": timestamp(ended),
        "objective": 600.0,
        "outcome": Outcome.PASS,
        "message": "restored",
        "left": "",
        "subjects": (Subject(name="chat", seconds=seconds, words="1.4.2"),),
        "commands": (ran,),
        **more,
    }
    record = DrillRecord(**values)
    folder = project / "reports" / record.run_id
    folder.mkdir(parents=True)
    record.write(folder, str)


def assess(identity: str, project: Path, **changes: Any) -> Assessment:
    environment = Environment.model_validate({"name": "qa", **ASKED, **changes})
    return CHECKS[identity].run(environment, project=project, now=NOW)


def test_a_recent_drill_that_was_short_enough(tmp_path: Path) -> None:
    keep(tmp_path)
    keep(tmp_path, age=40, seconds=None, outcome=Outcome.FAIL)
    age, time = (assess(identity, tmp_path) for identity in CHECKS)
    assert (age.outcome, age.seen, age.limit) == (Outcome.PASS, "1.0 days", "30d")
    assert (time.outcome, time.message) == (Outcome.PASS, "rollback 60.0 s, and 10m are allowed")


FAILED = CommandRun(words=("helm",), began=1.0, seconds=2.0, exit=1, problem="it ended with exit code 1", output="")


@pytest.mark.parametrize(
    ("made", "age", "time"),
    [
        ({"age": 31}, "31.0 days ago", "pass"),
        ({"age": -1}, "-1.0 days ago", "pass"),
        ({"state": "running"}, "no rollback drill of qa is on record", "no rollback drill"),
        ({"state": "interrupted", "outcome": Outcome.INCONCLUSIVE}, "no rollback drill", "no rollback drill"),
        ({"outcome": Outcome.ERROR}, "no rollback drill", "no rollback drill"),
        ({"environment": "staging"}, "no rollback drill", "no rollback drill"),
        ({"drill": "recovery"}, "no rollback drill", "no rollback drill"),
        ({"seconds": 601.0}, "pass", "expected back within 10m, seen 601.0 s"),
        ({"seconds": None, "outcome": Outcome.FAIL}, "pass", "seen not back: 1.4.2"),
        ({"left": "NOT AS IT WAS: 1.4.2", "outcome": Outcome.FAIL}, "pass", "seen NOT AS IT WAS: 1.4.2"),
        ({"commands": (FAILED,), "outcome": Outcome.FAIL}, "pass", "seen it ended with exit code 1"),
    ],
)
def test_what_does_not_count(tmp_path: Path, made: dict[str, Any], age: str, time: str) -> None:
    keep(tmp_path, **made)
    for identity, words, bad in (
        ("recovery/drill-age", age, Outcome.INCONCLUSIVE),
        ("recovery/restore-time", time, Outcome.INCONCLUSIVE if "no rollback" in time else Outcome.FAIL),
    ):
        found = assess(identity, tmp_path)
        if words == "pass":
            assert found.outcome is Outcome.PASS
        else:
            assert found.outcome is bad
            assert words in f"{found.message} {found.findings[0] if found.findings else ''}"


def test_a_slow_return_of_a_pod_counts_beside_a_good_rollback(tmp_path: Path) -> None:
    keep(tmp_path)
    keep(tmp_path, drill="recovery", seconds=900.0)
    assert assess("recovery/restore-time", tmp_path).outcome is Outcome.FAIL


@pytest.mark.parametrize("content", ["", "[]", '{"kind": "seatrial drill", "schema": 1, "sha256": "0"}'])
def test_a_damaged_record_is_no_evidence(tmp_path: Path, content: str) -> None:
    keep(tmp_path)
    (tmp_path / "reports" / "other").mkdir()
    (tmp_path / "reports" / "other" / "drill.json").write_text(content)
    for identity in CHECKS:
        assert assess(identity, tmp_path).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("more", "planned"),
    [
        ("", []),
        ('[drills]\nmax_age = "7d"', ["recovery/drill-age"]),
        (
            '[drills]\nmax_age = "7d"\n[recovery]\ntime_objective = "10m"',
            ["recovery/drill-age", "recovery/restore-time"],
        ),
    ],
)
def test_the_suite_asks_where_the_environment_does(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, more: str, planned: list[str]
) -> None:
    monkeypatch.setenv("CHAT_TOKEN", "not-used-here")
    project = Project(pytester=pytester, url="http://127.0.0.1:9")
    project.environment(name="qa", more=more)
    keep(pytester.path, now=dt.datetime.now(dt.UTC))
    pytester.makepyfile("from seatrial.suites.recovery.test_recovery import *")
    result = project.run("--env=qa")
    assert result.ret == (0 if planned else pytest.ExitCode.NO_TESTS_COLLECTED)
    if planned:
        assert project.outcomes() == dict.fromkeys(planned, "pass")
