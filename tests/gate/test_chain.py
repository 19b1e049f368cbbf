"""The chain as pipelines use it: decisions of other environments out of files and out of the audit log."""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

from seatrial import cli
from seatrial.gate import audit, soundness
from support.reports import NOW, good

IMAGE = "sha256:" + "a1" * 32
GOOD = good().of_run(digests=(IMAGE,))
POLICY = 'environment = "{name}"\n[required.smoke]\nminimum = 4\n[evidence]\nmax_age = "1h"\n'
CHAIN = '[promotion]\nafter = ["staging"]\nmax_age = "7d"\n'


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policies = tmp_path / "fixtures" / "policies"
    policies.mkdir(parents=True)
    (policies / "staging.toml").write_text(POLICY.format(name="staging"))
    (policies / "production.toml").write_text(POLICY.format(name="production") + CHAIN)
    (policies / "lax.toml").write_text('[required.smoke]\n[evidence]\nmax_age = "any"\n')
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "SEATRIAL_"))]:
        monkeypatch.delenv(name)
    for name in ("staging", "production"):
        GOOD.of_run(environment=name, id=f"20260504T115000Z-{name}-abc123").write(Path(name))


def gate(name: str, *words: str, now: dt.datetime = NOW) -> int:
    return cli.main(["gate", name, f"--now={now.isoformat()}", *words])


def staging(*words: str, now: dt.datetime = NOW) -> int:
    return gate("staging", "--audit=staging.jsonl", *words, now=now)


def told() -> str:
    causes = json.loads(Path("production/decision.json").read_text())["causes"]
    return " | ".join(cause["sentence"] for cause in causes if cause["code"] == "no-promotion")


def test_a_file_of_the_environment_before(capsys: pytest.CaptureFixture[str]) -> None:
    assert gate("production") == 10
    out = capsys.readouterr().out
    assert "staging does not vouch for 1.5.0: no decision of it is known; --promoted names its" in " ".join(out.split())
    assert "  pytest --env=staging --release=1.5.0\n  seatrial gate --env=staging --release=1.5.0\n" in out
    assert staging() == 0
    assert gate("production", "--promoted=staging/decision.json") == 0
    assert gate("production", "--promoted=staging") == 0
    # What it rested on is part of the record.
    assert cli.main(["gate", "replay", "production/decision.json"]) == 0


def test_the_log_alone() -> None:
    assert gate("staging") == 0
    assert gate("production") == 0
    Path("staging/decision.json").unlink()
    assert gate("production") == 0
    promised = json.loads(Path("production/decision.json").read_text())["question"]["precedents"]
    assert [p["source"] for p in promised] == ["reports/audit.jsonl, number 1"]


def test_a_file_that_the_named_log_does_not_know() -> None:
    staging()
    assert gate("production", "--promoted=staging/decision.json", "--audit=production.jsonl") == 10
    assert "staging/decision.json is not in the audit log production.jsonl" in told()
    assert gate("production", "--promoted=staging/decision.json", "--audit=staging.jsonl") == 0


def test_a_hold_that_was_made_a_promotion() -> None:
    """Such a file agrees with itself. The log knows better."""
    GOOD.of_run(environment="staging").but("smoke/ready", "error").write(Path("staging"))
    assert staging() == 10
    path = Path("staging/decision.json")
    path.write_text(path.read_text().replace('"decision":"hold"', '"decision":"promote"', 1))
    assert gate("production", "--promoted=staging/decision.json", "--audit=staging.jsonl") == 10
    assert "staging/decision.json is not in the audit log staging.jsonl" in told()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"max_age":"1h"', '"max_age":"any"', "was changed since it was written: the policy in it"),
        ('"schema":1', '"schema": 1', "was changed since it was written: it is not in the form"),
        ('"junit.xml":"', '"junit.xml":"0', "was changed since it was written: the evidence in it"),
        ("{", "[", "is no decision that this version can read"),
    ],
)
def test_a_file_that_was_changed(old: str, new: str, words: str) -> None:
    staging()
    path = Path("staging/decision.json")
    path.write_text(path.read_text().replace(old, new, 1))
    assert gate("production", "--promoted=staging/decision.json") == 10
    assert words in told()


def test_a_log_that_was_changed_vouches_for_nothing() -> None:
    gate("staging")
    log = Path("reports/audit.jsonl")
    log.write_bytes(log.read_bytes().replace(b'"actor":""', b'"actor":"x"'))
    # Nothing can follow such a line either, so that the decision is not recorded: hold.
    assert gate("production", "--output=out") == 3
    assert not Path("out/decision.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--policy=lax", "--env=staging"), "by a policy that is not for staging"),
        (("--shadow",), "a decision in shadow"),
    ],
)
def test_decisions_that_do_not_count(words: tuple[str, ...], message: str) -> None:
    assert gate("staging", *words) == 0
    assert gate("production") == 10
    assert message in told()
    assert gate("production", "--promoted=staging/decision.json") == 10
    assert message in told()


def test_a_rollback_since() -> None:
    gate("staging")
    assert gate("production") == 0
    later = NOW + dt.timedelta(minutes=5)
    GOOD.of_run(environment="staging", id="later").but("smoke/ready", "fail").write(Path("staging"))
    assert gate("staging", now=later) == 20
    assert gate("production", now=later) == 10
    assert "it was promoted at 2026-05-04T12:00:00Z, and taken back at 2026-05-04T12:05:00Z" in told()


def test_a_rollback_that_was_carried_out_since() -> None:
    gate("staging")
    facts: dict[str, Any] = {"decision": "rollback", "environment": "staging", "release": "1.5.0", "state": "done"}
    with audit.opened(Path("reports/audit.jsonl")) as log:
        log.append("execution", facts, now=NOW + dt.timedelta(minutes=1))
    assert gate("production") == 10
    assert "and taken back at 2026-05-04T12:01:00Z (reports/audit.jsonl, number 2)" in told()


def test_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert gate("production", "--promoted=none.json") == 2
    assert "seatrial gate: none.json cannot be read: No such file" in capsys.readouterr().err
    assert gate("production", "--promoted=empty") == 2
    assert "there is no decision.json below empty" in capsys.readouterr().err
    assert gate("production", "--approval=none.json") == 2
    assert "none.json cannot be read" in capsys.readouterr().err


def test_the_log_of_all_this_is_sound() -> None:
    gate("staging")
    gate("production")
    gate("production", "--shadow")
    found = soundness.examine(Path("reports/audit.jsonl").read_bytes().splitlines(keepends=True))
    assert (found.findings, found.lines) == ((), 3)
    assert cli.main(["audit", "verify", "--decision", "production", "--decision", "staging"]) == 0
