"""The decision as canonical JSON: the same evidence, policy and question give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from seatrial import __version__
from seatrial.evidence.run import timestamp
from seatrial.gate.decision import Decision, Question
from seatrial.gate.evidence import GateCase
from seatrial.gate.policy import Policy

SCHEMA: Final = 1


def canonical(document: Mapping[str, Any]) -> str:
    """Sorted keys, no insignificant space, UTF-8 as it is; what cannot be encoded is escaped."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def evidence_sha256(files: Mapping[str, str]) -> str:
    """One hash over the names and hashes of all files that were read."""
    return hashlib.sha256(canonical(files).encode()).hexdigest()


def document(decision: Decision, policy: Policy, question: Question, files: Mapping[str, str]) -> dict[str, Any]:
    """``decision.json`` as an object. All values are strings, whole numbers, lists and objects."""
    return {
        "schema": SCHEMA,
        "seatrial": __version__,
        "decision": decision.verdict.value,
        "exit_code": decision.verdict.exit_code,
        "decided": timestamp(question.now),
        "question": {"environment": question.environment, "release": question.release},
        "environment": decision.environment,
        "track": decision.track,
        "phase": decision.phase,
        "release": {"wanted": decision.release_wanted, "seen": decision.release_seen},
        "runs": list(decision.runs),
        "causes": [
            {
                "kind": cause.kind.value,
                "effect": cause.effect,
                "sentence": cause.sentence,
                "cases": [_case(case) for case in cause.cases],
            }
            for cause in decision.causes
        ],
        "suites": {name: vars(count) for name, count in decision.suites.items()},
        "missing": [case.key for case in decision.missing],
        "next": list(decision.next),
        "policy": {"environment": policy.environment, "sha256": policy.sha256()},
        "evidence": {"sha256": evidence_sha256(files), "files": dict(files)},
    }


def _case(case: GateCase) -> dict[str, Any]:
    values = {
        "key": case.key,
        "severity": case.severity,
        "trigger": case.trigger,
        "outcome": case.outcome.value if case.outcome else "",
        "message": case.message or case.skip_reason,
        "numbers": dict(case.numbers),
        "remedy": case.remedy,
        "reproduce": case.reproduce,
        "source": case.source,
    }
    return {name: value for name, value in values.items() if value}


def dumps(values: Mapping[str, Any]) -> str:
    """The file's text: canonical JSON and a newline."""
    return canonical(values) + "\n"
