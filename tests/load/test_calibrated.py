"""The record of a calibration, and the check that asks for it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatrial import cli
from seatrial.environment.model import Service
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.load.calibrated import assess_calibration
from seatrial.load.calibration import Calibration, Run
from seatrial.load.calibration_record import CalibrationRecord, RecordProblem, Terms, read_record, record_name
from seatrial.load.fingerprint import Fingerprint, sha256_of
from seatrial.load.place import Folder
from seatrial.load.profile import parse_profile
from support.project import REPOSITORY, Project

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
PROFILE = 'rate = 60\nwarm_up = "200ms"\nduration = "2s"\nprompts = ["when?"]\ntimeout = "2s"\n'
BOUNDS = '[bounds]\nlateness_p99 = "500ms"\nachieved = 0.9\noverhead_p50 = "200ms"\noverhead_p99 = "500ms"\n'


def service(**changes: Any) -> Service:
    content = {
        "url": {"stable": "http://127.0.0.1:9"},
        "latency": {"profile": "quick", "calibration": {"max_age": "30d", "false_alarms": 0.3}},
        **changes,
    }
    return Service.model_validate(content)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "load" / "profiles").mkdir(parents=True)
    (tmp_path / "load" / "profiles" / "quick.toml").write_text(PROFILE)
    return tmp_path


def record(*, clean: int = 10, alarms: int = 0, age: float = 1.0, now: dt.datetime = NOW) -> CalibrationRecord:
    runs = [Run(latency=Outcome.PASS, errors=Outcome.PASS, pairs=500, words="")] * clean
    runs += [Run(latency=Outcome.FAIL, errors=Outcome.PASS, pairs=500, words="")] * alarms
    profile = parse_profile(PROFILE, "quick.toml")
    return CalibrationRecord.of(
        Calibration(runs=tuple(runs), planned=None),
        environment="qa",
        service="chat",
        profile="quick",
        fingerprint=Fingerprint.of(service(), profile),
        terms=Terms.of(service().objectives, profile),
        now=now - dt.timedelta(days=age),
    )


def assessed(project: Path, it: Service | None = None, **changes: Any) -> Assessment:
    values: dict[str, Any] = {
        "region": "",
        "environment": "qa",
        "place": Folder(project / "kept"),
        "project": project,
        "now": NOW,
    }
    return assess_calibration("chat", it or service(), **{**values, **changes})


def test_a_record_is_read_as_it_was_written(project: Path) -> None:
    made = record(alarms=1)
    path = made.write(Folder(project / "kept"))
    name = record_name("qa", "chat", "quick")
    assert path == str(project / "kept" / name)
    assert read_record(Folder(project / "kept"), name) == made
    assert (made.sound, made.false_alarms) == (11, 1)
    assert read_record(Folder(project / "kept"), "qa/other.json") is None


def test_lately_calibrated_passes(project: Path) -> None:
    record().write(Folder(project / "kept"))
    found = assessed(project)
    assert found.outcome is Outcome.PASS
    assert (found.seen, found.limit, found.n) == ("25.9%", "30.0%", 10)
    assert "0 false alarms in 10 sound runs, so at most 25.9% at 95% confidence, measured 2026-05-03T" in found.message


@pytest.mark.parametrize(
    ("made", "changes", "told", "remedy"),
    [
        ({"age": 31}, {}, "the record is 31 days old, and 30d are allowed", "run `seatrial calibrate --env qa"),
        ({"age": -1}, {}, "the record is -1 days old", "run `"),
        ({"clean": 5}, {}, "false alarms may be as many as 45.1% of runs, and 30.0% are allowed", "--runs 10`"),
        ({"alarms": 1}, {}, "false alarms may be as many as 36.4%", "find out what makes stable differ from itself"),
        ({}, {"model": "large"}, "the record is of another load: model 'default', now 'large'", "run `"),
        (
            {},
            {"objectives": {"relative_margin": 0.05}},
            "it was calibrated for other terms: relative_margin 0.1, now 0.05",
            "--service chat --runs 10`",
        ),
        (
            {},
            {"latency": {"profile": "quick", "calibration": {"false_alarms": 0.05}}},
            "and 5.0% are allowed",
            "--runs 59`",
        ),
    ],
)
def test_what_does_not_count_says_what_to_run(
    project: Path, made: dict[str, Any], changes: dict[str, Any], told: str, remedy: str
) -> None:
    record(**made).write(Folder(project / "kept"))
    found = assessed(project, service(**changes))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert told in found.message
    assert remedy in found.remedy


def test_no_record_says_what_to_run(project: Path) -> None:
    found = assessed(project)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.message == f"chat under quick was not calibrated in qa: there is no record in {project / 'kept'}"
    assert found.remedy == "run `seatrial calibrate --env qa --service chat`"


def _signed(**changes: Any) -> Callable[[str], str]:
    def apply(text: str) -> str:
        content = {**json.loads(text), **changes}
        del content["sha256"]
        return json.dumps({**content, "sha256": sha256_of(content)})

    return apply


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(lambda text: text[:50], "cannot be read", id="cut"),
        pytest.param(lambda text: "[]", "expected a seatrial calibration", id="other"),
        pytest.param(lambda text: text.replace("0.258", "0.058"), "edited by hand", id="edited"),
        pytest.param(_signed(schema=2), "of schema 1", id="schema"),
        pytest.param(_signed(sound="many"), "Expected `int`", id="type"),
    ],
)
def test_a_record_that_cannot_be_relied_on_is_an_error(project: Path, spoil: Callable[[str], str], told: str) -> None:
    path = Path(record().write(Folder(project / "kept")))
    path.write_text(spoil(path.read_text()))
    with pytest.raises(RecordProblem, match=told):
        read_record(Folder(project / "kept"), record_name("qa", "chat", "quick"))
    assert assessed(project).outcome is Outcome.ERROR


def test_a_record_of_another_service_says_so(project: Path) -> None:
    path = Path(record().write(Folder(project / "kept")))
    other = project / "kept" / record_name("production", "chat", "quick")
    other.parent.mkdir()
    other.write_text(path.read_text())
    found = assessed(project, environment="production")
    assert "the record is that of chat in qa" in found.message


ENVIRONMENT = """
[services.chat]
url.stable = "{url}"
latency = {{ profile = "quick"{asked} }}
[load]
allowed = true
max_rate = 200
max_requests = 2000
"""


def test_the_command_leaves_the_record_that_the_check_asks_for(
    serve: Any, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "verification"))
    monkeypatch.chdir(pytester.path)
    for folder in ("load/profiles", "fixtures/environments"):
        (pytester.path / folder).mkdir(parents=True)
    (pytester.path / "load" / "profiles" / "quick.toml").write_text(PROFILE + BOUNDS)
    file = pytester.path / "fixtures" / "environments" / "mine.toml"
    url = serve(seed=1).url
    file.write_text(ENVIRONMENT.format(url=url, asked=", calibration = { false_alarms = 0.96 }"))
    assert cli.main(["calibrate", "--env=mine", "--runs=1"]) == 0
    assert "kept in fixtures/baselines/mine/chat.quick.calibration.json" in capsys.readouterr().out
    pytester.makepyfile(test_mine="from seatrial.suites.latency.test_latency import *")
    mine = Project(pytester=pytester, url=url)
    mine.run("--env=mine", "-k", "calibrated")
    outcomes = {case["key"]: case["outcome"] for case in mine.evidence()["outcomes"]}
    assert outcomes == {"latency/calibrated[chat]": "pass"}
    assert cli.main(["baseline", "list"]) == 0
    assert "no baselines in" in capsys.readouterr().out


def test_it_is_planned_only_where_it_is_asked_for() -> None:
    from seatrial.environment.model import Environment
    from seatrial.fixtures.calibrated import calibration_plans

    asked = service()
    plain = service(latency={"profile": "quick"})
    environment = Environment(name="qa", services={"chat": asked, "shop": plain, "page": service(latency=None)})
    assert [case.key for _, _, case in calibration_plans(environment, "stable")] == ["latency/calibrated[chat]"]
