"""The shipped conversations against the demo: all hold on a good release, and each fault of talk is caught."""

import asyncio
from pathlib import Path

import pytest

from seatrial.conversation.loading import load
from seatrial.conversation.runner import Conclusion, Setting, converse
from seatrial.demo import platform
from seatrial.evidence.outcome import Outcome
from support.chat import target_at

FOLDER = Path(__file__).parents[2] / "synthetic" / "conversations"
SCRIPTS = [load(path) for path in sorted(FOLDER.glob("*.toml"))]


def held(url: str) -> dict[str, Conclusion]:
    async def all_at_once() -> list[Conclusion]:
        target = target_at(url, timeout="5s")
        return await asyncio.gather(*(converse(script, target, Setting(run_id="r1")) for script in SCRIPTS))

    return {conclusion.transcript.conversation: conclusion for conclusion in asyncio.run(all_at_once())}


@pytest.mark.parametrize(
    ("faults", "failing"),
    [
        ([], {}),
        (["broken-intent"], {"opening-hours": 1}),
        (["lost-memory"], {"order-status": 2, "memory-of-name": 3, "fallback": 2}),
        (["stalled-stream"], {"streamed-answer": 1}),
    ],
    ids=["good release", "broken-intent", "lost-memory", "stalled-stream"],
)
def test_each_fault_is_caught_by_the_right_turn(faults: list[str], failing: dict[str, int]) -> None:
    with platform.start(faults=faults, with_kube=False) as running:
        candidate, stable = held(running.variables["candidate_url"]), held(running.variables["stable_url"])
    seen = {name: conclusion for name, conclusion in candidate.items() if conclusion.assessment.outcome is Outcome.FAIL}
    assert {name: len(conclusion.transcript.exchanges) for name, conclusion in seen.items()} == failing
    others = [*stable.values(), *(candidate[name] for name in candidate if name not in failing)]
    assert {conclusion.assessment.outcome for conclusion in others} == {Outcome.PASS}
