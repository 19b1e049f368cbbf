"""The gate asked in one process, with a policy that asks for little."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from seatrial.gate import collection
from seatrial.gate.decision import Decision, decide
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question
from support.reports import NOW

POLICY: dict[str, Any] = {
    "environment": "demo",
    "required": {"smoke": {"minimum": 4}, "rollout": {"minimum": 1}},
    "evidence": {"max_age": "1h"},
    "suite_effects": {"config": {"critical": "hold", "major": "hold", "minor": "note"}},
    "rollback": {"requires": ["rollback/history"]},
}


def policy(**changes: Any) -> Policy:
    """The policy with whole tables replaced."""
    return msgspec.convert({**POLICY, **changes}, Policy)


def question(
    *,
    environment: str = "demo",
    release: str = "1.5.0",
    digests: tuple[str, ...] = (),
    now: dt.datetime = NOW,
    **more: Any,
) -> Question:
    return Question(now=now, environment=environment, release=release, digests=digests, **more)


def ask(folder: Path, changes: Mapping[str, Any] | None = None, asked: Mapping[str, Any] | None = None) -> Decision:
    return decide(collection.read([folder]), policy(**(changes or {})), question(**(asked or {})))
