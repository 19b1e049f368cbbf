"""The in-toto Statement, as the library of its authors reads it."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult as Result
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from seatrial import cli
from support.reports import NOW, Reports, good

IMAGE, OTHER = "sha256:" + "a1" * 32, "sha256:" + "b2" * 32
GOOD = good().of_run(digests=(IMAGE, OTHER), environment_hash="c3" * 32)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text(
        'environment = "demo"\n[required.smoke]\nminimum = 4\n[evidence]\nmax_age = "1h"'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI_JOB_URL", "https://forge.example/jobs/1")


def decided(reports: Reports, *words: str) -> int:
    reports.write(Path("run"))
    return cli.main(["gate", "run", f"--now={NOW.isoformat()}", *words])


def written() -> tuple[Statement, Any]:
    values = json.loads(Path("run/statement.intoto.json").read_text())
    # Unknown fields are errors to this parser, so that a name that is not in the schema is seen.
    parsed = ParseDict(values, statement_pb2.Statement())
    whole = Statement.copy_from_pb(parsed)
    whole.validate()
    result = ParseDict(values["predicate"], Result())
    for descriptor in result.configuration:
        ResourceDescriptor.copy_from_pb(descriptor).validate()
    return whole, result


@pytest.mark.parametrize(
    ("reports", "code", "result", "warned", "failed"),
    [
        (GOOD, 0, "PASSED", [], []),
        (
            GOOD.but("helm/release-deployed", "fail", track=""),
            0,
            "WARNED",
            ["helm/release-deployed[chatbot]"],
            [],
        ),
        (GOOD.but("smoke/ready", "error"), 10, "FAILED", [], ["smoke/ready[chat]@candidate"]),
        (GOOD.but("smoke/ready", "fail"), 20, "FAILED", [], ["smoke/ready[chat]@candidate"]),
        # What did not run did not fail; but nothing that is missing passes.
        (GOOD.but("smoke/ready", None), 10, "FAILED", [], []),
    ],
)
def test_what_it_says(reports: Reports, code: int, result: str, warned: list[str], failed: list[str]) -> None:
    assert decided(reports) == code
    whole, told = written()
    assert whole.pb.type == "https://in-toto.io/Statement/v1"
    assert whole.pb.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
    assert [dict(subject.digest) for subject in whole.pb.subject] == [{"sha256": "a1" * 32}, {"sha256": "b2" * 32}]
    assert (told.result, list(told.warned_tests), list(told.failed_tests)) == (result, warned, failed)
    assert told.url == "https://forge.example/jobs/1"
    assert ("smoke/ready[chat]@candidate" in told.passed_tests) is (result != "FAILED")
    assert not [key for key in told.passed_tests if key.endswith("@stable")]
    configuration = {descriptor.name: descriptor.digest["sha256"] for descriptor in told.configuration}
    decision = json.loads(Path("run/decision.json").read_text())
    receipt = json.loads(Path("run/receipt.json").read_text())
    assert configuration == {
        "policy": decision["policy"]["sha256"],
        "evidence": decision["evidence"]["sha256"],
        "environment": "c3" * 32,
        "decision.json": receipt["decision"],
    }


def test_without_digests_there_is_none_and_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    decided(GOOD)
    assert Path("run/statement.intoto.json").exists()
    assert decided(GOOD.of_run(digests=())) == 0
    assert not Path("run/statement.intoto.json").exists()
    assert "no statement.intoto.json: a statement is about images by digest, and none is" in capsys.readouterr().out


@pytest.mark.parametrize("digest", ["1.5.0", "sha256:abc", "md5:" + "a" * 32])
def test_what_is_no_digest_is_no_subject(digest: str) -> None:
    decided(GOOD.of_run(digests=(IMAGE, digest)))
    assert not Path("run/statement.intoto.json").exists()


def test_a_shadow_attests_nothing() -> None:
    decided(GOOD, "--shadow")
    assert not Path("run/statement.intoto.json").exists()
