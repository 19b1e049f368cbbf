"""Each protocol beside OpenAI's, with a real server that answers, refuses, dawdles and breaks off."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from seatrial.conversation.runner import Setting, run
from seatrial.conversation.verdict import Conclusion
from seatrial.evidence.outcome import Outcome
from support.chat import Chat, Handler, script, target_at

TWO = '[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\n[[turn]]\nsay = "Bye!"\nexpect.contains = "help"\n'
ONE = '[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\n'


def as_json(value: Any, status: int = 200, **headers: str) -> Callable[[Handler, Any], None]:
    return lambda handler, _: handler.reply(status, json.dumps(value).encode(), **headers)


def held(chat: Chat, turns: str = ONE, **service: Any) -> Conclusion:
    return run(script(turns), chat.target(**service), Setting(run_id="r1", bearer="t0ken"))


class TestRasa:
    def test_messages_are_one_answer(self, chat: Chat) -> None:
        chat.answer = as_json([{"recipient_id": "x", "text": "How can I"}, {"image": "a.png"}, {"text": "help you?"}])
        conclusion = held(chat, TWO, protocol="rasa")
        assert conclusion.assessment.outcome is Outcome.PASS, conclusion.assessment.message
        (headers, first), (_, second) = chat.requests
        assert first == {"sender": conclusion.transcript.session_id, "message": "Hello!"}
        assert second["sender"] == first["sender"]
        assert headers["Authorization"] == "Bearer t0ken"
        assert headers["X-Seatrial-Run"] == "r1"
        assert conclusion.transcript.exchanges[0].reply is not None
        assert conclusion.transcript.exchanges[0].reply.text == "How can I\nhelp you?"
        assert "/webhooks/rest/webhook" in conclusion.transcript.exchanges[0].curl

    @pytest.mark.parametrize(
        ("answer", "outcome", "seen"),
        [
            (as_json([]), Outcome.FAIL, "an empty list: no action of the assistant answered"),
            (as_json({"status": "failure"}), Outcome.FAIL, "dict"),
            (as_json([1]), Outcome.FAIL, "list"),
            (lambda handler, _: handler.reply(200, b"<html>"), Outcome.FAIL, "that begins '<html>'"),
            (as_json({"message": "down"}, 503), Outcome.FAIL, "HTTP 503 Service Unavailable: down"),
            (as_json({}, 401), Outcome.ERROR, "HTTP 401 Unauthorized"),
            (lambda handler, _: handler.hang(), Outcome.FAIL, "nothing"),
        ],
    )
    def test_no_answer(self, answer: Any, outcome: Outcome, seen: str, chat: Chat) -> None:
        chat.answer = answer
        assessment = held(chat, protocol="rasa").assessment
        assert assessment.outcome is outcome
        assert seen in assessment.seen


class TestJson:
    DESCRIBED: ClassVar[dict[str, Any]] = {
        "protocol": "http",
        "http": {
            "path": "/v2/talk",
            "body": {"input": {"text": "${text}"}, "user": "${session}", "beta": True},
            "reply": "$.output[*].text",
            "intent": "$.nlu.intent",
        },
    }

    def test_as_the_environment_describes_it(self, chat: Chat) -> None:
        chat.answer = as_json({"output": [{"text": "I can"}, {"text": "help."}], "nlu": {"intent": "greeting"}})
        turn = '[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\nexpect.intent = "greeting"\n'
        conclusion = held(chat, turn, **self.DESCRIBED)
        assert conclusion.assessment.outcome is Outcome.PASS, conclusion.assessment.message
        ((_, body),) = chat.requests
        assert body == {"input": {"text": "Hello!"}, "user": conclusion.transcript.session_id, "beta": True}
        assert "/v2/talk" in conclusion.transcript.exchanges[0].curl

    def test_an_answer_without_the_text(self, chat: Chat) -> None:
        chat.answer = as_json({"output": []})
        assessment = held(chat, **self.DESCRIBED).assessment
        assert assessment.outcome is Outcome.FAIL
        assert (assessment.limit, assessment.seen) == ("a text at $.output[*].text", "none in '{\"output\": []}'")

    def test_a_path_that_is_none_is_an_error_of_ours(self, chat: Chat) -> None:
        assessment = held(chat, protocol="http", http={"reply": "$..["}).assessment
        assert assessment.outcome is Outcome.ERROR
        assert "services.chat" in assessment.remedy


class TestRateLimits:
    def test_who_is_asked_to_come_again_does(self, chat: Chat) -> None:
        refusals = [1, 1]

        def answer(handler: Handler, body: Any) -> None:
            if refusals:
                refusals.pop()
                handler.reply(429, b"{}", Retry_After="0")
            else:
                as_json({"reply": "How can I help?"})(handler, body)

        chat.answer = answer
        assessment = held(chat, protocol="http").assessment
        assert assessment.outcome is Outcome.PASS
        assert assessment.message.endswith("; asked to wait by the rate limit 2 times, 0 s in all")

    @pytest.mark.parametrize("after", ["11", "soon"])
    def test_a_wait_beyond_the_budget_is_no_verdict(self, after: str, chat: Chat) -> None:
        chat.answer = as_json({}, 429, Retry_After=after)
        assessment = held(chat, protocol="http").assessment
        assert assessment.outcome is Outcome.ERROR
        assert f"HTTP 429 Too Many Requests, Retry-After {after}" in assessment.message
        assert len(chat.requests) == 1


Talk = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def websocket(talk: Talk, **options: Any) -> Iterator[tuple[str, list[Any]]]:
    """A server in a thread of its own, its address, and what it was asked."""
    asked: list[Any] = []
    ready, over = threading.Event(), asyncio.Event()
    place: list[Any] = []

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(connection.request.headers)
        await talk(connection)

    async def main() -> None:
        server: Server
        async with serve(handle, "127.0.0.1", 0, **options) as server:
            place.extend((next(iter(server.sockets)).getsockname()[1], asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{place[0]}", asked
    finally:
        place[1].call_soon_threadsafe(over.set)
        thread.join()


STREAMED = {
    "path": "/chat",
    "message": {"text": "${text}"},
    "reply": "$.delta",
    "done": "$.final",
    "intent": "$.intent",
}


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(json.dumps({"reply": f"help with {json.loads(message)['message']}"}))


async def in_pieces(connection: ServerConnection) -> None:
    async for _ in connection:
        for piece in ("How ", "can I ", "help?"):
            await connection.send(json.dumps({"delta": piece}))
        await connection.send(json.dumps({"final": True, "intent": "greeting"}))


async def cut_off(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send(json.dumps({"delta": "How "}))
    await connection.close(1011)


async def silent(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.wait_closed()


async def stalled(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send(json.dumps({"delta": "How "}))
    await connection.wait_closed()


async def no_json(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send("hello")


class TestWebSocket:
    def talk(self, url: str, turns: str = ONE, **described: Any) -> Conclusion:
        target = target_at(url, protocol="websocket", websocket=described)
        return run(script(turns), target, Setting(run_id="r1", bearer="t0ken"))

    def test_one_connection_a_conversation(self) -> None:
        with websocket(echo) as (url, asked):
            conclusion = self.talk(url, TWO)
        assert conclusion.assessment.outcome is Outcome.PASS, conclusion.assessment.message
        (headers,) = asked
        assert headers["Authorization"] == "Bearer t0ken"
        assert headers["X-Seatrial-Run"] == "r1"
        assert headers["User-Agent"].startswith("seatrial/")

    def test_an_answer_in_pieces(self) -> None:
        turn = '[[turn]]\nsay = "Hi"\nexpect.contains = "How can I help?"\nexpect.intent = "greeting"\n'
        with websocket(in_pieces) as (url, _):
            conclusion = self.talk(url, turn, **STREAMED)
        assert conclusion.assessment.outcome is Outcome.PASS, conclusion.assessment.message
        reply = conclusion.transcript.exchanges[0].reply
        assert reply is not None
        assert reply.first_token is not None
        assert reply.tokens == 3

    @pytest.mark.parametrize(
        ("talk", "seen"),
        [
            (cut_off, "the connection was closed after 1 message (code 1011)"),
            (silent, "nothing"),
            (stalled, "stopped after 1 message, no message for 0.4 s"),
            (no_json, "one that begins 'hello'"),
        ],
    )
    def test_no_whole_answer(self, talk: Talk, seen: str) -> None:
        with websocket(talk) as (url, _):
            assessment = self.talk(url, **STREAMED).assessment
        assert assessment.outcome is Outcome.FAIL
        assert assessment.seen == seen

    @pytest.mark.parametrize(("status", "outcome"), [(401, Outcome.ERROR), (404, Outcome.FAIL), (503, Outcome.FAIL)])
    def test_a_refused_connection(self, status: int, outcome: Outcome) -> None:
        def refuse(connection: ServerConnection, _: object) -> Any:
            return connection.respond(status, "no")

        with websocket(echo, process_request=refuse) as (url, _):
            assessment = self.talk(url).assessment
        assert assessment.outcome is outcome
        assert assessment.seen == f"HTTP {status}"

    def test_nobody_there(self) -> None:
        with websocket(echo) as (url, _):
            pass
        assessment = self.talk(url).assessment
        assert (assessment.outcome, assessment.seen) == (Outcome.FAIL, "the connection was refused")
