"""What stands around the turns: values, rows, setup and cleanup, repetition, and what is owed when it goes wrong."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from seatrial.conversation.journal import Debt, Journal, debts
from seatrial.conversation.loading import BrokenScript
from seatrial.conversation.runner import Setting, converse, run
from seatrial.conversation.script import rows_of
from seatrial.conversation.verdict import Conclusion
from seatrial.evidence.outcome import Outcome
from support.chat import Chat, Handler, completion, says, script

WRITES = "writes = true"
ONE = '[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\n'
ORDER = """
[[setup]]
path = "/orders"
body = { name = "${unique.order}", tags = ["synthetic", "${run.id}"] }
status = [201]
capture.number = "$.id"

[[cleanup]]
method = "DELETE"
path = "/orders/${number}"
"""


def held(chat: Chat, text: str, head: str = "", **setting: Any) -> Conclusion:
    return run(script(text, head), chat.target(), Setting(run_id="r1", **setting))


class Shop:
    """A service with orders, which conversations are about."""

    def __init__(self, chat: Chat, *, answer: str = "I can help.", create: int = 201, delete: int = 204) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answer, self.create, self.delete = answer, create, delete
        chat.answer = self._post
        Handler.do_DELETE = lambda handler: self._delete(handler)  # type: ignore[attr-defined]

    def _post(self, handler: Handler, body: Any) -> None:
        self.asked.append(("POST", handler.path, body))
        if handler.path == "/orders":
            handler.reply(self.create, json.dumps({"id": "A-7"}).encode())
        else:
            handler.reply(200, json.dumps(completion(self.answer)).encode())

    def _delete(self, handler: Handler) -> None:
        self.asked.append(("DELETE", handler.path, None))
        handler.reply(self.delete, b"")


@pytest.fixture
def restored() -> Any:
    yield
    if hasattr(Handler, "do_DELETE"):
        del Handler.do_DELETE


@pytest.mark.usefixtures("restored")
class TestSetupAndCleanup:
    def test_what_is_made_is_removed(self, chat: Chat, tmp_path: Path) -> None:
        shop = Shop(chat)
        turns = ORDER + '[[turn]]\nsay = "Where is ${number}?"\nexpect.contains = "help"\n'
        conclusion = held(chat, turns, WRITES, journal=Journal(tmp_path))
        assert conclusion.assessment.outcome is Outcome.PASS, conclusion.assessment.message
        assert [(method, path) for method, path, _ in shop.asked] == [
            ("POST", "/orders"),
            ("POST", "/v1/chat/completions"),
            ("DELETE", "/orders/A-7"),
        ]
        assert re.fullmatch(r"order-[0-9a-f]{10}", shop.asked[0][2]["name"])
        assert shop.asked[0][2]["tags"] == ["synthetic", "r1"]
        assert shop.asked[1][2]["messages"][-1]["content"] == "Where is A-7?"
        assert debts(tmp_path / "journal.ndjson") == []

    def test_also_when_a_turn_fails(self, chat: Chat) -> None:
        shop = Shop(chat, answer="No.")
        assert held(chat, ORDER + ONE, WRITES).assessment.outcome is Outcome.FAIL
        assert shop.asked[-1][:2] == ("DELETE", "/orders/A-7")

    def test_a_setup_that_fails_is_no_verdict_on_the_product(self, chat: Chat) -> None:
        shop = Shop(chat, create=500)
        assessment = held(chat, ORDER + ONE, WRITES).assessment
        assert assessment.outcome is Outcome.ERROR
        assert assessment.message == "setup 1, POST /orders: expected HTTP 201, seen HTTP 500"
        assert len(shop.asked) == 1

    def test_what_is_left_behind_is_told_and_owed(self, chat: Chat, tmp_path: Path) -> None:
        Shop(chat, delete=500)
        assessment = held(chat, ORDER + ONE, WRITES, journal=Journal(tmp_path), environment="qa").assessment
        assert assessment.outcome is Outcome.ERROR
        assert "something was left behind: cleanup 1, DELETE /orders/${number}: expected HTTP" in assessment.message
        (debt,) = debts(tmp_path / "journal.ndjson")
        assert (debt.environment, debt.values["number"], debt.as_steps()[0].method) == ("qa", "A-7", "DELETE")

    def test_cancelled_in_the_middle_it_still_cleans_up(self, chat: Chat) -> None:
        shop = Shop(chat)
        asked = threading.Event()

        def hang(handler: Handler, body: Any) -> None:
            if handler.path == "/orders":
                shop._post(handler, body)
            else:
                asked.set()
                handler.hang()

        chat.answer = hang

        async def interrupted() -> None:
            target = chat.target(timeout="20s")
            task = asyncio.create_task(converse(script(ORDER + ONE, WRITES), target, Setting(run_id="r1")))
            await asyncio.to_thread(asked.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(interrupted())
        assert shop.asked[-1][:2] == ("DELETE", "/orders/A-7")


class TestJournal:
    def debt(self, session: str = "s1", **values: str) -> Debt:
        return Debt(session=session, environment="qa", service="chat", track="stable", steps=[], values=values)

    def test_what_is_paid_is_no_longer_owed(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path)
        journal.owe(self.debt("s1"))
        journal.owe(self.debt("s2"))
        journal.owe(self.debt("s2", number="A-7"))
        journal.paid("s1")
        (left,) = debts(tmp_path / "journal.ndjson")
        assert (left.session, left.values) == ("s2", {"number": "A-7"})

    @pytest.mark.parametrize("end", ['{"owed": {"ses', "\n\n", '{"owed": {"x": 1}}\n', "[]\n", "\x00"])
    def test_what_a_killed_process_leaves_is_read_as_far_as_it_goes(self, end: str, tmp_path: Path) -> None:
        Journal(tmp_path).owe(self.debt())
        with (tmp_path / "journal.ndjson").open("a") as stream:
            stream.write(end)
        assert len(debts(tmp_path / "journal.ndjson")) == 1

    def test_no_journal_is_no_debt(self, tmp_path: Path) -> None:
        assert debts(tmp_path / "journal.ndjson") == []


class TestRepetition:
    def repeated(self, chat: Chat, failures: int, times: int = 20, at_least: float = 0.8) -> Conclusion:
        left = [failures]
        lock = threading.Lock()

        def answer(handler: Handler, body: Any) -> None:
            with lock:
                bad = left[0] > 0
                left[0] -= 1
            says("No." if bad else "I can help.")(handler, body)

        chat.answer = answer
        return held(chat, f"[repeat]\ntimes = {times}\nat_least = {at_least}\n{ONE}")

    @pytest.mark.parametrize(
        ("failures", "times", "outcome", "words"),
        [
            (0, 20, Outcome.PASS, "held 20 of 20 times, 86.1% to 100.0% at 95% confidence: at least 80% is proved"),
            (
                10,
                20,
                Outcome.FAIL,
                "held 10 of 20 times, 30.2% to 69.8% at 95% confidence: at least 80% is out of reach",
            ),
            (2, 20, Outcome.INCONCLUSIVE, "at least 80% is not proved"),
            (0, 5, Outcome.INCONCLUSIVE, "held 5 of 5 times, 54.9% to 100.0%"),
        ],
    )
    def test_judged_by_bounds(self, failures: int, times: int, outcome: Outcome, words: str, chat: Chat) -> None:
        assessment = self.repeated(chat, failures, times).assessment
        assert assessment.outcome is outcome
        assert words in assessment.message
        assert assessment.n == times

    def test_it_says_how_many_more_are_needed(self, chat: Chat) -> None:
        # 0.8 ** 14 is the first power below 5 %.
        assert "repeat it 14 times: 9 more" in self.repeated(chat, 0, 5).assessment.remedy

    def test_the_transcript_is_that_of_a_failure(self, chat: Chat) -> None:
        conclusion = self.repeated(chat, 10)
        assert "FAILED contains" in str(conclusion.transcript)

    def test_what_could_not_be_looked_at_is_no_failure(self, chat: Chat) -> None:
        chat.answer = lambda handler, _: handler.reply(401, b"{}")
        assert held(chat, f"[repeat]\ntimes = 3\nat_least = 0.5\n{ONE}").assessment.outcome is Outcome.ERROR


class TestValues:
    def test_rows_and_the_environment(self, chat: Chat) -> None:
        rows = '[[row]]\nname = "bonn"\ncity = "Bonn"\n[[row]]\ncity = "Köln"\n'
        text = rows + '[[turn]]\nsay = "Shop of ${env.brand} in ${city}?"\nexpect.contains = "help"\n'
        parsed = script(text)
        assert [name for name, _ in rows_of(parsed)] == ["bonn", "2"]
        for name, texts in rows_of(parsed):
            setting = Setting(run_id="r1", row=texts, row_name=name, variables={"brand": "Umbrella"})
            conclusion = run(parsed, chat.target(), setting)
            assert conclusion.assessment.outcome is Outcome.PASS
            assert f"conversation try ({name})" in str(conclusion.transcript)
        said = [body["messages"][-1]["content"] for _, body in chat.requests]
        assert said == ["Shop of Umbrella in Bonn?", "Shop of Umbrella in Köln?"]

    def test_a_variable_that_the_environment_lacks(self, chat: Chat) -> None:
        assessment = held(chat, '[[turn]]\nsay = "${env.brand}"\nexpect.contains = "help"\n').assessment
        assert assessment.outcome is Outcome.ERROR
        assert (
            assessment.message
            == "expected a value for ${env.brand} in the table [variables] of the environment, seen none"
        )

    def test_unique_texts_are_the_same_inside_and_others_outside(self, chat: Chat) -> None:
        turn = '[[turn]]\nsay = "${unique.a} ${unique.a} ${unique.b}"\nexpect.contains = "help"\n'
        for _ in range(2):
            held(chat, turn)
        first, second = (body["messages"][-1]["content"].split() for _, body in chat.requests)
        assert first[0] == first[1] != first[2]
        assert first[0] != second[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ORDER + ONE,
            "try.toml:4: setup 1, method: a POST may change something: say writes = true at the top of the file",
        ),
        (
            'writes = true\n[[setup]]\npath = "orders"\n' + ONE,
            "expected a path from /, such as /v1/orders; seen 'orders'",
        ),
        ('writes = true\n[[cleanup]]\npath = "/o/${numbr}"\n' + ONE, "nothing is called 'numbr'"),
        (
            '[[row]]\ncity = "a"\n[[row]]\ntown = "b"\n' + ONE,
            "row 2: expected the keys of the first row, which this one lacks city",
        ),
        (
            '[[row]]\nname = "a"\n[[row]]\nname = "a"\n' + ONE,
            "expected a name of its own, seen 'a', which row 1 has already",
        ),
        (
            "[repeat]\ntimes = 1\nat_least = 0.5\n" + ONE,
            "repeat.times: Input should be greater than or equal to 2, seen",
        ),
        ("[repeat]\ntimes = 5\nat_last = 0.5\n" + ONE, "repeat.at_last: unknown key; did you mean at_least?"),
        (ONE + 'expect.language = "english"\n', "expected a code of two letters (ISO 639-1), such as en or de"),
        (ONE + 'expect.no_private_data = ["cards"]\n', "seen 'cards'"),
        (ONE + 'expect.calls = [{ nam = "x" }]\n', "did you mean name?"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(BrokenScript) as caught:
        script(text)
    assert message in str(caught.value)
