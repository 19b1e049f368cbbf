"""Conversations with a real server: what it does, and what is made of it."""

import asyncio
import json
import socket
import time
from dataclasses import replace
from typing import Any

import pytest

from seatrial.conversation.runner import Setting, converse, new_session_id, run
from seatrial.conversation.verdict import Conclusion
from seatrial.evidence.outcome import Outcome
from support.chat import Chat, Handler, completion, says, script, target_at

ONE = '[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\n'
STREAM = "stream = true"


def held(chat: Chat, turns: str = ONE, head: str = "", **service: Any) -> Conclusion:
    return run(script(turns, head), chat.target(**service), Setting(run_id="r1"))


def stream_of(*pieces: str) -> Any:
    def answer(handler: Handler, _: object) -> None:
        handler.begin_stream()
        handler.delta("", role="assistant", metadata={"intent": "greeting"})
        for piece in pieces:
            handler.delta(piece)
        handler.delta(finish="stop")
        handler.event(b"[DONE]")
        handler.break_off()

    return answer


def begin_then(*steps: str) -> Any:
    """A stream of two tokens that goes on with ``steps``, named methods of the handler."""

    def answer(handler: Handler, _: object) -> None:
        handler.begin_stream()
        handler.delta("Hello ")
        handler.delta("there")
        for step in steps:
            getattr(handler, step)()

    return answer


def end_chunks(handler: Handler, _: object) -> None:
    handler.begin_stream()
    handler.delta("Hello")
    handler.chunk(b"")


def keep_alive_only(handler: Handler, _: object) -> None:
    handler.begin_stream()
    handler.delta("Hello")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        handler.chunk(b": still there\n\n")
        if handler.server.chat.over.wait(0.02):
            return


def endless(handler: Handler, _: object) -> None:
    handler.begin_stream()
    while not handler.server.chat.over.wait(0.02):
        handler.delta("word ")


def error_inside(handler: Handler, _: object) -> None:
    handler.begin_stream()
    handler.delta("Hello")
    handler.event({"error": {"message": "overloaded"}})
    handler.break_off()


def no_json_inside(handler: Handler, _: object) -> None:
    handler.begin_stream()
    handler.event(b"<html>")
    handler.break_off()


def status(code: int, body: bytes = b"", **headers: str) -> Any:
    return lambda handler, _: handler.reply(code, body, X_Request_Id="req-9", **headers)


def test_a_conversation_that_holds(chat: Chat) -> None:
    conclusion = held(chat, ONE + '[[turn]]\nsay = "Help"\nexpect.intent = "greeting"\n')
    assert conclusion.assessment.outcome is Outcome.PASS, conclusion.assessment.message
    assert conclusion.assessment.n == 2
    headers, body = chat.requests[-1]
    assert headers["X-Seatrial-Run"] == "r1"
    assert "seatrial" in headers["User-Agent"]
    assert headers["X-Session-Id"] == body["user"] == conclusion.transcript.session_id
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert {headers["X-Session-Id"] for headers, _ in chat.requests} == {conclusion.transcript.session_id}
    assert conclusion.transcript.exchanges[0].reply is not None
    assert conclusion.transcript.exchanges[0].reply.request_id == "req-7"


def test_session_memory_sends_the_last_message_only(chat: Chat) -> None:
    held(chat, ONE + ONE, 'memory = "session"')
    assert [len(body["messages"]) for _, body in chat.requests] == [1, 1]


def test_a_stream_is_put_together(chat: Chat) -> None:
    chat.answer = stream_of("Hello", ", how can", " I help?")
    more = 'expect.max_first_token = "300ms"\nexpect.intent = "greeting"\n'
    more += 'expect.json."$.choices[0].finish_reason" = "stop"\n'
    conclusion = held(chat, ONE + more, STREAM)
    assert conclusion.assessment.outcome is Outcome.PASS, str(conclusion.transcript)
    reply = conclusion.transcript.exchanges[0].reply
    assert reply is not None
    assert (reply.text, reply.tokens) == ("Hello, how can I help?", 3)
    assert reply.first_token is not None
    assert 0 < reply.first_token <= reply.latency


@pytest.mark.parametrize(
    ("answer", "head", "outcome", "seen"),
    [
        (says("Sorry?"), "", Outcome.FAIL, '"Sorry?"'),
        (says("  "), "", Outcome.FAIL, "no text"),
        (status(500, b'{"error": {"message": "boom"}}'), "", Outcome.FAIL, "HTTP 500 Internal Server Error: boom"),
        (status(502, b"<html>"), "", Outcome.FAIL, "HTTP 502 Bad Gateway"),
        (status(404), "", Outcome.FAIL, "HTTP 404 Not Found"),
        (status(401), "", Outcome.ERROR, "HTTP 401 Unauthorized"),
        (status(429, Retry_After="30"), "", Outcome.ERROR, "HTTP 429 Too Many Requests, Retry-After 30"),
        (status(308, Location="https://x/"), "", Outcome.ERROR, "HTTP 308 Permanent Redirect to https://x/"),
        (status(200, b"<html>hi"), "", Outcome.FAIL, "application/json that begins '<html>hi'"),
        (status(200, b'{"choices": []}'), "", Outcome.FAIL, '{"choices": []}'),
        (status(200, b"[" * 100_000), "", Outcome.FAIL, "application/json that begins '" + "[" * 80 + "'"),
        (lambda h, _: h.hang(), "", Outcome.FAIL, "nothing"),
        (lambda h, _: h.break_off(), "", Outcome.FAIL, "the connection was closed before the answer was complete"),
        (says("Hello"), STREAM, Outcome.FAIL, "application/json"),
        (begin_then("hang"), STREAM, Outcome.FAIL, "stream stopped after 2 tokens, no data for 0.4 s"),
        (keep_alive_only, STREAM, Outcome.FAIL, "stream stopped after 1 token, no data for 0.4 s"),
        (begin_then("break_off"), STREAM, Outcome.FAIL, "stream broken off after 2 tokens: the connection was closed"),
        (end_chunks, STREAM, Outcome.FAIL, "the stream ended after 1 token, without a finish reason"),
        (endless, STREAM, Outcome.FAIL, "stream still going on after"),
        (error_inside, STREAM, Outcome.FAIL, "an error inside the stream: overloaded (after 1 token)"),
        (no_json_inside, STREAM, Outcome.FAIL, "a chunk that is no JSON: '<html>' (after 0 tokens)"),
        (lambda h, _: (h.begin_stream(), h.hang()), STREAM, Outcome.FAIL, "a stream without words"),
    ],
)
def test_what_goes_wrong(chat: Chat, answer: Any, head: str, outcome: Outcome, seen: str) -> None:
    chat.answer = answer
    conclusion = held(chat, head=head)
    assert conclusion.assessment.outcome is outcome, conclusion.assessment.message
    assert conclusion.assessment.seen.startswith(seen)
    assert conclusion.assessment.message.startswith('turn 1 of 1, "Hello!", ')
    assert "curl " in str(conclusion.transcript)
    (exchange,) = conclusion.transcript.exchanges
    if exchange.trouble is not None and exchange.trouble.status not in (None, 200):
        assert "request req-9" in conclusion.assessment.remedy
    json.dumps(conclusion.transcript.as_json())


def test_a_pause_longer_than_allowed_is_not_waited_out(chat: Chat) -> None:
    chat.answer = begin_then("hang")
    begun = time.monotonic()
    conclusion = held(chat, ONE + 'expect.max_pause = "100ms"', STREAM, timeout="20s")
    assert conclusion.assessment.seen == "stream stopped after 2 tokens, no data for 0.1 s"
    assert time.monotonic() - begun < 5
    assert "Hello there [broken off]" in str(conclusion.transcript)


def test_a_service_that_refuses_is_at_fault_and_a_name_that_does_not_resolve_is_not() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        refused = run(
            script(ONE), target_at(f"http://127.0.0.1:{bound.getsockname()[1]}"), Setting(run_id="r1")
        ).assessment
    assert (refused.outcome, refused.seen) == (Outcome.FAIL, "the connection was refused")
    unresolved = run(script(ONE), target_at("http://nowhere.invalid"), Setting(run_id="r1")).assessment
    assert unresolved.outcome is Outcome.ERROR
    assert "does not resolve" in unresolved.seen


def test_plain_http_behind_an_https_address_is_an_error(chat: Chat) -> None:
    url = chat.url.replace("http://", "https://")
    assert run(script(ONE), target_at(url), Setting(run_id="r1")).assessment.outcome is Outcome.ERROR


def test_settings_that_cannot_be_used_are_errors(chat: Chat) -> None:
    no_ca = target_at("https://127.0.0.1:1", tls={"ca_file": "/nowhere/ca.pem"})
    assert run(script(ONE), no_ca, Setting(run_id="r1")).assessment.outcome is Outcome.ERROR
    pigeon = chat.target()
    pigeon = replace(pigeon, service=pigeon.service.model_copy(update={"protocol": "pigeon"}))
    other = run(script(ONE), pigeon, Setting(run_id="r1")).assessment
    assert other.outcome is Outcome.ERROR
    assert "openai" in other.remedy


def test_the_first_failing_turn_ends_it_and_is_named(chat: Chat) -> None:
    answers = iter(["help", "nothing", "help"])
    chat.answer = lambda handler, body: says(next(answers))(handler, body)
    conclusion = held(chat, ONE + ONE.replace("Hello!", "Again") + ONE)
    assert conclusion.assessment.message == ('turn 2 of 3, "Again", failed: contains: expected "help", seen "nothing"')
    assert len(chat.requests) == 2
    assert "1 more turn not said" in str(conclusion.transcript)
    (finding,) = conclusion.assessment.findings
    assert str(finding) == 'chat candidate turn 2 of 3 contains: expected "help", seen "nothing"'


def test_values_and_captures_fill_what_is_said(chat: Chat) -> None:
    answers = iter(["Your ticket is T-77 (open).", "T-77 is closed."])
    chat.answer = lambda handler, body: says(next(answers))(handler, body)
    turns = """
[values]
who = "ann-${run.id}"
[[turn]]
say = "I am ${who}"
capture.ticket = 'ticket is (\\S+)'
capture.kind = { json = "$.object" }
[[turn]]
say = "Close ${ticket}, $${ticket} of ${kind}"
expect.remembers = "ticket"
expect.matches = '^${ticket} is'
"""
    conclusion = held(chat, turns)
    assert conclusion.assessment.outcome is Outcome.PASS, str(conclusion.transcript)
    assert [exchange.said for exchange in conclusion.transcript.exchanges] == [
        "I am ann-r1",
        "Close T-77, ${ticket} of chat.completion",
    ]


def test_what_is_not_there_cannot_be_captured(chat: Chat) -> None:
    conclusion = held(chat, "[[turn]]\nsay = 'x'\ncapture.ticket = 'ticket (\\S+)'\n")
    assert conclusion.assessment.outcome is Outcome.FAIL
    assert "capture ticket" in conclusion.assessment.message


def test_no_secret_in_the_transcript_and_a_reference_in_the_curl_line(chat: Chat) -> None:
    chat.answer = status(500)
    target = chat.target(auth={"env": "CHAT_TOKEN"})
    conclusion = run(script(ONE), target, Setting(run_id="r1", bearer="s3cret-t0ken"))
    assert chat.requests[0][0]["Authorization"] == "Bearer s3cret-t0ken"
    told = str(conclusion.transcript) + json.dumps(conclusion.transcript.as_json())
    assert "s3cret" not in told
    assert '-H "Authorization: Bearer ${CHAT_TOKEN}"' in told.replace('\\"', '"')
    from_file = chat.target(auth={"file": "/run/secrets/it's"})
    assert "$(cat '/run/secrets/it'" in str(run(script(ONE), from_file, Setting(run_id="r1", bearer="x")).transcript)


def test_an_answer_without_content_may_call_tools_or_refuse(chat: Chat) -> None:
    answer = json.dumps(completion(None, tool_calls=[{"function": {"name": "lookup"}}])).encode()
    chat.answer = lambda handler, _: handler.reply(200, answer)
    turn = '[[turn]]\nsay = "x"\nexpect.json."$.choices[0].message.tool_calls[0].function.name" = "lookup"\n'
    assert held(chat, turn).assessment.outcome is Outcome.PASS
    refusal = json.dumps(completion(None, refusal="I cannot help with that")).encode()
    chat.answer = lambda handler, _: handler.reply(200, refusal)
    assert held(chat).assessment.outcome is Outcome.PASS


def test_many_conversations_share_one_loop_and_no_session(chat: Chat) -> None:
    async def all_at_once() -> list[Conclusion]:
        one, target = script(ONE), chat.target(timeout="10s")
        return await asyncio.gather(*(converse(one, target, Setting(run_id="r1")) for _ in range(20)))

    conclusions = asyncio.run(all_at_once())
    assert {
        conclusion.assessment.message for conclusion in conclusions if conclusion.assessment.outcome is not Outcome.PASS
    } == set()
    assert len({conclusion.transcript.session_id for conclusion in conclusions}) == 20


def test_session_ids_fit_a_header() -> None:
    name = new_session_id("20260101T000000Z-a b\n-ü" + "x" * 200, "greeting", "stable")
    assert len(name) <= 128
    assert all("!" <= character <= "~" for character in name)


def test_the_transcript_reads_well(chat: Chat) -> None:
    chat.answer = says("We are closed.", "opening_hours")
    turn = '[[turn]]\nsay = "Open?"\nexpect.contains = "10:00"\nexpect.intent = "hours"\n'
    text = str(held(chat, turn).transcript)
    lines = text.splitlines()
    assert lines[2:4] == ["  1 user Open?", "    bot  We are closed."]
    assert lines[5:8] == [
        "         FAILED intent    expected hours  |  seen opening_hours",
        '         FAILED contains  expected "10:00"  |  seen the answer above',
        "  repeat it:",
    ]
    assert " ms, intent opening_hours, HTTP 200, request req-7)" in lines[4]
