"""Puts the chunks of an OpenAI stream together: text, times, and the completion as if it had come whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

DONE: Final = "[DONE]"


class BadChunk(ValueError):
    """A chunk that breaks the protocol, or by which the service reports an error."""


class Assembly:
    """What has come of one stream. ``elapsed`` is always in seconds since the request was sent."""

    def __init__(self) -> None:
        self.tokens = 0
        self.first_token: float | None = None
        self.longest_pause = 0.0
        self.done = False
        self._last_data = 0.0
        self._envelope: dict[str, Any] = {}
        self._message: dict[str, Any] = {}
        self._finish_reason: str | None = None

    @property
    def text(self) -> str:
        """The text so far."""
        return str(self._message.get("content") or "")

    @property
    def complete(self) -> bool:
        """Whether the stream said that it is at its end, by ``[DONE]`` or by a finish reason."""
        return self.done or self._finish_reason is not None

    def add(self, data: str, elapsed: float) -> None:
        """Take the data of one event. Raises BadChunk."""
        if self.first_token is not None:
            self.longest_pause = max(self.longest_pause, elapsed - self._last_data)
        self._last_data = elapsed
        if data.strip() == DONE:
            self.done = True
            return
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            raise BadChunk(f"a chunk that is no JSON: {data[:80]!r}") from None
        if not isinstance(chunk, dict):
            raise BadChunk(f"a chunk that is no object: {data[:80]!r}")
        if chunk.get("error"):
            raise BadChunk(f"an error inside the stream: {error_message(chunk) or data[:80]}")
        self._envelope |= {key: value for key, value in chunk.items() if key != "choices" and value is not None}
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else {}
        if not isinstance(choice, dict):
            raise BadChunk(f"a choice that is no object: {data[:80]!r}")
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = choice.get("delta")
        if isinstance(delta, dict):
            if isinstance(delta.get("content"), str) and delta["content"]:
                self.tokens += 1
                if self.first_token is None:
                    self.first_token = elapsed
            self._merge(delta)

    def _merge(self, delta: Mapping[str, Any]) -> None:
        for key, value in delta.items():
            before = self._message.get(key)
            if key == "tool_calls" and isinstance(value, list):
                self._message[key] = _merged_calls(before or [], value)
            elif key != "role" and isinstance(value, str) and isinstance(before, str):
                self._message[key] = before + value
            elif value is not None or before is None:
                self._message[key] = value

    def body(self) -> dict[str, Any]:
        """The ``chat.completion`` that the chunks make up."""
        choice = {"index": 0, "message": self._message, "finish_reason": self._finish_reason}
        return {**self._envelope, "object": "chat.completion", "choices": [choice]}


def _merged_calls(before: list[Any], pieces: list[Any]) -> list[Any]:
    """Tool calls come in pieces: each names its index, and its arguments are a text to append."""
    calls = [dict(call) for call in before]
    for piece in pieces:
        if not isinstance(piece, dict):
            raise BadChunk(f"a tool call that is no object: {str(piece)[:80]}")
        index = piece.get("index", len(calls))
        known = next((call for call in calls if call.get("index") == index), None)
        if known is None:
            calls.append(dict(piece))
            continue
        function, more = dict(known.get("function") or {}), piece.get("function") or {}
        for key, value in more.items():
            function[key] = function.get(key, "") + value if key == "arguments" else value
        known["function"] = function
    return calls


def error_message(body: Any) -> str:
    """The message of OpenAI's error object, or of what many services answer instead; empty where there is none."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error") or body.get("message") or body.get("detail") or ""
    if isinstance(error, dict):
        error = error.get("message") or ""
    return str(error)[:200]
