"""`seatrial approve`: sign that a release may be promoted on the evidence that was seen. 0 signed, 2 wrong use."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import os
import sys
from pathlib import Path
from typing import Final

from seatrial.evidence.run import timestamp, write_atomically
from seatrial.gate import audit, keys, replay
from seatrial.gate.approval import Approval, Subject, is_deployer
from seatrial.gate.asking import UsageProblem, guarded
from seatrial.gate.audit import NotRecorded
from seatrial.gate.gathering import LARGEST_DECISION
from seatrial.gate.keys import KeyProblem
from seatrial.gate.replay import Recorded
from seatrial.gate.section import seconds
from seatrial.report.text import plain

PASSPHRASE: Final = "SEATRIAL_KEY_PASSPHRASE"
_ITS_OWN: Final = frozenset({"no-approval", "void-approval", "no-deployer"})
"""Causes that an approval answers, or that another way of asking does."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--decision", required=True, metavar="FILE", help="decision.json of the evidence to approve")
    parser.add_argument("--identity", required=True, metavar="NAME", help="your name as the policy lists it")
    parser.add_argument(
        "--key",
        required=True,
        metavar="FILE",
        help=f"your private key; its passphrase is asked for, or in {PASSPHRASE}",
    )
    parser.add_argument("--expires", default="4h", metavar="SPAN", help="how long it holds, such as 90m or 4h [4h]")
    parser.add_argument("--output", metavar="FILE", help="the approval [approval.json beside the decision]")
    parser.add_argument("--audit", metavar="FILE", help="audit log that takes a line of it [none: the gate adds it]")
    parser.add_argument("--traceback", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Sign, and say what was signed."""
    return guarded("approve", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    span = seconds(arguments.expires)
    if not span:
        raise UsageProblem(f"--expires: expected such as 90m or 4h, seen {arguments.expires!r}")
    decision = Path(arguments.decision)
    recorded = _recorded(decision)
    _may(recorded, arguments.identity)
    approval = Approval(
        identity=arguments.identity,
        issued=now,
        expires=now + dt.timedelta(seconds=span),
        decision=recorded.sha256,
        subject=subject_of(recorded),
    )
    try:
        secret = keys.private(Path(arguments.key), _passphrase(Path(arguments.key)))
    except KeyProblem as problem:
        raise UsageProblem(f"--key: {problem}") from None
    listed = [entry.key for entry in recorded.policy.approval.identities if entry.name == arguments.identity]
    if keys.public_of(secret) not in listed:
        raise UsageProblem(f"--key: is not the key that the policy has for {arguments.identity}")
    text = approval.sealed(secret)
    output = Path(arguments.output) if arguments.output else decision.with_name("approval.json")
    if arguments.audit:
        _log(Path(arguments.audit), approval, text, now)
    try:
        write_atomically(output, text)
    except OSError as error:
        raise UsageProblem(f"--output: {output}: {error.strerror or error}") from None
    print(_told(recorded, approval))
    print(f"\nwritten to {output}; next\n  seatrial gate ... --approval {output}")
    return 0


def _recorded(path: Path) -> Recorded:
    try:
        with path.open("rb") as stream:
            return replay.load(stream.read(LARGEST_DECISION))
    except OSError as error:
        raise UsageProblem(f"--decision: {path} cannot be read: {error.strerror or error}") from None
    except replay.RecordProblem as problem:
        raise UsageProblem(f"--decision: {path}: {problem}") from None


def _may(recorded: Recorded, identity: str) -> None:
    """Raises UsageProblem where an approval by this person would not count: better said before than by the gate."""
    rules = recorded.policy.approval
    known = [entry for entry in rules.identities if entry.name == identity]
    if not known:
        names = ", ".join(dict.fromkeys(entry.name for entry in rules.identities)) or "nobody"
        raise UsageProblem(f"--identity: {identity} may not approve here; the policy lists {names}")
    actor = recorded.question.change.actor
    if actor and is_deployer(known[0], actor):
        raise UsageProblem(f"--identity: {identity} deploys this release as {actor}, and may not approve it")
    if recorded.values["decision"] == "rollback":
        raise UsageProblem("--decision: it says rollback, and no approval changes that")


def subject_of(recorded: Recorded) -> Subject:
    """What an approval of this decision is about."""
    values = recorded.values
    return Subject(
        evidence=values["evidence"]["sha256"],
        policy=values["policy"]["sha256"],
        environment=values["environment"],
        release=values["release"]["wanted"],
        digests=tuple(values["release"]["digests"]),
    )


def _passphrase(key: Path) -> str:
    """Of a key that needs one: from the variable, else asked for."""
    given = os.environ.get(PASSPHRASE, "")
    try:
        needed = b"ENCRYPTED" in key.read_bytes()[:4096]
    except OSError:
        # Whoever reads it next says what is wrong.
        return ""
    if not needed:
        return ""
    return given or (getpass.getpass(f"passphrase of {key}: ") if sys.stdin.isatty() else "")


def _told(recorded: Recorded, approval: Approval) -> str:
    subject = approval.subject
    lines = [
        f"APPROVED  {plain(subject.release) or 'unknown release'} in {plain(subject.environment)}",
        f"  by {plain(approval.identity)}",
        f"  evidence {subject.evidence}",
        *(f"  image {plain(digest)}" for digest in subject.digests),
        f"  until {timestamp(approval.expires)}, or until there is any other evidence",
    ]
    others = [c for c in recorded.values["causes"] if c["effect"] == "hold" and c["code"] not in _ITS_OWN]
    if others:
        lines += ["  it holds for more than the approval, which an approval does not change:"]
        lines += [f"    {plain(str(cause['kind']))}: {plain(str(cause['sentence']))}" for cause in others]
    return "\n".join(lines)


def _log(log: Path, approval: Approval, text: str, now: dt.datetime) -> None:
    try:
        with audit.opened(log) as opened:
            opened.append("approval", approval.facts(text), decision=approval.decision, now=now)
    except NotRecorded as problem:
        raise UsageProblem(f"--audit: nothing is approved: {problem}") from None
