"""The answer side of OpenAI's chat completions: the object, the stream of chunks, and the error object.

Reference: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

_PIECE: Final = re.compile(r"\s*\S+")


def dump(value: object) -> bytes:
    """Compact JSON in UTF-8; lone surrogates, which JSON can carry and UTF-8 cannot, become question marks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def error_object(
    message: str, *, kind: str = "invalid_request_error", param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """The body of every error answer."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def pieces(text: str) -> list[str]:
    """``text`` cut into the demo's tokens: words with the white space before them. Joined they are ``text`` again."""
    return _PIECE.findall(text)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer, ready to be written as a whole or in chunks."""

    id: str
    created: int
    model: str
    fingerprint: str
    intent: str
    tokens: Sequence[str]
    finish_reason: str
    prompt_tokens: int

    def whole(self) -> dict[str, Any]:
        """The ``chat.completion`` object. ``message.metadata.intent`` is our addition to OpenAI's format."""
        message = {
            "role": "assistant",
            "content": "".join(self.tokens),
            "refusal": None,
            "metadata": {"intent": self.intent},
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return {**self._envelope("chat.completion"), "choices": [choice], "usage": self._usage()}

    def chunks(self, *, include_usage: bool) -> list[bytes]:
        """The server-sent events of a stream, ``[DONE]`` last; the first one carries role and ``metadata.intent``."""
        deltas: list[tuple[dict[str, Any], str | None]] = [
            ({"role": "assistant", "content": "", "refusal": None, "metadata": {"intent": self.intent}}, None),
            *(({"content": token}, None) for token in self.tokens),
            ({}, self.finish_reason),
        ]
        envelope = self._envelope("chat.completion.chunk") | ({"usage": None} if include_usage else {})
        objects = [
            {**envelope, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]}
            for delta, reason in deltas
        ]
        if include_usage:
            objects.append({**envelope, "choices": [], "usage": self._usage()})
        return [*(b"data: " + dump(item) + b"\n\n" for item in objects), b"data: [DONE]\n\n"]

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def _usage(self) -> dict[str, int]:
        completion = len(self.tokens)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }
