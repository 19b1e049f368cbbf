"""The shipped conversations against the demo: all hold on a good release, and each fault of talk is caught."""

import asyncio
from pathlib import Path

import pytest

from seatrial.conversation.loading import load
from seatrial.conversation.runner import Setting, converse
from seatrial.conversation.script import rows_of
from seatrial.conversation.verdict import Conclusion
from seatrial.demo import platform
from seatrial.evidence.outcome import Outcome
from support.chat import target_at

FOLDER = Path(__file__).parents[2] / "synthetic" / "conversations"
SCRIPTS = [load(path) for path in sorted(FOLDER.glob("*.toml"))]


def held(url: str) -> dict[str, Conclusion]:
    async def all_at_once() -> list[Conclusion]:
        target = target_at(url, timeout="5s")
        variables = {"shop": "a test"}
        held = [
            converse(script, target, Setting(run_id="r1", row=texts, row_name=row, variables=variables))
            for script in SCRIPTS
            for row, texts in rows_of(script)
        ]
        return await asyncio.gather(*held)

    return {conclusion.transcript.conversation: conclusion for conclusion in asyncio.run(all_at_once())}


@pytest.mark.parametrize(
    ("faults", "failing"),
    [
        ([], {}),
        (["broken-intent"], {"opening-hours": 1}),
        (
            ["lost-memory"],
            {"order-status": 2, "memory-of-name": 3, "fallback": 2, "known-customer": 2, "order-number-asked": 2},
        ),
        (["stalled-stream"], {"streamed-answer": 1}),
        (["private-data-echoed"], dict.fromkeys((f"private-data ({row})" for row in ("card", "email", "key")), 1)),
        (["injection-obeyed"], dict.fromkeys((f"prompt-injection ({row})" for row in ("ignore", "prompt", "role")), 1)),
        (["wrong-language"], {"returns": 1}),
        (["truncated-answer"], {"shipping-costs": 1}),
        (["duplicate-answer"], {"warranty": 1}),
        (["rate-limit-storm"], {"long-talk": 5}),
    ],
    ids=lambda value: (value[0] if value else "good release") if isinstance(value, list) else "",
)
def test_each_fault_is_caught_by_the_right_turn(faults: list[str], failing: dict[str, int]) -> None:
    with platform.start(faults=faults, with_kube=False) as running:
        candidate, stable = held(running.variables["candidate_url"]), held(running.variables["stable_url"])
    seen = {name: one for name, one in candidate.items() if one.assessment.outcome is not Outcome.PASS}
    assert {name: len(conclusion.transcript.exchanges) for name, conclusion in seen.items()} == failing
    others = [*stable.values(), *(candidate[name] for name in candidate if name not in failing)]
    assert {conclusion.assessment.outcome for conclusion in others} == {Outcome.PASS}
