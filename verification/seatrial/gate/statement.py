"""The decision as an in-toto Statement about the images, for `cosign attest` and its like to sign.

Statement v1 with the predicate https://in-toto.io/attestation/test-result/v0.1, as
https://github.com/in-toto/attestation has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from seatrial.evidence.outcome import Outcome, Role
from seatrial.gate.canonical import canonical
from seatrial.gate.decision import Decision, Verdict
from seatrial.gate.evidence import GateCase
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question

NAME: Final = "statement.intoto.json"
TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://in-toto.io/attestation/test-result/v0.1"
NO_DIGEST: Final = (
    f"no {NAME}: a statement is about images by digest, and none is known; "
    "give them as [release] digests in the environment file"
)
_DIGEST: Final = re.compile(r"(sha256|sha384|sha512):([0-9a-f]{64,128})")


def dumps(decision: Decision, policy: Policy, question: Question, cases: Iterable[GateCase], record: str) -> str:
    """The file's text; empty where no digest is known. ``record`` is the SHA-256 of ``decision.json``.

    Only a promotion passes; one with notes warns. Hold and rollback are FAILED, so that whoever looks at the result
    alone admits nothing that the gate did not.
    """
    subject = [{"digest": {match[1]: match[2]}} for digest in decision.digests if (match := _DIGEST.fullmatch(digest))]
    if not subject or len(subject) != len(decision.digests):
        return ""
    against = {case.key for cause in decision.of_effect("hold", "rollback") for case in cause.cases}
    noted = {case.key for cause in decision.of_effect("note") for case in cause.cases}
    looked = [case for case in cases if case.outcome is not None and case.role is not Role.CONTROL]
    failed = sorted(case.key for case in looked if case.key in against)
    passed = [case.key for case in looked if case.outcome is Outcome.PASS and case.key not in against | noted]
    warned = sorted(case.key for case in looked if case.key not in {*failed, *passed})
    result = "FAILED" if decision.verdict is not Verdict.PROMOTE else "WARNED" if warned else "PASSED"
    predicate: dict[str, Any] = {
        "result": result,
        "configuration": _configuration(decision, policy, record),
        "passedTests": sorted(passed),
        "warnedTests": warned,
        "failedTests": failed,
    }
    if question.change.pipeline:
        predicate["url"] = question.change.pipeline
    return canonical({"_type": TYPE, "subject": subject, "predicateType": PREDICATE, "predicate": predicate}) + "\n"


def _configuration(decision: Decision, policy: Policy, record: str) -> list[dict[str, Any]]:
    """By what it was tested: the policy and the environment; and where to look further: evidence and record."""
    named = [("policy", policy.sha256()), ("evidence", decision.evidence_sha256), ("decision.json", record)]
    named += [("environment", digest) for digest in decision.environment_hashes[:1]]
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in named if digest]
