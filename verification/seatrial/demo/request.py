"""The request side of OpenAI's chat completions: what a request must look like, and what is said when it does not.

Reference: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from seatrial.demo.answer import pieces

T = TypeVar("T")

MODELS: Final = ("chatbot", "default")
ROLES: Final = ("system", "developer", "user", "assistant", "tool")

_SESSION_ID: Final = re.compile(r"[!-~]{1,128}")


class BadRequest(Exception):
    """A request that breaks the API's contract: HTTP ``status`` and the fields of OpenAI's error object."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status = message, param, code, status


@dataclass(frozen=True, kw_only=True)
class CompletionRequest:
    """A valid request for one chat completion."""

    model: str
    user_texts: tuple[str, ...]
    """What the user said, oldest first; the last one is to be answered."""
    prompt_tokens: int
    stream: bool = False
    include_usage: bool = False
    max_tokens: int | None = None
    session: str | None = None


def parse(raw: bytes, session_header: str | None) -> CompletionRequest:
    """The request in ``raw``. Raises BadRequest, as OpenAI's API would, with the offending parameter.

    The session is the header's, else ``metadata.session_id``, else ``user``, else there is none.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadRequest("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise BadRequest(f"Expected a JSON object, but got {_kind(body)} instead.")
    stream = _optional(body, "stream", bool) or False
    options = _optional(body, "stream_options", dict)
    if options is not None and not stream:
        raise BadRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    _check_sampling(body)
    user_texts, prompt_tokens = _messages(body)
    return CompletionRequest(
        model=_model(body),
        user_texts=user_texts,
        prompt_tokens=prompt_tokens,
        stream=stream,
        include_usage=bool(options and options.get("include_usage") is True),
        max_tokens=_max_tokens(body),
        session=_session(body, session_header),
    )


_KINDS: Final[Mapping[type, str]] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def _kind(value: object) -> str:
    return _KINDS[type(value)]


def _wrong_type(param: str, expected: str, value: object) -> BadRequest:
    message = f"Invalid type for '{param}': expected {expected}, but got {_kind(value)} instead."
    return BadRequest(message, param=param, code="invalid_type")


def _optional(body: Mapping[str, Any], param: str, kind: type[T]) -> T | None:
    value = body.get(param)
    # bool is a subclass of int, and `true` is no number.
    if value is not None and type(value) is not kind:
        raise _wrong_type(param, _KINDS[kind], value)
    return value


def _model(body: Mapping[str, Any]) -> str:
    model = _optional(body, "model", str)
    if not model:
        raise BadRequest("you must provide a model parameter", param="model")
    if model not in MODELS:
        message = f"The model '{model[:80]}' does not exist; there are: {', '.join(MODELS)}."
        raise BadRequest(message, param="model", code="model_not_found", status=404)
    return model


def _check_sampling(body: Mapping[str, Any]) -> None:
    for param, highest in (("temperature", 2), ("top_p", 1)):
        value = body.get(param)
        if value is None:
            continue
        if type(value) not in (int, float):
            raise _wrong_type(param, "a number", value)
        if not 0 <= value <= highest:
            message = f"Invalid '{param}': expected a value from 0 to {highest}, but got {value} instead."
            raise BadRequest(message, param=param, code="invalid_value")
    if _optional(body, "n", int) not in (None, 1):
        raise BadRequest("Invalid 'n': this service gives one choice.", param="n", code="invalid_value")


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    for param in ("max_completion_tokens", "max_tokens"):
        value = _optional(body, param, int)
        if value is None:
            continue
        if value < 1:
            message = f"Invalid '{param}': integer below minimum value. Expected a value >= 1, but got {value} instead."
            raise BadRequest(message, param=param, code="integer_below_min_value")
        return value
    return None


def _messages(body: Mapping[str, Any]) -> tuple[tuple[str, ...], int]:
    """The user's texts, and the number of tokens in all messages."""
    messages = body.get("messages")
    if messages is None:
        raise BadRequest("Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter")
    if not isinstance(messages, list):
        raise _wrong_type("messages", "an array", messages)
    if not messages:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array."
        raise BadRequest(message, param="messages", code="empty_array")
    texts: list[str] = []
    tokens = 0
    for index, message in enumerate(messages):
        param = f"messages[{index}]"
        if not isinstance(message, dict):
            raise _wrong_type(param, "an object", message)
        role = message.get("role")
        if role not in ROLES:
            known = ", ".join(f"'{name}'" for name in ROLES)
            text = f"Invalid value for '{param}.role': supported values are {known}."
            raise BadRequest(text, param=f"{param}.role", code="invalid_value")
        content = _content(message, param)
        tokens += len(pieces(content))
        if role == "user":
            texts.append(content)
    if not texts or messages[-1]["role"] not in ("user", "tool"):
        raise BadRequest("The last message must be the user's.", param="messages", code="invalid_value")
    return tuple(texts), tokens


def _content(message: Mapping[str, Any], param: str) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if content is None and message["role"] == "assistant":
        return ""
    if not isinstance(content, list):
        raise _wrong_type(f"{param}.content", "a string or an array of content parts", content)
    texts: list[str] = []
    for index, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            place = f"{param}.content[{index}]"
            raise BadRequest(f"Invalid '{place}': this service reads text parts.", param=place, code="invalid_value")
        texts.append(part["text"])
    return "\n".join(texts)


def _session(body: Mapping[str, Any], header: str | None) -> str | None:
    metadata = _optional(body, "metadata", dict) or {}
    for param, value in (
        ("x-session-id", header),
        ("metadata.session_id", metadata.get("session_id")),
        ("user", _optional(body, "user", str)),
    ):
        if value is None:
            continue
        if not isinstance(value, str):
            raise _wrong_type(param, "a string", value)
        if not _SESSION_ID.fullmatch(value):
            message = f"Invalid '{param}': expected 1 to 128 printable ASCII characters without blanks."
            raise BadRequest(message, param=param, code="invalid_value")
        return value
    return None
