"""What people read of a decision names no folder of the machine, and its commands can be pasted where it was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seatrial import cli
from seatrial.report.reader import command_for
from support.reports import NOW, Reports, good, told

POLICY = 'environment = "demo"\n[required.smoke]\nminimum = 4\n[evidence]\nmax_age = "1h"\n'
APPROVED = '[approval]\nrequired = true\n[[approval.identities]]\nname = "alice"\nkey = "{key}"\n'
KEY = "A" * 43 + "="


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "fixtures" / "policies").mkdir(parents=True)
    (folder / "fixtures" / "policies" / "demo.toml").write_text(POLICY)
    monkeypatch.chdir(folder)
    return folder


def gate(*words: str) -> int:
    return cli.main(["gate", f"--now={NOW.isoformat()}", *words])


def telling(folder: Path) -> Reports:
    """Reports with paths in what they say: of a case that failed, of one that passed, of one that was skipped."""
    more: Any = {"remedy": f"compare both tracks in {folder}/samples/chat.ndjson"}
    failed = told("latency/p95", "fail", message=f"slower, see {folder}/a.png", seen="0.4", **more)
    passed = told("latency/p50", message=f"as fast, see {folder}/b.png")
    return good().plus(failed).plus(passed).but("smoke/live", None, message=f"no {folder}/token").only("evidence")


@pytest.mark.parametrize("inside", [True, False], ids=["in the project", "outside of it"])
def test_no_folder_of_the_machine_is_shown(
    project: Path, tmp_path: Path, inside: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = (project if inside else tmp_path) / "reports" / "run"
    telling(folder).write(folder)
    assert gate(str(folder)) in (10, 20)
    out = " ".join(capsys.readouterr().out.split())
    shown = "reports/run/" if inside else ""
    for name in ("summary.md", "decision.html"):
        text = (folder / name).read_text()
        assert str(tmp_path) not in text
        assert f"see {shown}a.png" in text
        assert f"no {shown}token" in text
    assert f"Do:</b> compare both tracks in {shown}samples/chat.ndjson" in (folder / "decision.html").read_text()
    # A path that is good from here is shown on the terminal, and another is left whole.
    assert f"compare both tracks in {shown or f'{folder}/'}samples/chat.ndjson" in out
    # The record is a function of the reports, wherever they lie.
    assert str(folder) in (folder / "decision.json").read_text()
    assert cli.main(["gate", "replay", str(folder / "decision.json")]) == 0


@pytest.mark.parametrize("output", ["reports/run", "out put"])
def test_commands_name_the_record_where_it_lies(project: Path, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "fixtures" / "policies" / "demo.toml").write_text(POLICY + APPROVED.format(key=KEY))
    good().write(project / "reports" / "run")
    assert gate("reports/run", "--actor=bob", *([] if output == "reports/run" else [f"--output={output}"])) == 10
    quoted = f"'{output}/decision.json'" if " " in output else f"{output}/decision.json"
    command = f"seatrial approve --decision {quoted} --identity NAME --key KEY.pem"
    assert command in capsys.readouterr().out
    assert command in (project / output / "summary.md").read_text()
    assert command.replace("'", "&#x27;") in (project / output / "decision.html").read_text().replace("&#39;", "&#x27;")
    # Where it is read from is no part of the record.
    recorded = json.loads((project / output / "decision.json").read_text())["next"]
    assert recorded == ["seatrial approve --decision decision.json --identity NAME --key KEY.pem"]
    capsys.readouterr()
    assert cli.main(["gate", "explain", f"{output}/decision.json"]) == 0
    assert command in capsys.readouterr().out


def test_what_there_is_no_room_for_is_in_the_record(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = [told(f"smoke/x{number}", "fail", message="no") for number in range(30)]
    reports = good()
    for case in failed:
        reports = reports.plus(case)
    reports.only("evidence").write(project / "reports" / "run")
    assert gate("reports/run") in (10, 20)
    assert "more, all in reports/run/decision.json\n" in capsys.readouterr().out
    assert "more, all in `reports/run/decision.json`.\n" in (project / "reports" / "run" / "summary.md").read_text()


def test_a_page_elsewhere_names_the_reports_from_where_it_lies(project: Path) -> None:
    good().write(project / "reports" / "run")
    gate(str(project / "reports" / "run"), "--output=kept/here")
    page = (project / "kept" / "here" / "decision.html").read_text()
    assert "seatrial gate replay decision.json --reports=../../reports/run<" in page


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("seatrial gate replay decision.json", "seatrial gate replay a/decision.json"),
        ("pytest --env=demo -k 'a b'", "pytest --env=demo -k 'a b'"),
        ("seatrial approve --decision b/decision.json", "seatrial approve --decision b/decision.json"),
        ("seatrial 'half", "seatrial 'half"),
    ],
)
def test_only_the_word_itself_is_the_record(command: str, shown: str) -> None:
    assert command_for(command, "a/decision.json") == shown
