"""A process that stood still does not blame the service for it."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

from seatrial.conversation.pulse import LEAST, Pulse
from seatrial.conversation.runner import Setting, converse
from seatrial.conversation.verdict import Conclusion
from seatrial.evidence.outcome import Outcome
from support.chat import Chat, Handler, completion, script


def stand_still(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_a_stop_is_seen_while_it_lasts_and_afterwards() -> None:
    async def watched() -> tuple[float, float, float]:
        async with Pulse() as pulse:
            before = pulse.now()
            stand_still(3 * LEAST)
            during = pulse.lost(before)
            await asyncio.to_thread(lambda: None)
            after = pulse.lost(before)
            return during, after, pulse.lost(pulse.now())

    during, after, since_now = asyncio.run(watched())
    assert during > LEAST
    assert after > LEAST
    assert since_now < LEAST


class Stopped:
    """The service answers at once, and our event loop stands still for a second while it does."""

    def __init__(self, chat: Chat, *, timeout: str = "5s") -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.chat, self.timeout = chat, timeout
        chat.answer = self._answer

    def _answer(self, handler: Handler, body: object) -> None:
        self.asked.set()
        self.may_answer.wait()
        handler.reply(200, json.dumps(completion("How can I help?")).encode())

    def hold(self, expect: str) -> Conclusion:
        async def hold() -> Conclusion:
            talk = asyncio.create_task(
                converse(
                    script(f'[[turn]]\nsay = "Hello!"\n{expect}\n'),
                    self.chat.target(timeout=self.timeout),
                    Setting(run_id="r1"),
                )
            )
            await asyncio.to_thread(self.asked.wait)
            if self.timeout == "5s":
                self.may_answer.set()
            stand_still(1.0)
            try:
                return await talk
            finally:
                self.may_answer.set()

        return asyncio.run(hold())


@pytest.mark.parametrize(
    ("expect", "outcome", "words"),
    [
        ('expect.contains = "help"', Outcome.PASS, "1 turn held"),
        (
            'expect.max_latency = "800ms"',
            Outcome.ERROR,
            'turn 1 of 1, "Hello!", could not be timed, since our own process stood still for ',
        ),
        ('expect.max_latency = "800ms"\nexpect.contains = "sorry"', Outcome.FAIL, "contains"),
    ],
)
def test_only_what_was_timed_is_in_doubt(chat: Chat, expect: str, outcome: Outcome, words: str) -> None:
    conclusion = Stopped(chat).hold(expect)
    assert conclusion.assessment.outcome is outcome, conclusion.assessment.message
    assert words in conclusion.assessment.message
    if outcome is Outcome.ERROR:
        assert "less busy" in conclusion.assessment.remedy
        assert "our own process stood still for" in str(conclusion.transcript)


def test_a_wait_that_was_in_vain_because_of_us(chat: Chat) -> None:
    conclusion = Stopped(chat, timeout="900ms").hold('expect.contains = "help"')
    assert conclusion.assessment.outcome is Outcome.ERROR, conclusion.assessment.message
    assert "our own process stood still for" in conclusion.assessment.message
