"""`seatrial gate replay`: the same bytes, or what differs; and the change that is in the record."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import cli
from seatrial.gate import record, replay
from seatrial.gate.change import Change
from support.gate import ask, policy, question
from support.reports import NOW, good

GOOD = good()
POLICY = """
environment = "demo"
[evidence]
max_age = "1h"
[required.smoke]
minimum = 4
[[freeze]]
reason = "holidays"
from = 2026-12-18T16:00:00Z
until = 2027-01-03T06:00:00Z
[[quarantine]]
match = "latency/*"
owner = "alice"
reason = "noisy host"
expires = 2026-06-01
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text(POLICY)
    GOOD.write(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "GITLAB_", "SEATRIAL_", "BUILD_", "CI"))]:
        monkeypatch.delenv(name)
    return tmp_path


def gate(*words: str) -> int:
    return cli.main(["gate", "run", f"--now={NOW.isoformat()}", *words])


def replayed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    capsys.readouterr()
    code = cli.main(["gate", "replay", "run/decision.json", *words])
    return code, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("words", [(), ("--release=1.5.0", "--env=demo", "--actor=x", "--ticket=OPS-1"), ("--shadow",)])
def test_the_same_bytes(project: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    gate(*words)
    before = Path("run/decision.json").read_bytes()
    # Neither the policies of today nor another place make a difference.
    (project / "fixtures" / "policies" / "demo.toml").unlink()
    (project / "run").rename(project / "archive")
    code = cli.main(["gate", "replay", "archive/decision.json"])
    assert (code, Path("archive/decision.json").read_bytes()) == (0, before)
    assert "IDENTICAL  promote, decided 2026-05-04T12:00:00Z, SHA-256 " in capsys.readouterr().out


def test_reports_elsewhere(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    GOOD.but("smoke/ready", "error").of_run(id="other").write(project / "second")
    cli.main(["gate", "run/junit.xml", "second", f"--now={NOW.isoformat()}", "--output=out"])
    assert cli.main(["gate", "replay", "out/decision.json", "--reports=run/junit.xml", "--reports=second"]) == 0
    assert cli.main(["gate", "replay", "out/decision.json"]) == 10
    assert "report 1/junit.xml: missing: it was read then, and is not there" in capsys.readouterr().out


def altered(folder: Path) -> None:
    GOOD.but("smoke/ready", "fail").write(folder)


def removed(folder: Path) -> None:
    (folder / "junit.xml").unlink()


def added(folder: Path) -> None:
    GOOD.of_run(id="more").only("junit").write(folder / "more")


@pytest.mark.parametrize(
    ("change", "now", "words"),
    [
        (altered, "promote then, rollback now", "report junit.xml: altered: its SHA-256 was "),
        (removed, "promote again", "report junit.xml: missing: it was read then, and is not there"),
        (added, "promote again", "report more/junit.xml: added: it was not read then"),
    ],
)
def test_what_differs_is_named(
    project: Path, change: Any, now: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gate()
    change(project / "run")
    code, lines = replayed(capsys)
    assert code == 10
    assert lines[0] == f"DIFFERS  {now}, decided 2026-05-04T12:00:00Z"
    assert any(line.strip().startswith(words) for line in lines)


def test_by_the_policy_of_today(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate()
    (project / "fixtures" / "policies" / "demo.toml").write_text(POLICY.replace("minimum = 4", "minimum = 5"))
    code, lines = replayed(capsys, "--policy=demo")
    assert code == 10
    assert lines[:2] == [
        "DIFFERS  promote then, hold now, decided 2026-05-04T12:00:00Z",
        "  policy.required.smoke.minimum: was 4, and is 5",
    ]


def test_by_another_version(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    gate()
    monkeypatch.setattr(record, "__version__", "99.0")
    code, lines = replayed(capsys)
    assert code == 10
    assert lines[0].startswith("DIFFERS  promote again")
    assert [line for line in lines[1:] if "seatrial" in line] == lines[1:]
    assert lines[1].endswith('and is "99.0"')


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"minimum":4', '"minimum":1', "was changed since it was written: the policy in it has the hash"),
        ('"junit.xml":"', '"junit.xml":"0', "was changed since it was written: the evidence in it has the hash"),
        ('"schema":1', '"schema": 1', "it is not in the form in which the gate writes"),
        ('"schema":1', '"schema":7', "expected a decision of schema 1, seen '7'"),
        ('"decided":"2026', '"decided":"soon', "is no decision that this version can read"),
        ('"question":{', '"questions":{', "is no decision that this version can read: without 'question'"),
        ('"wanted":', '"want":', "is no decision that this version can read: Object missing required field `wanted`"),
        ("{", "", "is no decision that this version can read"),
    ],
)
def test_a_record_that_was_changed(
    project: Path, old: str, new: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gate()
    path = Path("run/decision.json")
    path.write_text(path.read_text().replace(old, new, 1))
    code, lines = replayed(capsys)
    assert code == 10
    assert lines[0].startswith("DIFFERS  run/decision.json: ")
    assert words in lines[0]


def test_a_verdict_that_was_changed_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "run" / "junit.xml").write_text("<testsuite/>")
    gate()
    path = Path("run/decision.json")
    path.write_text(path.read_text().replace('"decision":"hold"', '"decision":"promote"', 1))
    code, lines = replayed(capsys)
    assert code == 10
    assert '  decision: was "promote", and is "hold"' in lines


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_a_record_is_seen(data: st.DataObject) -> None:
    """But for the question itself, such as the name of who deploys: to another question it is another decision."""
    text, reading_place = RECORDED
    start = data.draw(st.integers(0, len(text) - 1))
    new = text[:start] + data.draw(st.text(max_size=3)) + text[start + data.draw(st.integers(0, 3)) :]
    if new == text:
        return
    try:
        recorded = replay.load(new.encode())
    except replay.RecordProblem:
        return
    if (recorded.question, recorded.policy) == (question(), policy()):
        assert not replay.replay(recorded, reading_place).identical


def _recorded() -> tuple[str, Any]:
    import tempfile

    from seatrial.gate import collection

    with tempfile.TemporaryDirectory() as folder:
        place = GOOD.only("evidence").write(Path(folder))
        decision, reading = ask(place), collection.read([place])
    return record.dumps(record.document(decision, policy(), question())), reading


RECORDED = _recorded()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("none.json",), "seatrial gate replay: none.json cannot be read: No such file"),
        (("run/decision.json", "--policy=dmo"), "there is no policy 'dmo'"),
    ],
)
def test_wrong_use(project: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    gate()
    assert cli.main(["gate", "replay", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, Change()),
        (
            {
                "GITHUB_ACTOR": "first",
                "GITHUB_TRIGGERING_ACTOR": "again",
                "GITHUB_SHA": "abc",
                "GITHUB_SERVER_URL": "https://forge.example",
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_RUN_ID": "7",
            },
            Change(
                actor="again",
                actor_from="GITHUB_TRIGGERING_ACTOR",
                what="abc",
                pipeline="https://forge.example/o/r/actions/runs/7",
            ),
        ),
        (
            {"GITLAB_USER_LOGIN": "bob", "CI_COMMIT_SHA": "abc", "CI_JOB_URL": "https://forge.example/1"},
            Change(actor="bob", actor_from="GITLAB_USER_LOGIN", what="abc", pipeline="https://forge.example/1"),
        ),
        (
            {"BUILD_USER": "bob", "GIT_COMMIT": "abc", "BUILD_URL": "https://ci.example/1/"},
            Change(actor="bob", actor_from="BUILD_USER", what="abc", pipeline="https://ci.example/1/"),
        ),
        (
            {"SEATRIAL_ACTOR": "own", "GITHUB_ACTOR": "x", "SEATRIAL_TICKET": "OPS-1"},
            Change(actor="own", actor_from="SEATRIAL_ACTOR", ticket="OPS-1"),
        ),
        ({"GITHUB_ACTOR": " \n\x1b ", "BUILD_USER": "bob"}, Change(actor="bob", actor_from="BUILD_USER")),
        ({"GITHUB_ACTOR": "x" * 300}, Change(actor="x" * 200, actor_from="GITHUB_ACTOR")),
    ],
)
def test_the_change_as_pipelines_tell_it(variables: dict[str, str], expected: Change) -> None:
    assert Change.told(variables) == expected


def test_the_command_line_goes_first(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "pipeline")
    gate("--actor=dave", "--ticket=OPS-1", "--change=abc")
    change = json.loads(Path("run/decision.json").read_text())["question"]["change"]
    assert change == {"actor": "dave", "actor_from": "--actor", "pipeline": "", "ticket": "OPS-1", "what": "abc"}
    gate()
    change = json.loads(Path("run/decision.json").read_text())["question"]["change"]
    assert (change["actor"], change["actor_from"]) == ("pipeline", "GITHUB_ACTOR")
