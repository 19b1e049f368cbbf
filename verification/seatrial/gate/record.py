"""The decision as canonical JSON: the same evidence, policy and question give the same bytes, now and on replay."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from seatrial import __version__
from seatrial.evidence.run import timestamp
from seatrial.gate.canonical import canonical
from seatrial.gate.decision import Decision
from seatrial.gate.evidence import GateCase
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question

NAME: Final = "decision.json"
"""The file of a record, wherever it lies."""
SCHEMA: Final = 1


def document(decision: Decision, policy: Policy, question: Question, *, shadow: bool = False) -> dict[str, Any]:
    """``decision.json`` as an object, with all that a replay needs beside the reports.

    What the gate writes are strings, whole numbers, truth values, lists and objects; the policy is as its file has it.
    One in the ``shadow`` says so: nobody is to act upon it.
    """
    return {
        **({"shadow": True} if shadow else {}),
        "schema": SCHEMA,
        "versions": {"seatrial": __version__, "python": platform.python_version()},
        "decision": decision.verdict.value,
        "exit_code": decision.verdict.exit_code,
        "decided": timestamp(question.now),
        "question": asked(question),
        "environment": decision.environment,
        "environment_sha256": list(decision.environment_hashes),
        "track": decision.track,
        "phase": decision.phase,
        "release": {
            "wanted": decision.release_wanted,
            "seen": decision.release_seen,
            "digests": list(decision.digests),
        },
        "runs": list(decision.runs),
        "causes": [
            {
                "code": cause.reason.code,
                "kind": cause.kind.value,
                "effect": cause.effect,
                "rollback_withheld": cause.withheld,
                "sentence": cause.sentence,
                "cases": [_case(case) for case in cause.cases],
            }
            for cause in decision.causes
        ],
        "suites": {
            name: {**dataclasses.asdict(count), "executed": count.executed} for name, count in decision.suites.items()
        },
        "missing": [case.key for case in decision.missing],
        "next": list(decision.next),
        "policy": {
            "name": policy.name,
            "environment": policy.environment,
            "sha256": policy.sha256(),
            "rules": msgspec.to_builtins(policy),
        },
        "evidence": {"sha256": decision.evidence_sha256, "files": dict(decision.files)},
    }


def asked(question: Question) -> dict[str, Any]:
    """The question without its time, which the record has as ``decided``."""
    values: dict[str, Any] = msgspec.to_builtins(question)
    del values["now"]
    if not question.calendars:
        values.pop("calendars", None)
    return values


def _case(case: GateCase) -> dict[str, Any]:
    values = {
        "key": case.key,
        "suite": case.suite,
        "severity": case.severity.value,
        "trigger": case.trigger,
        "role": case.role.value,
        "outcome": case.outcome.value if case.outcome else "",
        "flaky": case.flaky,
        "skipped": case.skipped,
        "message": case.message,
        "numbers": dict(case.numbers),
        "remedy": case.remedy,
        "reproduce": case.reproduce,
        "source": case.source,
    }
    return {name: value for name, value in values.items() if value}


def dumps(values: Mapping[str, Any]) -> str:
    """The file's text: canonical JSON and a newline."""
    return canonical(values) + "\n"
