"""`seatrial gate backtest`: past runs under another policy, each at the moment at which it was decided."""

import json
from pathlib import Path

import pytest

from seatrial import cli
from support.reports import NOW, good

AT = f"--now={NOW.isoformat()}"
OLD = 'environment = "demo"\n[required.smoke]\nminimum = 4\n[evidence]\nmax_age = "1h"\n'
STALE = "the evidence is stale: 20260504T115000Z-demo-abc123 ended 5 min ago, at 2026-05-04T11:55:00Z; allowed is 2m"
NEW = OLD.replace('"1h"', '"2m"').replace("= 4", "= 3") + '[effects]\nmajor = "note"\n'


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Four runs: decided at their end or five minutes after it, and one that nobody decided."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text(OLD)
    (tmp_path / "new.toml").write_text(NEW)
    all_good = good()
    for name, reports, now in (
        ("a-good", all_good, "2026-05-04T11:55:00Z"),
        ("b-late", all_good, "2026-05-04T12:00:00Z"),
        ("c-major", all_good.but("latency/regression", "fail"), "2026-05-04T11:56:00Z"),
        ("d-bad", all_good.but("smoke/ready", "fail"), "2026-05-04T11:55:30Z"),
        ("e-undecided", all_good, ""),
    ):
        reports.write(tmp_path / "reports" / name)
        if now:
            cli.main(["gate", f"reports/{name}", f"--now={now}"])
    (tmp_path / "reports" / "latest").symlink_to("e-undecided")
    capsys.readouterr()
    return tmp_path


def runs(past: Path) -> list[str]:
    return [f"reports/{path.name}" for path in sorted((past / "reports").iterdir())]


def test_table(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gate", "backtest", "--policy=new.toml", *runs(past)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "run          at                decided   would     why",
        "a-good       2026-05-04 11:55  promote   promote",
        "e-undecided  2026-05-04 11:55  -         promote",
        "d-bad        2026-05-04 11:55  rollback  rollback",
        "c-major      2026-05-04 11:56  hold      promote   no longer failed-checks",
        f"b-late       2026-05-04 12:00  promote   hold      {STALE}",
        "",
        "5 runs by policy new: 3 promote, 1 hold, 1 rollback",
        "decided then: 2 promote, 1 hold, 1 rollback, 1 undecided",
        "differs in 2: 1 from hold to promote, 1 from promote to hold",
    ]


def test_the_policy_that_decided_decides_the_same(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gate", "backtest", "--policy=demo", *runs(past)]) == 0
    assert capsys.readouterr().out.endswith("differs in 0\n")


def test_as_json(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gate", "backtest", "--policy=new.toml", "--json", "reports/b-late", "reports/a-good"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"promote": 1, "hold": 1}
    assert [(run["run"], run["decided"], run["would"], run["differs"]) for run in document["runs"]] == [
        ("a-good", "promote", "promote", False),
        ("b-late", "promote", "hold", True),
    ]
    assert document["runs"][1]["causes"] == ["stale-evidence"]


def test_nothing_is_written(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in past.rglob("*") if path.is_file()}
    cli.main(["gate", "backtest", "--policy=new.toml", *runs(past)])
    assert before == {path: path.read_bytes() for path in past.rglob("*") if path.is_file()}


def test_a_run_is_asked_what_it_was_asked_then(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gate", "reports/a-good", AT, "--release=9.9.9"]) == 10
    capsys.readouterr()
    cli.main(["gate", "backtest", "--policy=demo", "--json", "reports/a-good"])
    assert json.loads(capsys.readouterr().out)["runs"][0]["causes"] == ["other-release"]


def test_a_record_that_is_none_counts_as_undecided(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (past / "reports" / "a-good" / "decision.json").write_text("{")
    assert cli.main(["gate", "backtest", "--policy=demo", "reports/a-good"]) == 0
    ended = capsys.readouterr()
    assert "a-good/decision.json: is no decision that this version can read" in ended.err
    assert "decided then: 1 undecided" in ended.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--policy=none", "reports/a-good"], "there is no policy 'none'"),
        (["--policy=demo", "nowhere"], "expected folders of runs, seen nowhere"),
        (["--policy=demo", "reports/a-good/junit.xml"], "expected folders of runs"),
    ],
)
def test_wrong_use(past: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gate", "backtest", *words]) == 2
    assert message in capsys.readouterr().err
