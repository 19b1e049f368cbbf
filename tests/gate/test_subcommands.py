"""`seatrial gate WORD` is a subcommand where it names one, and a folder of reports where it does not."""

import json
import tomllib
from pathlib import Path

import pytest

from seatrial import cli
from support.reports import good

POLICY = 'environment = "demo"\n[required.smoke]\nminimum = 4\n[effects.config]\ncritical = "note"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text(POLICY)
    return tmp_path


def test_the_first_word_decides(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = cli.Command(name="list", module="seatrial.gate.policy_command", summary="list policies")
    gate = cli.Command(name="gate", module="seatrial.gate.command", summary="decide", subcommands=(listing,))
    monkeypatch.setattr(cli, "COMMANDS", (gate,))
    good().write(project / "list")
    assert cli.main(["gate", "list"]) == 0
    assert "requires smoke 4" in capsys.readouterr().out
    assert cli.main(["gate", "./list", "--policy=demo"]) == 10
    assert "in demo" in capsys.readouterr().out


def test_help_names_the_subcommands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    listing = cli.Command(name="list", module="seatrial.gate.policy_command", summary="list policies")
    gate = cli.Command(name="gate", module="seatrial.gate.command", summary="decide", subcommands=(listing,))
    monkeypatch.setattr(cli, "COMMANDS", (gate,))
    with pytest.raises(SystemExit) as ended:
        cli.main(["gate", "--help"])
    assert ended.value.code == 0
    assert "list  list policies" in capsys.readouterr().out


def test_policies_are_listed_and_shown(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["policy", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == ["base         requires smoke 4", "demo         requires smoke 4"]
    assert cli.main(["policy", "show", "demo"]) == 0
    shown = tomllib.loads(capsys.readouterr().out)
    assert shown["effects"] == {
        "critical": "rollback",
        "major": "hold",
        "minor": "note",
        "config": {"critical": "note"},
    }
    assert cli.main(["policy", "show", "demo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"] == shown


def test_what_is_shown_comes_to_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["policy", "show", "demo"])
    first = capsys.readouterr().out
    (project / "again.toml").write_text(first)
    cli.main(["policy", "show", "again.toml"])
    assert capsys.readouterr().out.splitlines()[1:] == first.splitlines()[1:]


def test_tables_in_lists_are_shown_as_toml(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = POLICY + (
        "[[freeze]]\nreason = 'x'\nfrom = 2026-05-01T00:00:00Z\nuntil = 2026-05-02T00:00:00Z\n"
        "[[waivers]]\nmatch = 'smoke/dns'\nowner = 'kim'\nreason = 'y'\nexpires = 2026-05-04\n"
        "[rollback.latency]\nrequires = ['latency/calibrated']\n"
    )
    (project / "fixtures" / "policies" / "demo.toml").write_text(text)
    cli.main(["policy", "show", "demo"])
    first = capsys.readouterr().out
    assert tomllib.loads(first)["waivers"] == tomllib.loads(text)["waivers"]
    (project / "again.toml").write_text(first)
    cli.main(["policy", "show", "again.toml"])
    assert capsys.readouterr().out.splitlines()[1:] == first.splitlines()[1:]
    cli.main(["policy", "show", "demo", "--json"])
    assert json.loads(capsys.readouterr().out)["policy"]["waivers"][0]["expires"] == "2026-05-04"


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["policy", "show", "--schema"]) == 0
    path = Path(__file__).parents[2] / "fixtures" / "policies" / "schema.json"
    assert capsys.readouterr().out == path.read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show"], "seatrial policy show: name one policy"),
        (["show", "dmo"], "there is no policy 'dmo' in fixtures/policies"),
        (["show", "none.toml"], "none.toml: cannot be read"),
    ],
)
def test_wrong_use(project: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["policy", *words]) == 2
    assert message in capsys.readouterr().err
