"""Approvals: who may give one, for what and how long; and that none can be made by changing another."""

import base64
import datetime as dt
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from seatrial import cli
from seatrial.gate import keys, policy_file, soundness
from seatrial.gate.approval import Approval, ApprovalProblem, check, is_deployer
from seatrial.gate.change import Change
from seatrial.gate.keys import KeyProblem
from seatrial.gate.promotion_rules import ApprovalRules, Identity
from support.approvals import ALICE, BOB, MALLORY, approval, identity, subject
from support.gate import question
from support.reports import NOW, Reports, good

GOOD = good()
RULES: dict[str, Any] = {"required": True, "identities": [identity(ALICE, accounts=["alice-gh"]), identity(BOB)]}
SUBJECT = subject(GOOD, {"approval": RULES})
DEPLOYER = Change(actor="dave", actor_from="--actor")
TEXT = approval(ALICE, SUBJECT).sealed(ALICE.secret)


def rules(**changes: Any) -> ApprovalRules:
    return msgspec.convert({**RULES, **changes}, ApprovalRules)


def checked(text: str, *, about: Any = SUBJECT, change: Change = DEPLOYER, now: dt.datetime = NOW, **more: Any) -> str:
    return check(text, rules(**more), about, question(change=change, now=now)).name


def test_a_good_one() -> None:
    assert checked(TEXT) == "alice@example"


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("", {}, "it is no signed file"),
        ("{}", {}, "it is no signed file"),
        ("[" * 100_000, {}, "it is no signed file"),
        (TEXT.rstrip("\n"), {}, "not in the form in which it was written"),
        (TEXT.replace('"payloadType"', ' "payloadType"'), {}, "not in the form"),
        (TEXT.replace("approval+json", "approval+jsom"), {}, "it is no approval: expected application/vnd"),
        (approval(MALLORY, SUBJECT).sealed(MALLORY.secret), {}, "mallory@example is not among those who may approve"),
        (approval(ALICE, SUBJECT).sealed(MALLORY.secret), {}, "its signature is not that of alice@example"),
        (approval(ALICE, SUBJECT).sealed(BOB.secret), {}, "its signature is not that of alice@example"),
        (TEXT, {"about": replace(SUBJECT, evidence="0" * 64)}, "given for another evidence: approved "),
        (
            TEXT,
            {"about": replace(SUBJECT, environment="production")},
            "another environment: approved demo, decided prod",
        ),
        (TEXT, {"about": replace(SUBJECT, release="1.6.0")}, "another release: approved 1.5.0, decided 1.6.0"),
        (TEXT, {"about": replace(SUBJECT, digests=("sha256:1",))}, "another image digests: approved none, decided sha"),
        (TEXT, {"about": replace(SUBJECT, policy="0" * 64)}, "another policy"),
        (TEXT, {"now": NOW + dt.timedelta(minutes=59)}, "that of alice@example expired at 2026-05-04T12:59:00Z"),
        (TEXT, {"now": NOW - dt.timedelta(minutes=7)}, "gave it in the future, at 2026-05-04T11:59:00Z"),
        (TEXT, {"now": NOW + dt.timedelta(minutes=3), "max_age": "3m"}, "gave it too long ago"),
        (TEXT, {"change": Change(actor="alice@example")}, "alice@example deploys this release as alice@example"),
        (TEXT, {"change": Change(actor="Alice-GH")}, "deploys this release as Alice-GH"),
    ],
)
def test_what_does_not_count(text: str, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ApprovalProblem) as problem:
        checked(text, **more)
    assert words in str(problem.value)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"), st.sampled_from(["replace", "insert", "remove"]))
def test_any_change_of_the_file_is_refused(place: int, character: str, how: str) -> None:
    inserted = "" if how == "remove" else character
    changed = TEXT[:place] + inserted + TEXT[place + (how != "insert") :]
    if changed == TEXT:
        return
    with pytest.raises(ApprovalProblem):
        checked(changed)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_content_passes_under_a_signature_of_another(data: st.DataObject) -> None:
    envelope = json.loads(TEXT)
    content = json.loads(base64.b64decode(envelope["payload"]))
    name = data.draw(st.sampled_from(["identity", "expires", "issued", "decision", "subject"]))
    if name == "subject":
        inner = data.draw(st.sampled_from(["evidence", "policy", "environment", "release"]))
        content["subject"][inner] += data.draw(st.text(min_size=1, max_size=3))
    else:
        content[name] = data.draw(st.sampled_from(["bob@example", "2027-01-01T00:00:00Z", "e" * 64]))
    envelope["payload"] = base64.b64encode(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).decode()
    with pytest.raises(ApprovalProblem):
        checked(json.dumps(envelope, sort_keys=True, separators=(",", ":")) + "\n")


@pytest.mark.parametrize(
    ("actor", "name", "accounts", "same"),
    [
        ("alice", "alice@example", (), True),
        ("ALICE", "alice@example", (), True),
        (" alice ", "alice", (), True),
        ("alice@example", "alice", (), True),
        ("alice@other", "alice@example", (), False),
        ("alice@other", "alice@example", ("alice@other",), True),
        ("al", "alice@example", ("AL",), True),
        ("bob", "alice@example", ("al",), False),
        ("", "alice@example", (), False),
    ],
)
def test_who_deploys_is_known_by_any_name(actor: str, name: str, accounts: tuple[str, ...], same: bool) -> None:
    assert is_deployer(Identity(name=name, key="x", accounts=accounts), actor) is same


def test_a_library_of_dsse_verifies_it() -> None:
    envelope = Envelope.from_dict(json.loads(TEXT))
    key = SSlibKey.from_crypto(ALICE.secret.public_key(), keyid=keys.key_id(ALICE.public))
    assert list(envelope.verify([key], 1)) == [key.keyid]
    other = SSlibKey.from_crypto(BOB.secret.public_key(), keyid=keys.key_id(ALICE.public))
    with pytest.raises(VerificationError):
        envelope.verify([other], 1)


def test_other_tools_read_the_envelope() -> None:
    """The signature is over DSSE's encoding, computed here from its specification alone."""
    envelope = json.loads(TEXT)
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    ALICE.secret.public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
    assert Approval.opened(TEXT)[0].identity == "alice@example"


POLICY = """
environment = "demo"
[evidence]
max_age = "any"
[required.smoke]
minimum = 4
[approval]
required = true
minimum = {minimum}
[[approval.identities]]
name = "alice@example"
key = "{alice}"
accounts = ["alice-gh"]
[[approval.identities]]
name = "bob@example"
key = "keys/bob.pem"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    policies = tmp_path / "fixtures" / "policies"
    (policies / "keys").mkdir(parents=True)
    (policies / "keys" / "bob.pem").write_bytes(BOB.public_pem())
    (policies / "demo.toml").write_text(POLICY.format(alice=ALICE.public, minimum=1))
    for who in (ALICE, BOB, MALLORY):
        (tmp_path / f"{who.name.partition('@')[0]}.pem").write_bytes(who.pem())
    GOOD.write(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "GITLAB_", "SEATRIAL_", "BUILD_"))]:
        monkeypatch.delenv(name)
    return tmp_path


def gate(*words: str) -> int:
    return cli.main(["gate", "run", "--actor=dave", *words])


def approve(who: str, *words: str, name: str = "") -> int:
    chosen = name or f"{who}@example"
    return cli.main(["approve", "--decision=run/decision.json", f"--identity={chosen}", f"--key={who}.pem", *words])


def decision() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("run/decision.json").read_text())
    return found


def test_hold_then_approve_then_promote(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate() == 10
    told = " ".join(capsys.readouterr().out.split())
    assert "promotion needs 1 approval of this evidence" in told
    assert "who may: alice@example, bob@example" in told
    assert "seatrial approve --decision" in told
    assert approve("bob") == 0
    assert f"evidence {decision()['evidence']['sha256']}" in capsys.readouterr().out
    assert gate("--approval=run/approval.json") == 0
    with Path("reports/audit.jsonl").open("rb") as stream:
        entries = list(soundness.entries(stream))
    assert [(entry.kind, entry.facts.get("identity")) for entry in entries] == [
        ("decision", None),
        ("approval", "bob@example"),
        ("decision", None),
    ]
    # The promotion is one of the record, and can be made once more with the approval that is in it.
    assert cli.main(["gate", "replay", "run/decision.json"]) == 0
    assert "IDENTICAL  promote" in capsys.readouterr().out


def test_more_evidence_voids_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate()
    approve("bob")
    GOOD.but("helm/release-deployed", "fail", track="").of_run(id="later").write(project / "run" / "again")
    assert gate("--approval=run/approval.json") == 10
    assert "an approval does not count: it was given for another evidence" in capsys.readouterr().out


def test_two_people(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "fixtures" / "policies" / "demo.toml").write_text(POLICY.format(alice=ALICE.public, minimum=2))
    gate()
    approve("bob", "--output=one.json")
    approve("bob", "--expires=2h", "--output=two.json")
    approve("alice", "--output=three.json", "--audit=audit.jsonl")
    capsys.readouterr()
    assert gate("--approval=one.json", "--approval=two.json") == 10
    assert "needs 2 approvals of this evidence" in (told := capsys.readouterr().out)
    assert "given are 1 (bob@example); who may: alice@example" in " ".join(told.split())
    assert gate("--approval=one.json", "--approval=three.json") == 0
    assert "identity alice@example" in "".join(_shown(capsys, "audit.jsonl"))


def _shown(capsys: pytest.CaptureFixture[str], log: str) -> str:
    capsys.readouterr()
    assert cli.main(["audit", "show", log]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("who", "words", "name", "message"),
    [
        ("mallory", (), "", "--identity: mallory@example may not approve here; the policy lists alice@example, bob@"),
        ("mallory", (), "bob@example", "--key: is not the key that the policy has for bob@example"),
        ("bob", ("--expires=soon",), "", "--expires: expected such as 90m or 4h, seen 'soon'"),
        ("bob", ("--expires=0h",), "", "--expires: expected such as"),
        ("bob", ("--decision=none.json",), "", "--decision: none.json cannot be read"),
        ("bob", ("--decision=run/junit.xml",), "", "--decision: run/junit.xml: is no decision"),
        ("bob", ("--key=none.pem",), "", "--key: none.pem: No such file"),
        ("bob", ("--key=run/junit.xml",), "", "--key: run/junit.xml: expected a private key in PEM"),
        ("bob", ("--key=fixtures/policies/keys/bob.pem",), "", "expected a private key in PEM"),
        ("bob", ("--output=none/x.json",), "", "--output: none/x.json: No such file"),
        ("bob", ("--audit=run",), "", "--audit: nothing is approved: run: Is a directory"),
    ],
)
def test_wrong_use(
    project: Path, who: str, words: tuple[str, ...], name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gate()
    assert approve(who, *words, name=name) == 2
    assert message in capsys.readouterr().err
    assert not Path("run/approval.json").exists()


def test_who_deploys_and_what_is_bad_is_not_signed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["gate", "run", "--actor=alice-gh"])
    assert approve("alice") == 2
    assert "alice@example deploys this release as alice-gh, and may not approve it" in capsys.readouterr().err
    bad: Reports = GOOD.but("smoke/ready", "fail")
    bad.write(project / "run")
    assert gate() == 20
    assert approve("bob") == 2
    assert "it says rollback, and no approval changes that" in capsys.readouterr().err


def test_a_decision_that_was_changed_is_not_signed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate()
    path = Path("run/decision.json")
    path.write_text(path.read_text().replace('"max_age":"any"', '"max_age":"4h"', 1))
    assert approve("bob") == 2
    assert "was changed since it was written: the policy in it has the hash" in capsys.readouterr().err


def test_keys_are_made_for_their_owner_alone(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["approve", "keygen", "carol.pem", "--identity=carol@example"]) == 0
    told = capsys.readouterr().out
    assert stat.S_IMODE(Path("carol.pem").stat().st_mode) == 0o600
    assert cli.main(["approve", "keygen", "carol.pem"]) == 2
    assert "carol.pem: File exists" in capsys.readouterr().err
    # What it prints goes into a policy as it is.
    added = POLICY.format(alice=ALICE.public, minimum=1) + told.partition("\n\n")[2]
    Path("fixtures/policies/demo.toml").write_text(added)
    gate()
    assert approve("carol") == 0
    assert gate("--approval=run/approval.json") == 0
    monkeypatch.setenv("SEATRIAL_KEY_PASSPHRASE", "open sesame")
    assert cli.main(["approve", "keygen", "locked.pem", "--passphrase"]) == 0
    assert b"ENCRYPTED" in Path("locked.pem").read_bytes()
    assert keys.public_of(keys.private(Path("locked.pem"), "open sesame")) in capsys.readouterr().out
    monkeypatch.setenv("SEATRIAL_KEY_PASSPHRASE", "wrong")
    with pytest.raises(KeyProblem, match="the passphrase is wrong"):
        keys.private(Path("locked.pem"), "wrong")
    with pytest.raises(KeyProblem, match="it needs its passphrase"):
        keys.private(Path("locked.pem"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("key = 'AAAA'", "approval.identities[1].key: expected the 32 bytes of a public Ed25519 key in base64, seen 3"),
        ("key = '%%'", "approval.identities[1].key: expected a public Ed25519 key in base64"),
        ("key = 'none.pem'", "none.pem: No such file"),
        ("kye = 'x'", "approval.identities[1].kye: unknown key; did you mean key?"),
        ("", "approval.identities[1]: expected key too, seen name"),
        (
            f"key = '{BOB.public}'\n[[approval.identities]]\nname='b'\nkey='{BOB.public}'",
            "one key cannot stand for two",
        ),
    ],
)
def test_wrong_keys_of_a_policy(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(f"[[approval.identities]]\nname = 'a'\n{text}")
    with pytest.raises(policy_file.PolicyProblem) as problem:
        policy_file.load(path)
    assert message in str(problem.value)
