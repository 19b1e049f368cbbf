"""The webhook answers from decisions as they were recorded: what was altered or taken away since opens nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial import cli
from seatrial.webhook.decisions import Answer, Asked, answer
from seatrial.webhook.recorded import AuditLog
from support.reports import NOW, good

POLICY = 'environment = "demo"\n[required.smoke]\nminimum = 4\n[evidence]\nmax_age = "1h"\n'
PROMOTE, HOLD, RECEIPT = "reports/one/decision.json", "reports/two/decision.json", "reports/two/receipt.json"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "SEATRIAL_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text(POLICY)
    return tmp_path


def decided(name: str, spoil: str = "", *words: str, minutes: int = 0) -> int:
    """A run that the gate has decided about, so many minutes after the first."""
    at = NOW + dt.timedelta(minutes=minutes)
    runs = good().of_run(finished=at.isoformat())
    (runs.but("smoke/ready", spoil) if spoil else runs).write(Path("reports") / name)
    return cli.main(["gate", f"reports/{name}", f"--now={at.isoformat()}", *words])


def asked(audit: str | None = None) -> Answer:
    """What the webhook says ten minutes later."""
    reports = Path("reports")
    log = AuditLog.beside(reports, Path(audit) if audit else None)
    moment = NOW + dt.timedelta(minutes=10)
    about = Asked(environment="demo", release="1.5.0")
    return answer(reports, about, now=moment, max_age=dt.timedelta(hours=1), log=log)


@pytest.mark.parametrize("audit", [None, "reports/audit.jsonl"])
def test_as_they_were_recorded(audit: str | None) -> None:
    assert decided("one") == 0
    assert asked(audit).decision == "promote"
    assert decided("two", "error", minutes=1) == 10
    assert asked(audit).decision == "hold"
    assert decided("two", minutes=2) == 0
    assert asked(audit).decision == "promote"


def edit(path: str, *changes: tuple[str, str]) -> None:
    for old, new in changes:
        text = Path(path).read_text()
        assert old in text
        Path(path).write_text(text.replace(old, new))


def a_hold_made_a_promotion() -> None:
    edit(HOLD, ('"decision":"hold"', '"decision":"promote"'), ('"exit_code":10', '"exit_code":0'))


def a_hold_made_one_about_another_release() -> None:
    edit(HOLD, ('"wanted":"1.5.0"', '"wanted":"1.4.0"'))


def a_receipt_made_to_fit() -> None:
    named = json.loads(Path(RECEIPT).read_text())["decision"]
    a_hold_made_a_promotion()
    edit(RECEIPT, (named, hashlib.sha256(Path(HOLD).read_bytes()).hexdigest()))


def a_receipt_taken_away() -> None:
    a_hold_made_a_promotion()
    Path(RECEIPT).unlink()


def a_receipt_of_another() -> None:
    shutil.copy("reports/one/receipt.json", RECEIPT)


def a_receipt_of_no_form() -> None:
    Path(RECEIPT).write_text("[]")


def a_receipt_that_is_a_pipe() -> None:
    Path(RECEIPT).unlink()
    os.mkfifo(RECEIPT)


def a_receipt_that_names_another_line() -> None:
    edit(RECEIPT, ('"seq":2', '"seq":1'))


def a_hold_taken_away() -> None:
    shutil.rmtree("reports/two")


def a_line_altered() -> None:
    edit("reports/audit.jsonl", ('"decision":"hold"', '"decision":"promote"'))


def the_end_of_the_log_cut_off() -> None:
    log = Path("reports/audit.jsonl")
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0])


def a_log_begun_anew() -> None:
    Path("reports/audit.jsonl").write_bytes(b"")


def a_log_that_is_a_pipe() -> None:
    Path("reports/audit.jsonl").unlink()
    os.mkfifo("reports/audit.jsonl")


ALTERED = "two/decision.json: it is not the decision that its receipt names: it was altered since; ask the gate again"
ABSENT = "two/decision.json: it is not in the audit log reports/audit.jsonl; ask the gate again"


@pytest.mark.parametrize("audit", [None, "reports/audit.jsonl"], ids=["at hand", "named"])
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (a_hold_made_a_promotion, ALTERED),
        (a_hold_made_one_about_another_release, ALTERED),
        (a_receipt_made_to_fit, ABSENT),
        (a_receipt_taken_away, ABSENT),
        (a_receipt_of_another, ALTERED),
        (a_receipt_of_no_form, "two/decision.json: receipt.json beside it is no receipt"),
        (a_receipt_that_is_a_pipe, "two/decision.json: receipt.json beside it is no regular file"),
        (a_receipt_that_names_another_line, ABSENT),
        (
            a_hold_taken_away,
            "reports/audit.jsonl has a decision of 2026-05-04T12:01:00Z about it, which is not in reports",
        ),
        (a_line_altered, "reports/audit.jsonl is not sound: line 2: altered"),
        (the_end_of_the_log_cut_off, ABSENT),
        (a_log_begun_anew, "one/decision.json: it is not in the audit log"),
        (a_log_that_is_a_pipe, "the audit log reports/audit.jsonl is no regular file"),
    ],
)
def test_what_is_not_as_it_was_recorded(spoil: Callable[[], None], reason: str, audit: str | None) -> None:
    assert decided("one") == 0
    assert decided("two", "error", minutes=1) == 10
    spoil()
    said = asked(audit)
    assert said.decision == "none"
    assert reason in said.reason


def test_a_receipt_alone_shows_what_was_altered() -> None:
    assert decided("one", "", "--audit=elsewhere.jsonl") == 0
    assert asked().decision == "promote"
    assert decided("two", "error", "--audit=elsewhere.jsonl", minutes=1) == 10
    a_hold_made_a_promotion()
    assert (asked().decision, ALTERED in asked().reason) == ("none", True)


def test_a_log_that_was_named_has_every_decision() -> None:
    assert decided("one", "", "--audit=elsewhere.jsonl") == 0
    assert asked("elsewhere.jsonl").decision == "promote"
    # That another log lies in the folder says nothing about a decision that is in another.
    assert decided("two", "error", minutes=-5) == 10
    assert asked().decision == "promote"
    assert "two/decision.json: it is not in the audit log elsewhere.jsonl" in asked("elsewhere.jsonl").reason
    assert "it is not in the audit log missing.jsonl" in asked("missing.jsonl").reason


def test_a_gate_that_is_deciding_anew_opens_nothing() -> None:
    assert decided("one") == 0
    # What it decided before is gone until it has decided.
    Path(PROMOTE).unlink()
    assert asked().decision == "none"
    assert decided("one") == 0
    assert asked().decision == "promote"


def test_one_of_the_shadow_is_not_missed() -> None:
    assert decided("one") == 0
    assert decided("two", "error", "--shadow", minutes=1) == 0
    shutil.rmtree("reports/two")
    assert asked().decision == "promote"


def test_the_log_is_read_anew_when_it_has_changed() -> None:
    log = AuditLog.beside(Path("reports"), None)
    assert decided("one") == 0
    first = Path(PROMOTE)
    log.vouch(first, hashlib.sha256(first.read_bytes()).hexdigest())
    assert log.newest("demo", "1.5.0")[0] == "2026-05-04T12:00:00Z"
    assert decided("two", minutes=1) == 0
    assert log.newest("demo", "1.5.0")[0] == "2026-05-04T12:01:00Z"
    assert log.newest("demo", "1.6.0") == ("", "")
