"""Removing what conversations of interrupted runs have left behind, from the journals that they kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seatrial.conversation.journal import NAME, Debt, Journal, debts
from seatrial.conversation.placeholders import Values
from seatrial.conversation.steps import run_steps
from seatrial.environment.model import Environment, Track
from seatrial.environment.selection import ServiceTarget, service_targets
from seatrial.http.concurrent import AsyncClient, ExchangeError

SILENT_FOR: Final = 3600.0
"""Seconds after which a run that wrote nothing into its journal is taken for dead."""
GONE: Final = (404, 410)
"""Answers that say that there is nothing left to remove."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What became of one debt; ``problem`` is empty where nothing is left."""

    run: str
    session: str
    problem: str

    def __str__(self) -> str:
        return f"{self.session} of run {self.run}: {self.problem or 'nothing is left'}"


def sweep(
    environment: Environment, reports: Path, bearers: Mapping[str, str | None], *, even_running: bool = False
) -> list[Swept]:
    """Make the requests that runs below ``reports`` still owe ``environment``, and write down that they are paid.

    A run that is going on pays its own, and one that was killed looks the same for a while: what shows no sign of life
    for an hour is swept, or with ``even_running`` everything. ``bearers`` are tokens by service.
    """
    found: list[Swept] = []
    for path in sorted(reports.glob(f"*/{NAME}")):
        if path.parent.is_symlink():
            continue
        for debt in debts(path):
            if debt.environment == environment.name:
                if _going_on(path) and not even_running:
                    problem = "the run may still be going on; it is swept after an hour, or with --even-running"
                else:
                    problem = asyncio.run(_pay(debt, environment, bearers))
                if not problem:
                    Journal(path.parent).paid(debt.session)
                found.append(Swept(run=path.parent.name, session=debt.session, problem=problem))
    return found


def _going_on(journal: Path) -> bool:
    try:
        state = json.loads((journal.parent / "evidence.json").read_text(encoding="utf-8")).get("state")
        silent = time.time() - journal.stat().st_mtime
    except (OSError, ValueError, AttributeError):
        return False
    return state == "running" and silent < SILENT_FOR


async def _pay(debt: Debt, environment: Environment, bearers: Mapping[str, str | None]) -> str:
    """Why something is left; empty where nothing is."""
    target = _target(debt, environment)
    if target is None:
        return f"the environment has no service {debt.service} on {debt.track}"
    try:
        steps = [step.model_copy(update={"status": (*step.status, *GONE)}) for step in debt.as_steps()]
        client = AsyncClient(target, run_id=debt.session, bearer=bearers.get(debt.service))
    except (ValueError, OSError, *ExchangeError) as error:
        return str(error)
    # What was never captured was never made.
    values = Values(debt.values)
    async with client:
        problems = await run_steps("cleanup", steps, client, values, to_the_end=True)
    return "; ".join(str(problem) for problem in problems if not problem.expected.startswith("a value for"))


def _target(debt: Debt, environment: Environment) -> ServiceTarget | None:
    track: Track = "candidate" if debt.track == "candidate" else "stable"
    targets = service_targets(environment, track)
    return next((one for one in targets if (one.name, one.track) == (debt.service, track)), None)
