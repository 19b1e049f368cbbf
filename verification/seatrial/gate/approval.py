"""Approvals: signed by a person who may, for this evidence about this release, and by nobody who deploys it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from seatrial.evidence.run import timestamp
from seatrial.gate import cause as reasons
from seatrial.gate.canonical import canonical, sha256
from seatrial.gate.cause import Cause
from seatrial.gate.envelope import Envelope, EnvelopeProblem
from seatrial.gate.promotion_rules import ApprovalRules, Identity
from seatrial.gate.question import CLOCK_SKEW, Question
from seatrial.gate.section import seconds

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TYPE: Final = "application/vnd.seatrial.approval+json"
SCHEMA: Final = 1
COMMAND: Final = "seatrial approve --decision decision.json --identity NAME --key KEY.pem"


class ApprovalProblem(ValueError):
    """An approval that does not count; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is approved. Where any of it differs, the approval was for something else.

    Not the decision itself: that one changes when the approval is taken in.
    """

    evidence: str
    """SHA-256 over all reports: one more report, and it is another."""
    policy: str
    environment: str
    release: str
    digests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What was signed."""

    identity: str
    issued: dt.datetime
    expires: dt.datetime
    decision: str
    """SHA-256 of the ``decision.json`` that the person looked at."""
    subject: Subject

    def sealed(self, secret: Ed25519PrivateKey) -> str:
        """The file's text, signed."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        values |= {"schema": SCHEMA, "issued": timestamp(self.issued), "expires": timestamp(self.expires)}
        return Envelope.sealed(TYPE, canonical(values).encode(), secret).dumps()

    def facts(self, text: str) -> dict[str, Any]:
        """What the audit log says of it; ``text`` is that of its file."""
        return {
            "approval": sha256(text),
            "identity": self.identity,
            "issued": timestamp(self.issued),
            "expires": timestamp(self.expires),
            "environment": self.subject.environment,
            "release": self.subject.release,
            "digests": list(self.subject.digests),
            "evidence": self.subject.evidence,
        }

    @classmethod
    def opened(cls, text: str) -> tuple[Approval, Envelope]:
        """What a file says; the signature is not looked at. Raises ApprovalProblem."""
        try:
            envelope = Envelope.parse(text)
            if envelope.kind != TYPE:
                raise ApprovalProblem(f"it is no approval: expected {TYPE}, seen {envelope.kind[:100]}")
            values = json.loads(envelope.payload)
            if values.pop("schema") != SCHEMA:
                raise ApprovalProblem(f"it is no approval of schema {SCHEMA}")
            approval = msgspec.convert(values, cls)
            if approval.issued.tzinfo is None or approval.expires.tzinfo is None:
                raise ApprovalProblem("its times have no zone")
        except EnvelopeProblem as problem:
            raise ApprovalProblem(str(problem)) from None
        except ApprovalProblem:
            raise
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise ApprovalProblem("it is no approval that this version can read") from None
        return approval, envelope


def check(text: str, rules: ApprovalRules, subject: Subject, question: Question) -> Identity:
    """Who approved, where the approval counts. Raises ApprovalProblem."""
    approval, envelope = Approval.opened(text)
    known = [identity for identity in rules.identities if identity.name == approval.identity]
    if not known:
        raise ApprovalProblem(f"{approval.identity[:200]} is not among those who may approve")
    identity = next((entry for entry in known if envelope.signed_by(entry.key)), None)
    if identity is None:
        raise ApprovalProblem(
            f"its signature is not that of {approval.identity}: it was changed, or another key signed"
        )
    _bound(approval.subject, subject)
    now = question.now
    if approval.issued > now + CLOCK_SKEW:
        raise ApprovalProblem(
            f"{identity.name} gave it in the future, at {timestamp(approval.issued)}: a clock is wrong"
        )
    if now >= approval.expires:
        raise ApprovalProblem(f"that of {identity.name} expired at {timestamp(approval.expires)}")
    allowed = seconds(rules.max_age)
    if allowed is not None and (now - approval.issued).total_seconds() > allowed:
        words = f"at {timestamp(approval.issued)}; allowed is {rules.max_age}"
        raise ApprovalProblem(f"{identity.name} gave it too long ago, {words}")
    if is_deployer(identity, question.change.actor):
        raise ApprovalProblem(
            f"{identity.name} deploys this release as {question.change.actor}, and may not approve it"
        )
    return identity


def _bound(approved: Subject, subject: Subject) -> None:
    words = {
        "environment": "environment",
        "release": "release",
        "digests": "image digests",
        "policy": "policy",
        "evidence": "evidence",
    }
    for name, what in words.items():
        was, now = (_shown(getattr(one, name)) for one in (approved, subject))
        if was != now:
            raise ApprovalProblem(f"it was given for another {what}: approved {was}, decided {now}")


def _shown(value: str | Sequence[str]) -> str:
    return (value if isinstance(value, str) else ", ".join(value)) or "none"


def is_deployer(identity: Identity, actor: str) -> bool:
    """Whether the pipeline's ``actor`` is this person: by name, by a listed account, or by what stands before the @."""
    seen = actor.strip().casefold()
    names = {name.strip().casefold() for name in (identity.name, *identity.accounts)}
    # Where one of the two has no domain: pipelines tell an account, policies often an address.
    short = {name.partition("@")[0] for name in names} if "@" not in seen else set()
    return seen in names | short or ("@" in seen and seen.partition("@")[0] in names)


def sorted_out(rules: ApprovalRules, subject: Subject, question: Question) -> tuple[dict[str, str], list[str]]:
    """The approvals that count, by who gave them, and why the others do not."""
    counting: dict[str, str] = {}
    refused = []
    for text in question.approvals:
        try:
            counting[check(text, rules, subject, question).name] = text
        except ApprovalProblem as problem:
            refused.append(f"an approval does not count: {problem}")
    return counting, refused


def answers(rules: ApprovalRules, subject: Subject, question: Question) -> list[Cause]:
    """What keeps approvals from being enough for a promotion."""
    if not rules.required:
        return []
    agreed, refused = sorted_out(rules, subject, question)
    enough = len(agreed) >= rules.minimum
    causes = [reasons.VOID_APPROVAL.cause(words, effect="note" if enough else "hold") for words in refused]
    if not enough:
        given = f"given are {len(agreed)} ({', '.join(agreed)})" if agreed else "there is none"
        wanted = f"{rules.minimum} approval{'s' if rules.minimum > 1 else ''}"
        who = ", ".join(dict.fromkeys(i.name for i in rules.identities if i.name not in agreed)) or "nobody is listed"
        words = f"promotion needs {wanted} of this evidence ({subject.evidence[:12]}), {given}; who may: {who}"
        causes.append(reasons.NO_APPROVAL.cause(words, commands=(COMMAND,)))
    if not question.change.actor:
        words = "it is not known who deploys, so nobody can be known to be somebody else: give --actor"
        causes.append(reasons.NO_DEPLOYER.cause(words))
    return causes
