"""`seatrial gate explain`, character by character; `SEATRIAL_REWRITE_GOLDEN=1` writes what is compared."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gate.test_summaries import compare
from seatrial import cli
from seatrial.gate import collection, record
from seatrial.gate.decision import decide
from seatrial.report import explanation
from support.decisions.rules import frozen, waiver
from support.gate import policy, question
from support.reports import NOW, Reports, good

GOOD = good()
SAMPLES: dict[str, tuple[Reports, dict[str, Any]]] = {
    "promote": (GOOD, {}),
    "missing": (GOOD.without("synthetic/greeting").but("smoke/ready", None, message="no address"), {}),
    "rollback": (GOOD.but("smoke/ready", "fail", message="503 after 3 attempts").but("smoke/live", "error"), {}),
    "withheld": (GOOD.but("smoke/ready", "fail").but("rollback/history", "fail", track=""), {}),
    "shared": (GOOD.but("smoke/ready", "fail").but("smoke/ready", "fail", track="stable"), {}),
    "major": (GOOD.but("latency/regression", "fail"), {"budgets": {"inconclusive": 2}}),
    "undecided": (GOOD.but("latency/regression", "inconclusive"), {}),
    "frozen": (GOOD, frozen(-30, 30)),
    "waived": (GOOD.but("latency/regression", "fail"), waiver("latency/*")),
    "stale": (replace(GOOD, state="interrupted").of_run(finished="2026-05-04T08:00:00Z"), {}),
}
AT = f"--now={NOW.isoformat()}"


@pytest.mark.parametrize("name", SAMPLES)
def test_explanation(name: str, tmp_path: Path) -> None:
    reports, changes = SAMPLES[name]
    rules = policy(name="demo", **changes)
    decision = decide(collection.read([reports.write(tmp_path)]), rules, question())
    document = json.loads(record.dumps(record.document(decision, rules, question())))
    # New keys of policies change every hash; they are no part of what is compared.
    document["policy"]["sha256"] = "0" * 64
    compare(f"explain-{name}.txt", explanation.render(document, rules) + "\n")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text('environment = "demo"\n[required.smoke]\nminimum = 9')
    GOOD.write(tmp_path / "reports" / "latest")
    return tmp_path


def explain(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert cli.main(["gate", "explain", *words]) == code
    ended = capsys.readouterr()
    return ended.out if code == 0 else ended.err


def test_reports_are_decided_and_nothing_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = explain(capsys, AT)
    assert "for promote: 5 more smoke checks to be executed" in text
    rule = next(line for line in text.splitlines() if line.startswith("  required.smoke.minimum"))
    assert rule.split() == ["required.smoke.minimum", "at", "least", "9", "executed", "4", "NOT", "MET"]
    assert not (project / "reports" / "latest" / "decision.json").exists()


def test_what_was_recorded_explains_itself(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gate", AT]) == 10
    capsys.readouterr()
    anew = explain(capsys, AT)
    assert explain(capsys) == explain(capsys, "reports/latest/decision.json") == anew
    # Reports that change afterwards do not change what was decided.
    (project / "reports" / "latest" / "junit.xml").unlink()
    assert explain(capsys) == anew
    # Neither does another policy.
    (project / "fixtures" / "policies" / "demo.toml").unlink()
    assert explain(capsys) == anew


def test_a_shadow_is_explained_as_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gate", AT, "--shadow"]) == 0
    capsys.readouterr()
    assert explain(capsys).startswith("SHADOW  nothing was decided")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no decision that this version can read"),
        ("[" * 100_000, "is nested deeper than any decision"),
        ("[]", "expected a decision of schema 1, seen 'None'"),
        ('{"decision": "hold", "schema": 99}', "expected a decision of schema 1, seen '99'"),
        ('{"decision": "hold", "schema": 1}', "is no decision that this version can read"),
    ],
)
def test_what_is_no_decision(project: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "x.json").write_text(content)
    assert message in explain(capsys, "x.json", code=2)


def test_a_record_is_explained_as_it_was_asked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["gate", AT])
    capsys.readouterr()
    assert "explained alone" in explain(capsys, "reports/latest/decision.json", "--env=demo", code=2)


def test_a_record_that_was_changed_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["gate", AT])
    path = project / "reports" / "latest" / "decision.json"
    document = json.loads(path.read_text())
    document["policy"]["rules"]["required"]["smoke"]["minimum"] = 1
    path.write_text(record.dumps(document))
    capsys.readouterr()
    assert "was changed since it was written: the policy in it has the hash" in explain(capsys, code=2)
