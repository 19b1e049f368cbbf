"""OpenAI's chat completions, whole and streamed: https://platform.openai.com/docs/api-reference/chat."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Iterator
from typing import Any, Final, Literal

from seatrial.conversation.assembly import Assembly, BadChunk, error_message
from seatrial.conversation.exchange import HttpExchange
from seatrial.conversation.protocol import REQUEST_ID_HEADER, Identity, NoReply, Patience, Reply, Request
from seatrial.conversation.sse import EventParser
from seatrial.environment.selection import ServiceTarget
from seatrial.http.concurrent import AsyncClient, Response

PATH: Final = "/v1/chat/completions"
SESSION_HEADER: Final = "X-Session-Id"


class OpenAIChannel:
    """One conversation. Earlier turns are sent again (``memory="messages"``) or left to the service's session.

    Whatever the memory, the session id goes along in the header ``X-Session-Id`` and as ``user``.
    """

    def __init__(
        self,
        client: AsyncClient,
        target: ServiceTarget,
        identity: Identity,
        *,
        stream: bool,
        memory: Literal["messages", "session"],
    ) -> None:
        self._client = client
        self._target = target
        self._identity = identity
        self._stream = stream
        self._memory = memory
        self._said: list[dict[str, Any]] = []

    def prepare(self, text: str) -> Request:
        """The request that says ``text`` next."""
        earlier = self._said if self._memory == "messages" else []
        body: dict[str, Any] = {
            "model": self._target.service.model,
            "messages": [*earlier, {"role": "user", "content": text}],
            "user": self._identity.session_id,
        }
        if self._stream:
            body["stream"] = True
        headers = {
            **self._identity.headers,
            "Accept": "text/event-stream" if self._stream else "application/json",
            SESSION_HEADER: self._identity.session_id,
            REQUEST_ID_HEADER: f"seatrial-{uuid.uuid4().hex}",
        }
        return Request(method="POST", url=self._target.base_url + PATH, headers=headers, body=body)

    async def send(self, request: Request, patience: Patience) -> Reply:
        """Send a prepared request, and remember it and its answer. Raises NoReply."""
        reply = await _Exchange(self._client, self._target, request, patience).reply()
        self._said = [*request.body["messages"], {"role": "assistant", "content": reply.text}]
        return reply

    async def close(self) -> None:
        """Nothing is held."""


class _Exchange(HttpExchange):
    """One chat completion, whole or streamed."""

    def __init__(self, client: AsyncClient, target: ServiceTarget, request: Request, patience: Patience) -> None:
        super().__init__(client, target, request, patience)
        self._assembly: Assembly | None = None

    async def _take(self, response: Response, clock: asyncio.Timeout) -> Reply:
        if self._request.body.get("stream"):
            return await self._streamed(response, clock)
        content = await self._read(response)
        latency = self._elapsed
        return self._made(self._document(response, content, "a chat completion in JSON"), latency)

    def _error_message(self, document: Any) -> str:
        return error_message(document)

    @property
    def _progress(self) -> str:
        count = self._assembly.tokens if self._assembly else 0
        return f"after {count} token{'' if count == 1 else 's'}"

    @property
    def _stopped(self) -> str:
        return f"stream broken off {self._progress}: " if self._assembly else ""

    @property
    def _partial(self) -> str:
        return self._assembly.text if self._assembly else ""

    async def _streamed(self, response: Response, clock: asyncio.Timeout) -> Reply:
        kind = response.headers.get("content-type", "no content type")
        if not kind.lower().startswith("text/event-stream"):
            raise self._no_reply("a stream of type text/event-stream", kind)
        assembly = self._assembly = Assembly()
        parser = EventParser()
        async with contextlib.aclosing(self._chunks(response)) as chunks:
            async for chunk in chunks:
                try:
                    for event in parser.feed(chunk):
                        assembly.add(event.data, self._elapsed)
                        self._wind(clock)
                        if assembly.done:
                            return self._made(assembly.body(), self._elapsed)
                except ValueError as error:
                    words = str(error) if isinstance(error, BadChunk) else f"a broken stream: {error}"
                    raise self._no_reply("a stream of chat completion chunks", f"{words} ({self._progress})") from None
        if not assembly.complete:
            ending = f"the stream ended {self._progress}, without a finish reason and without [DONE]"
            raise self._no_reply("a stream that says that it is complete", ending)
        return self._made(assembly.body(), self._elapsed)

    def _wind(self, clock: asyncio.Timeout) -> None:
        """Wait for the next piece as long as we may. Comments that keep a connection alive do not count as pieces."""
        patience, elapsed = self._patience, self._elapsed
        speaks = self._assembly is not None and self._assembly.first_token is not None
        left = min(patience.silence, patience.stream - elapsed) if speaks else patience.answer - elapsed
        clock.reschedule(asyncio.get_running_loop().time() + left)

    def _made(self, body: Any, latency: float) -> Reply:
        message = _dig(body, "choices", 0, "message")
        content = _dig(message, "content")
        if content is None:
            # A refusal, or an answer that only calls tools, has no content.
            content = _dig(message, "refusal") or ""
        if not isinstance(message, dict) or not isinstance(content, str):
            raise self._no_reply("choices[0].message.content in the answer", json.dumps(body)[:120])
        streamed = self._assembly
        return Reply(
            text=content,
            latency=latency,
            body=body,
            intent=next(_intents(body), None),
            status=self._status,
            request_id=self._request_id,
            first_token=streamed.first_token if streamed else None,
            longest_pause=streamed.longest_pause if streamed else None,
            tokens=streamed.tokens if streamed else 0,
        )

    def _too_late(self) -> NoReply:
        patience, assembly = self._patience, self._assembly
        if assembly is None or assembly.first_token is None:
            seen = "nothing" if self._status is None else f"HTTP {self._status} and then no whole answer"
            seen = "a stream without words" if assembly else seen
            return self._no_reply(f"an answer within {patience.answer:g} s", seen)
        if self._elapsed >= patience.stream:
            return self._no_reply(
                f"the whole stream within {patience.stream:g} s", f"stream still going on {self._progress}"
            )
        words = f"stream stopped {self._progress}, no data for {patience.silence:g} s"
        return self._no_reply(f"the next words of the stream within {patience.silence:g} s", words)


def _dig(value: Any, *path: str | int) -> Any:
    """The value at ``path``, or None where it does not lead anywhere."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


INTENT_PATHS: Final = (("choices", 0, "message", "metadata", "intent"), ("metadata", "intent"), ("intent",))
"""Where services report how they understood the user; OpenAI's format has no place of its own for it."""


def _intents(body: Any) -> Iterator[str]:
    return (intent for path in INTENT_PATHS if isinstance(intent := _dig(body, *path), str))
