"""What the audit log knows of a drill, and that nothing is broken which it cannot know."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from drill.conftest import Stage
from seatrial import cli
from seatrial.gate import soundness
from seatrial.gate.audit import Entry

REPLACE = "import os; os.unlink('reports/audit.jsonl'); os.mkdir('reports/audit.jsonl')"


def lines(path: Path) -> list[Entry]:
    content = path.read_bytes().splitlines(keepends=True)
    assert soundness.examine(content).findings == ()
    return list(soundness.entries(content))


def policy(stage: Stage, text: str) -> None:
    folder = stage.folder / "fixtures" / "policies"
    folder.mkdir(parents=True)
    (folder / "near.toml").write_text(text)


def test_begin_and_end(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SEATRIAL_ACTOR", "kim")
    stage.environment()
    assert stage.drill() == 0
    begun, ended = lines(stage.folder / "reports" / "audit.jsonl")
    record = stage.record()
    about = {"drill": "rollback", "environment": "near", "run": record["run_id"], "actor": "kim"}
    assert (begun.kind, ended.kind) == ("drill", "drill")
    assert begun.facts == {**about, "state": "begun"}
    (path,) = stage.folder.glob("reports/*/drill.json")
    (subject,) = record["subjects"]
    assert ended.facts == {
        **about,
        "state": "finished",
        "outcome": "pass",
        "message": record["message"],
        "left": "",
        "objective_ms": 3000,
        "restored_ms": {"chat": round(subject["seconds"] * 1000)},
        "record": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    capsys.readouterr()
    assert cli.main(["audit", "show"]) == 0
    assert "drill rollback, state finished, outcome pass, environment near, actor kim" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words", "log"),
    [
        ('[audit]\nlog = "kept/log.jsonl"\n', (), "kept/log.jsonl"),
        ('[audit]\nlog = "kept/log.jsonl"\n', ("--audit=mine.jsonl",), "mine.jsonl"),
        ("[required.smoke]\n", (), "reports/audit.jsonl"),
    ],
)
def test_which_log(stage: Stage, text: str, words: tuple[str, ...], log: str) -> None:
    policy(stage, text)
    stage.environment(rollback_command=[sys.executable, "-c", "raise SystemExit(3)"])
    assert stage.drill("rollback", *words) == 20
    assert [entry.facts.get("outcome") for entry in lines(stage.folder / log)] == [None, "fail"]
    assert len(list(stage.folder.rglob("*.jsonl"))) == 1


def test_one_that_could_not_be_held_has_an_end_too(stage: Stage) -> None:
    stage.environment(service='health.ready = "/not-there"')
    assert stage.drill() == 10
    _, ended = lines(stage.folder / "reports" / "audit.jsonl")
    assert (ended.facts["outcome"], ended.facts["state"]) == ("error", "finished")


def test_nothing_is_broken_that_the_log_cannot_take(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.environment(rollback_command=[sys.executable, "-c", "open('touched', 'w')"])
    (stage.folder / "reports" / "audit.jsonl").mkdir(parents=True)
    assert stage.drill() == 10
    assert "nothing is broken that cannot be recorded: reports/audit.jsonl: Is a directory" in capsys.readouterr().err
    assert not (stage.folder / "touched").exists()


def test_a_policy_that_cannot_be_read_may_name_the_log(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.environment()
    policy(stage, "audit = ")
    assert stage.drill() == 2
    assert (
        "the policy may name the audit log, and cannot be read: fixtures/policies/near.toml" in capsys.readouterr().err
    )
    assert stage.version() == "1.5.0"
    assert stage.drill("rollback", "--audit=mine.jsonl") == 0


def test_an_end_that_the_log_does_not_take_is_told(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.environment(promote_command=stage.command(0, 1, REPLACE))
    assert stage.drill() == 10
    printed = capsys.readouterr()
    assert "the audit log does not have the end of this drill: reports/audit.jsonl: Is a directory" in printed.err
    assert "pass: restored in " in printed.out
    assert stage.version() == "1.5.0"


def test_no_secret_enters_the_log(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "s3cr3t-of-the-deployer")
    more = '[registry]\nurl = "https://registry.example"\nauth = { env = "DEPLOY_TOKEN" }'
    stage.environment(more=more, rollback_command=["/there/is/s3cr3t-of-the-deployer"])
    assert stage.drill() == 10
    assert b"s3cr3t" not in (stage.folder / "reports" / "audit.jsonl").read_bytes()
