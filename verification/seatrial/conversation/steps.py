"""Requests beside a conversation: what it needs before, and what it removes afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.conversation.placeholders import Values, fill, fill_all
from seatrial.conversation.queries import select
from seatrial.conversation.script import Step
from seatrial.http.concurrent import AsyncClient, ExchangeError, diagnose


@dataclass(frozen=True, kw_only=True)
class StepProblem:
    """A request that did not do what it should."""

    step: str
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.step}: expected {self.expected}, seen {self.seen}"


async def run_steps(
    table: str, steps: Sequence[Step], client: AsyncClient, values: Values, *, to_the_end: bool
) -> list[StepProblem]:
    """Make the requests one after the other, and take what they capture into ``values``.

    The first problem ends it, unless ``to_the_end``: what can be removed is removed.
    """
    problems: list[StepProblem] = []
    for number, step in enumerate(steps, 1):
        problem = await _one(f"{table} {number}, {step.method} {step.path}", step, client, values)
        if problem is not None:
            problems.append(problem)
            if not to_the_end:
                break
    return problems


async def _one(name: str, step: Step, client: AsyncClient, values: Values) -> StepProblem | None:
    try:
        path, body = fill(step.path, values), fill_all(step.body, values)
    except KeyError as error:
        # A capture of a turn that was never said.
        return StepProblem(
            step=name, expected=f"a value for {error.args[0]}", seen="none: the conversation ended early"
        )
    wanted = " or ".join(map(str, step.status))
    try:
        async with client.request(step.method, path, json=body) as response:
            status, content = response.status, await response.read()
    except ExchangeError as error:
        return StepProblem(step=name, expected=f"HTTP {wanted}", seen=diagnose(error).words)
    if status not in step.status:
        return StepProblem(step=name, expected=f"HTTP {wanted}", seen=f"HTTP {status}")
    if step.capture:
        document = _json(content)
        for key, query in step.capture.items():
            found = select(query, document) if document is not None else []
            if not found or found[0] is None:
                return StepProblem(step=name, expected=f"{query} for {key}", seen="nothing selected")
            values[key] = found[0] if isinstance(found[0], str) else json.dumps(found[0], ensure_ascii=False)
    return None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
