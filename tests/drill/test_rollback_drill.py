"""A release is really taken back and brought out again, or refused, or said loudly to be left elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drill.conftest import Stage
from seatrial.evidence.drill import RecordProblem, read_record
from support.verified import clean_environment


def test_a_release_is_taken_back_and_brought_out_again(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.environment()
    assert stage.drill("rollback", "--to", "1.4.2") == 0
    printed = capsys.readouterr().out
    assert "before: chat 1.5.0" in printed
    assert "pass: restored in " in printed
    assert "as it was: chat 1.5.0" in printed
    assert stage.version() == "1.5.0"
    record = stage.record()
    assert (record["outcome"], record["state"], record["left"]) == ("pass", "finished", "")
    (subject,) = record["subjects"]
    assert 0 < subject["seconds"] < record["objective"] == 3
    assert [command["exit"] for command in record["commands"]] == [0, 0]
    assert record["errors"] == 0 < record["probes"]
    assert record["first_change"] > record["commands"][0]["began"]
    assert len(list(stage.folder.glob("reports/*/samples/drill.ndjson"))) == 1


def bad(stage: Stage, case: str) -> dict[str, Any]:
    """What to change in the environment for a case."""
    turn_off = "import time; time.sleep(30)"
    return {
        "the command fails": {"rollback_command": [sys.executable, "-c", "print('no rights'); raise SystemExit(3)"]},
        "the command takes too long": {"rollback_command": stage.command(1, 0, turn_off), "command_within": "1s"},
        "it is never restored": {
            "rollback_command": [sys.executable, "-c", "pass"],
            "within": "1s",
            "time_objective": "1s",
        },
        "it is restored too late": {"time_objective": "1ms"},
        "rolling forward fails": {"promote_command": [sys.executable, "-c", "raise SystemExit(4)"]},
        "rolling forward does nothing": {
            "promote_command": [sys.executable, "-c", "pass"],
            "within": "1s",
            "time_objective": "1s",
        },
        "rolling forward cannot be started": {"promote_command": ["/there/is/none"]},
        "the command cannot be started": {"rollback_command": ["/there/is/none"]},
        "a shell does not find it": {"rollback_command": ["sh", "-c", "there-is-no-such-command"]},
        "it fails after it worked": {"rollback_command": stage.command(1, 0, exit_code=5)},
    }[case]


@pytest.mark.parametrize(
    ("case", "code", "message", "left"),
    [
        ("the command fails", 20, "the rollback command failed: it ended with exit code 3", ""),
        ("the command takes too long", 20, "it had not ended after 1 s and was stopped", ""),
        ("it is never restored", 20, "an older version was not back everywhere within 1s: chat: 1.5.0", ""),
        ("it is restored too late", 20, ", and 1ms are allowed", ""),
        ("rolling forward fails", 20, "could not be brought out again: the promote command", "1.4.2"),
        ("rolling forward does nothing", 20, "could not be brought out again: not back", "seen chat: 1.4.2"),
        ("rolling forward cannot be started", 10, "could not be started: No such file", "seen chat: 1.4.2"),
        ("the command cannot be started", 10, "the rollback command: it could not be started: No such file", ""),
        ("a shell does not find it", 10, "the rollback command: it could not be started: exit code 127", ""),
        ("it fails after it worked", 20, "exit code 5; the older version: after ", ""),
    ],
)
def test_what_goes_wrong(
    case: str, code: int, message: str, left: str, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.environment(**bad(stage, case))
    assert stage.drill() == code
    record = stage.record()
    assert message in record["message"]
    assert left in record["left"]
    assert bool(record["left"]) == bool(left)
    printed = capsys.readouterr().out
    assert ("NOT AS IT WAS: expected chat 1.5.0" in printed) == bool(left)
    assert stage.version() == ("1.4.2" if left else "1.5.0")


def test_secrets_in_what_a_command_says_stay_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "s3cr3t-of-the-deployer")
    say = [sys.executable, "-c", "import os; print('x' * 20000, os.environ['DEPLOY_TOKEN']); raise SystemExit(1)"]
    more = '[registry]\nurl = "https://registry.example"\nauth = { env = "DEPLOY_TOKEN" }'
    stage.environment(more=more, rollback_command=say)
    assert stage.drill() == 20
    output = stage.record()["commands"][0]["output"]
    assert "[redacted]" in output
    assert len(output) < 9_000
    assert "s3cr3t" not in capsys.readouterr().out + str(stage.record())


@pytest.mark.parametrize(
    ("changes", "env", "message"),
    [
        (
            {"allowed": False},
            "near",
            "drills.allowed is false in the environment near; `allowed = true` under [drills]",
        ),
        ({"classification": "production"}, "near", "counts as production, which holds production data"),
        ({}, "production", "`allowed_in_production = true` under [drills]"),
        ({"rollback_command": []}, "near", "[rollout] rollback_command: the command that takes the release back"),
        ({"promote_command": []}, "near", "[drills] promote_command: the command that brings it out again"),
        ({"time_objective": ""}, "near", "[recovery] time_objective: the time that the way back may take"),
        ({"services": ["chta"]}, "near", "expected names of services, seen 'chta'; did you mean chat?"),
        ({"service": 'auth = { env = "NOT_SET" }'}, "near", "services.chat.auth: expected a secret in the variable"),
        ({}, "naer", "unknown environment 'naer'. Did you mean near?"),
    ],
)
def test_refusals(
    changes: dict[str, Any], env: str, message: str, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.environment(name="production" if env == "production" else "near", **changes)
    assert stage.drill(env=env) == 2
    assert message in capsys.readouterr().err
    assert not (stage.folder / "reports").exists()
    assert stage.version() == "1.5.0"


def test_production_that_says_so_is_drilled(stage: Stage) -> None:
    stage.environment(name="production", allowed_in_production=True)
    assert stage.drill(env="production") == 0


@pytest.mark.parametrize(
    ("service", "words", "message"),
    [
        ('health.ready = "/not-there"', (), "not every address is healthy before the drill"),
        ('health.version_field = "name"', (), "not every address is healthy"),
        ("", ("--to", "1.5.0"), "1.5.0 answers already: there is nothing to take back"),
    ],
)
def test_nothing_is_broken_where_something_is_already(
    service: str, words: tuple[str, ...], message: str, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.environment(service=service)
    assert stage.drill("rollback", *words) == 10
    assert message in capsys.readouterr().err
    record = stage.record()
    assert (record["outcome"], record["commands"]) == ("error", [])
    assert message in record["message"]


def test_two_versions_at_once_are_a_rollout_that_goes_on(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.release(stable=1, candidate=1)
    stage.environment()
    assert stage.drill() == 10
    assert "chat answers as 1.4.2 and as 1.5.0, so no drill is held" in capsys.readouterr().err.replace(
        "1.5.0 and as 1.4.2", "1.4.2 and as 1.5.0"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_still_brings_the_release_out(number: signal.Signals, stage: Stage) -> None:
    stage.environment(rollback_command=[sys.executable, "-c", "print('said nothing')"], within="60s")
    process = subprocess.Popen(
        [sys.executable, "-m", "seatrial.cli", "drill", "rollback", "--env=near"],
        cwd=stage.folder,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "the rollback command ended" in line:
                assert stage.record()["state"] == "running"
                os.kill(process.pid, number)
    assert process.returncode == 10, lines
    text = "".join(lines)
    assert "interrupted: everything is left as it was" in text
    assert "as it was: chat 1.5.0" in text
    record = stage.record()
    assert (record["state"], record["outcome"]) == ("interrupted", "inconclusive")
    assert [command["exit"] for command in record["commands"]] == [0, 0]


def test_a_record_that_was_edited_is_none(stage: Stage, tmp_path: Path) -> None:
    stage.environment()
    assert stage.drill() == 0
    (path,) = stage.folder.glob("reports/*/drill.json")
    assert read_record(path).concluded
    path.write_text(path.read_text().replace('"objective": 3.0', '"objective": 4.0'))
    with pytest.raises(RecordProblem, match="does not match its hash"):
        read_record(path)
