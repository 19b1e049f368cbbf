"""The healthy chat service over real sockets."""

from __future__ import annotations

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

COMPLETIONS = "/v1/chat/completions"


def say(client: httpx.Client, *texts: str, session: str | None = None, **more: Any) -> httpx.Response:
    messages = [{"role": "user", "content": text} for text in texts]
    headers = {"X-Session-Id": session} if session else {}
    return client.post(COMPLETIONS, json={"model": "chatbot", "messages": messages, **more}, headers=headers)


def text_of(response: httpx.Response) -> str:
    text: str = response.json()["choices"][0]["message"]["content"]
    return text


def events(response: httpx.Response) -> list[str]:
    return [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]


def test_a_whole_answer(candidate: httpx.Client) -> None:
    response = say(candidate, "When are you open?")
    body = response.json()
    assert response.status_code == 200
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert body["model"] == "chatbot"
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["metadata"] == {"intent": "opening_hours"}
    assert response.headers["x-chatbot-intent"] == "opening_hours"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] == 4


def test_a_streamed_answer(candidate: httpx.Client) -> None:
    whole = say(candidate, "When are you open?").json()
    response = say(candidate, "When are you open?", stream=True, stream_options={"include_usage": True})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    *data, done = events(response)
    assert done == "[DONE]"
    first, *middle, last, usage = map(json.loads, data)
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert first["choices"][0]["delta"]["metadata"] == {"intent": "opening_hours"}
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in middle)
    assert text == whole["choices"][0]["message"]["content"]
    assert last["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert usage["choices"] == []
    assert usage["usage"] == whole["usage"]
    assert {chunk["id"] for chunk in (first, *middle, last, usage)} == {first["id"]}
    assert {chunk["object"] for chunk in (first, *middle, last, usage)} == {"chat.completion.chunk"}


def test_usage_is_streamed_only_when_asked_for(candidate: httpx.Client) -> None:
    assert '"usage"' not in say(candidate, "hello", stream=True).text


def test_tokens_arrive_one_after_the_other(candidate: httpx.Client) -> None:
    body = {"model": "chatbot", "stream": True, "messages": [{"role": "user", "content": "When are you open?"}]}
    with candidate.stream("POST", COMPLETIONS, json=body) as response:
        reads = sum(1 for _ in response.iter_raw())
    assert reads > 5


def test_max_tokens_cuts_the_answer(candidate: httpx.Client) -> None:
    body = say(candidate, "When are you open?", max_tokens=3).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["choices"][0]["message"]["content"] == "We are open"
    assert body["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize("how", ["header", "user", "metadata"])
def test_memory_by_session(candidate: httpx.Client, how: str) -> None:
    session = uuid.uuid4().hex
    more: dict[str, Any] = {"header": {"session": session}, "user": {"user": session}}.get(
        how, {"metadata": {"session_id": session}}
    )
    say(candidate, "Where is order 4711?", **more)
    say(candidate, "My name is Ada", **more)
    assert "4711" in text_of(say(candidate, "When will it arrive?", **more))
    assert "Ada" in text_of(say(candidate, "What is my name?", **more))


def test_memory_by_messages(candidate: httpx.Client) -> None:
    assert "4711" in text_of(say(candidate, "Where is order 4711?", "When will it arrive?"))


def test_no_session_no_memory_and_no_leak_between_sessions(candidate: httpx.Client) -> None:
    say(candidate, "Where is order 4711?", session=uuid.uuid4().hex)
    assert "4711" not in text_of(say(candidate, "When will it arrive?"))
    assert "4711" not in text_of(say(candidate, "When will it arrive?", session=uuid.uuid4().hex))


def test_a_session_can_be_ended(candidate: httpx.Client) -> None:
    session = uuid.uuid4().hex
    say(candidate, "Where is order 4711?", session=session)
    assert candidate.delete(f"/v1/sessions/{session}").status_code == 204
    assert candidate.delete(f"/v1/sessions/{session}").status_code == 404
    assert "4711" not in text_of(say(candidate, "When will it arrive?", session=session))


@pytest.mark.parametrize(
    ("content", "status", "param"),
    [
        (b"{", 400, None),
        (b'{"model": "chatbot"}', 400, "messages"),
        (b'{"model": "gpt", "messages": [{"role": "user", "content": "x"}]}', 404, "model"),
        (b'"' + b"x" * 300_000 + b'"', 413, None),
    ],
)
def test_refusals_have_the_shape_of_openai(
    candidate: httpx.Client, content: bytes, status: int, param: str | None
) -> None:
    response = candidate.post(COMPLETIONS, content=content)
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param


def test_a_bad_session_header_is_refused(candidate: httpx.Client) -> None:
    response = say(candidate, "hello", session="a b")
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "x-session-id"


def test_unicode_and_lone_surrogates_come_back_as_json(candidate: httpx.Client) -> None:
    assert "Зоя" in text_of(say(candidate, "my name is Зоя"))
    raw = b'{"model": "chatbot", "messages": [{"role": "user", "content": "my name is a\\ud800b"}]}'
    assert candidate.post(COMPLETIONS, content=raw).status_code == 200


def test_the_request_id_is_the_clients_where_it_is_harmless(candidate: httpx.Client) -> None:
    body = {"model": "chatbot", "messages": [{"role": "user", "content": "hello"}]}
    seen = candidate.post(COMPLETIONS, json=body, headers={"X-Request-Id": "run-1"}).headers["x-request-id"]
    assert seen == "run-1"
    seen = candidate.post(COMPLETIONS, json=body, headers={"X-Request-Id": "a b"}).headers["x-request-id"]
    assert seen.startswith("req_")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/models", "/v1/models/chatbot", "/"])
def test_what_a_healthy_service_answers(candidate: httpx.Client, path: str) -> None:
    assert candidate.get(path).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("GET", COMPLETIONS, 405)])
def test_unknown_paths_and_methods(candidate: httpx.Client, method: str, path: str, status: int) -> None:
    response = candidate.request(method, path)
    assert response.status_code == status
    assert response.json()["error"]["type"] == "invalid_request_error"
    if status == 405:
        assert response.headers["allow"] == "POST"


def test_version(demo: Any, candidate: httpx.Client) -> None:
    content = candidate.get("/version").json()
    assert (content["version"], content["track"], len(content["commit"])) == ("1.5.0", "candidate", 40)
    stable = httpx.get(demo.variables["stable_url"] + "/version").json()
    assert (stable["version"], stable["track"]) == ("1.4.2", "stable")


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/nothing", "/chat.js"])
def test_security_headers_are_on_every_answer(candidate: httpx.Client, path: str) -> None:
    headers = candidate.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["server"] == "chatbot"


def test_security_headers_are_on_streams_and_refusals(candidate: httpx.Client) -> None:
    assert say(candidate, "hello", stream=True).headers["x-content-type-options"] == "nosniff"
    assert candidate.post(COMPLETIONS, content=b"{").headers["x-content-type-options"] == "nosniff"


def test_the_page_loads_nothing_from_elsewhere(candidate: httpx.Client) -> None:
    for path in ("/", "/chat.js", "/chat.css"):
        assert not re.search(r"https?://|//[\w.-]+\.\w", candidate.get(path).text)


SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\]*",?)*)\})? (\d[\d.e+-]*)')


def test_metrics_count_what_happened(candidate: httpx.Client) -> None:
    def scrape() -> dict[tuple[str, str], float]:
        response = candidate.get("/metrics")
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = response.text.splitlines()
        types = [line for line in lines if line.startswith("# TYPE ")]
        assert len(types) == len(set(types))
        samples = [SAMPLE.fullmatch(line) for line in lines if not line.startswith("# ")]
        found = {(m[1], m[2] or ""): float(m[3]) for m in samples if m}
        assert len(found) == len(samples)
        return found

    completions = ("chatbot_requests_total", 'method="POST",route="/v1/chat/completions",code="200"')
    duration = ("chatbot_request_duration_seconds_count", "")
    first_token = ("chatbot_time_to_first_token_seconds_count", "")
    sessions = ("chatbot_sessions", "")
    say(candidate, "hello")
    before = scrape()
    say(candidate, "hello", session=uuid.uuid4().hex)
    say(candidate, "hello", stream=True)
    after = scrape()
    assert after[completions] - before[completions] == 2
    assert after[duration] - before[duration] == 2
    assert after[first_token] - before[first_token] == 1
    assert after[sessions] - before[sessions] == 1
    assert after["chatbot_request_duration_seconds_bucket", 'le="+Inf"'] == after[duration]
    build = next(labels for name, labels in after if name == "chatbot_build_info")
    assert 'version="1.5.0"' in build
    assert 'track="candidate"' in build


def test_many_at_once(candidate: httpx.Client) -> None:
    def name_of(index: int) -> str:
        session = uuid.uuid4().hex
        say(candidate, f"my order is {1000 + index}", session=session)
        return text_of(say(candidate, "When will it arrive?", session=session))

    with ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(name_of, range(100)))
    assert all(str(1000 + index) in text for index, text in enumerate(texts))
