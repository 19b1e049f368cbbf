from __future__ import annotations

import json

import pytest

from seatrial.demo.answer import pieces
from seatrial.demo.request import BadRequest, parse

HELLO = [{"role": "user", "content": "hello"}]


def test_a_whole_request() -> None:
    messages = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        *HELLO,
    ]
    body = {"model": "chatbot", "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    wanted = parse(json.dumps(body | {"max_tokens": 3, "temperature": 0.5, "n": 1, "seed": 1}).encode(), None)
    assert wanted.user_texts == ("one\ntwo", "hello")
    assert (wanted.stream, wanted.include_usage, wanted.max_tokens, wanted.session) == (True, True, 3, None)
    assert wanted.prompt_tokens == 5


@pytest.mark.parametrize(
    ("header", "more", "session"),
    [
        (None, {}, None),
        ("h", {"metadata": {"session_id": "m"}, "user": "u"}, "h"),
        (None, {"metadata": {"session_id": "m"}, "user": "u"}, "m"),
        (None, {"metadata": {"other": "x"}, "user": "u"}, "u"),
    ],
)
def test_where_the_session_is_named(header: str | None, more: dict[str, object], session: str | None) -> None:
    assert parse(json.dumps({"model": "default", "messages": HELLO, **more}).encode(), header).session == session


@pytest.mark.parametrize(
    ("raw", "param", "code", "status"),
    [
        (b"", None, None, 400),
        (b"\xff", None, None, 400),
        (b"[" * 100_000, None, None, 400),
        (b"[]", None, None, 400),
        (b"null", None, None, 400),
        ({"messages": HELLO}, "model", None, 400),
        ({"model": 1}, "model", "invalid_type", 400),
        ({"model": "gpt"}, "model", "model_not_found", 404),
        ({"messages": None}, "messages", "missing_required_parameter", 400),
        ({"messages": "hello"}, "messages", "invalid_type", 400),
        ({"messages": []}, "messages", "empty_array", 400),
        ({"messages": [1]}, "messages[0]", "invalid_type", 400),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "invalid_type", 400),
        ({"messages": [{"role": "robot", "content": ""}]}, "messages[0].role", "invalid_value", 400),
        ({"messages": [{"role": [], "content": ""}]}, "messages[0].role", "invalid_value", 400),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages", "invalid_value", 400),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]", None, 400),
        ({"stream": "yes"}, "stream", "invalid_type", 400),
        ({"stream_options": {}}, "stream_options", None, 400),
        ({"temperature": 3}, "temperature", "invalid_value", 400),
        ({"temperature": True}, "temperature", "invalid_type", 400),
        ({"top_p": "1"}, "top_p", "invalid_type", 400),
        ({"n": 2}, "n", "invalid_value", 400),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value", 400),
        ({"max_completion_tokens": True}, "max_completion_tokens", "invalid_type", 400),
        ({"user": "a b"}, "user", "invalid_value", 400),
        ({"user": 1}, "user", "invalid_type", 400),
        ({"metadata": {"session_id": 1}}, "metadata.session_id", "invalid_type", 400),
    ],
)
def test_refusals(raw: bytes | dict[str, object], param: str | None, code: str | None, status: int) -> None:
    if isinstance(raw, dict):
        whole = {"messages": HELLO, **raw} if param == "model" else {"model": "chatbot", "messages": HELLO, **raw}
        raw = json.dumps(whole).encode()
    with pytest.raises(BadRequest) as caught:
        parse(raw, None)
    assert (caught.value.param, caught.value.status) == (param, status)
    if code is not None:
        assert caught.value.code == code
    assert caught.value.message


def test_pieces_join_to_the_text() -> None:
    text = "Your order 4711 is on its way."
    assert "".join(pieces(text)) == text
    assert len(pieces(text)) == 7
