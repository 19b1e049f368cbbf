"""Says in the audit log that a drill begins, and what it came to: who broke something on purpose is known there too."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatrial.drill.plan import Plan, WrongUse
from seatrial.evidence.drill import DrillRecord
from seatrial.gate import audit, policy_file
from seatrial.gate.audit import DEFAULT_LOG
from seatrial.gate.canonical import sha256
from seatrial.gate.change import Change


def log_for(environment: str, *, given: str | None, fixtures: str | None) -> Path:
    """The log that was ``given``, else that of the environment's policy, else the one that the gate takes.

    Raises WrongUse for a policy that cannot be read: its log would be missed.
    """
    if given:
        return Path(given)
    places = policy_file.folders(Path(fixtures) if fixtures else None)
    try:
        named = policy_file.load(policy_file.find(environment, places), places).audit.log
    except policy_file.UnknownPolicy:
        named = ""
    except policy_file.PolicyProblem as problem:
        raise WrongUse(
            f"the policy may name the audit log, and cannot be read: {problem}; name it with --audit"
        ) from None
    return Path(named) if named else DEFAULT_LOG


def begins(log: Path, plan: Plan, run_id: str) -> None:
    """Say that something is about to be broken. Raises NotRecorded, and then nothing may be."""
    _append(log, {**_about(plan.drill, plan.environment.name, run_id), "state": "begun"})


def ended(log: Path, record: DrillRecord, path: Path, clean: Callable[[str], str]) -> None:
    """Say what it came to, redacted by ``clean``, with the hash of the record at ``path``.

    Raises NotRecorded and OSError.
    """
    facts = {
        **_about(record.drill, record.environment, record.run_id),
        "state": record.state,
        "outcome": record.outcome.value,
        "message": clean(record.message),
        "left": clean(record.left),
        "objective_ms": round(record.objective * 1000),
        "restored_ms": {
            subject.name: None if subject.seconds is None else round(subject.seconds * 1000)
            for subject in record.subjects
        },
        "record": sha256(path.read_text(encoding="utf-8")),
    }
    _append(log, facts)


def _about(drill: str, environment: str, run_id: str) -> dict[str, Any]:
    return {"drill": drill, "environment": environment, "run": run_id, "actor": Change.told(os.environ).actor}


def _append(log: Path, facts: dict[str, Any]) -> None:
    with audit.opened(log) as opened:
        opened.append("drill", facts, now=dt.datetime.now(dt.UTC))
