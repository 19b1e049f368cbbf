"""Stable measured against itself: what it says of an environment, and how the command is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seatrial import cli
from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.load.calibration import Calibration, Run, calibrate

QUICK = 'rate = 60\nwarm_up = "500ms"\nduration = "3s"\nprompts = ["when?"]\ntimeout = "2s"\n'
BOUNDS = '[bounds]\nlateness_p99 = "500ms"\nachieved = 0.9\n'


def runs(*alarms: bool) -> Calibration:
    made = [
        Run(latency=Outcome.FAIL if alarm else Outcome.PASS, errors=Outcome.PASS, pairs=500, words="")
        for alarm in alarms
    ]
    return Calibration(runs=tuple(made), planned=None)


@pytest.mark.parametrize(
    ("calibration", "outcome", "told"),
    [
        (runs(*[False] * 20), Outcome.PASS, "false alarms: 0 of 20 runs, so at most 13.9% at 95% confidence"),
        (runs(True, False), Outcome.FAIL, "false alarms: 1 of 2 runs, so at most 97.5% at 95% confidence"),
        (
            Calibration(runs=(Run(latency=Outcome.ERROR, errors=Outcome.ERROR, pairs=0, words="late"),), planned=None),
            Outcome.ERROR,
            "not sound: 1 of 1 runs, which say nothing",
        ),
    ],
)
def test_what_runs_come_to(calibration: Calibration, outcome: Outcome, told: str) -> None:
    assert calibration.outcome is outcome
    assert told in str(calibration)


def test_a_service_against_itself(serve: Any, run: Any, pair_of: Any) -> None:
    url = serve(seed=1).url
    seen: list[int] = []
    result = calibrate(
        (run(pair_of(url, url), rate=60, duration="4s") for _ in range(2)),
        Objectives(),
        pairs=240,
        told=lambda number, one: seen.append(number),
    )
    assert seen == [1, 2]
    assert result.alarms.total == 2
    assert result.planned is not None
    assert result.planned.measured == 480
    assert result.planned.visible is not None
    assert "it takes " in str(result)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "load" / "profiles").mkdir(parents=True)
    (tmp_path / "load" / "profiles" / "quick.toml").write_text(QUICK + BOUNDS)
    (tmp_path / "fixtures" / "environments").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_on_loopback(serve: Any, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["calibrate", "--url", serve(seed=1).url, "--profile", "quick", "--runs", "2", "--output", "c.json"]
    assert cli.main(words) == 0, capsys.readouterr()
    out = capsys.readouterr().out
    assert out.startswith("  1  latency ")
    assert "false alarms: 0 of 2 runs" in out
    document = json.loads((project / "c.json").read_text())
    assert document["profile"] == "quick"
    assert document["sound"] == 2
    assert document["plan"]["pairs"] == 180


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--url", "http://chat.example"], "load that no environment allows goes to loopback alone"),
        (["--url", "127.0.0.1:80"], "goes to loopback alone"),
        (["--url", "http://127.0.0.1:9", "--profile", "nothing"], "expected a load profile named "),
        (["--url", "http://127.0.0.1:9", "--runs", "0"], "--runs: expected at least 1, seen 0"),
        (["--env", "nowhere"], "nowhere"),
        (["--env", "demo"], "is brought up by each run anew; start it (`seatrial demo`)"),
        (["--env", "mine", "--service", "shop"], "--service: expected one of chat; seen 'shop'"),
    ],
)
def test_wrong_use(words: list[str], told: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "fixtures" / "environments" / "mine.toml").write_text(
        '[services.chat]\nurl.stable = "http://127.0.0.1:9"\n'
    )
    assert cli.main(["calibrate", *words]) == 2
    assert told in capsys.readouterr().err


def test_an_environment_that_allows_no_load_is_left_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "fixtures" / "environments" / "mine.toml").write_text(
        '[services.chat]\nurl.stable = "http://127.0.0.1:9"\n'
    )
    assert cli.main(["calibrate", "--env", "mine", "--profile", "quick"]) == 10
    assert "does not allow load" in capsys.readouterr().err
