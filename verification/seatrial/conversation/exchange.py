"""One request over HTTP that should be answered by a chatbot, whatever the protocol: bounded in time and size."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, Final

from seatrial.conversation.protocol import REQUEST_ID_HEADER, NoReply, Patience, Reply, Request
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Outcome
from seatrial.http.concurrent import AsyncClient, ExchangeError, Response, diagnose

LARGEST_ANSWER: Final = 8_000_000
"""Bytes. What is larger is no answer of a chatbot, and would fill the memory."""


class HttpExchange(ABC):
    """One request and what comes of it. A protocol says what a reply is."""

    def __init__(self, client: AsyncClient, target: ServiceTarget, request: Request, patience: Patience) -> None:
        self._client = client
        self._target = target
        self._request = request
        self._patience = patience
        self._started = time.perf_counter()
        self._status: int | None = None
        self._request_id = request.headers[REQUEST_ID_HEADER]

    async def reply(self) -> Reply:
        """Send the request and take the answer. Raises NoReply."""
        request = self._request
        try:
            async with (
                asyncio.timeout(self._patience.answer) as clock,
                self._client.request(
                    request.method, request.url, headers=dict(request.headers), json=request.body
                ) as response,
            ):
                self._status = response.status
                self._request_id = response.headers.get(REQUEST_ID_HEADER, self._request_id)
                if not 200 <= response.status < 300:
                    raise self._refused(response, await self._read(response))
                return await self._take(response, clock)
        except TimeoutError:
            raise replace(self._too_late(), waited=True) from None
        except ExchangeError as error:
            diagnosis = diagnose(error)
            outcome = Outcome.ERROR if diagnosis.ours else Outcome.FAIL
            trouble = self._no_reply("an answer", f"{self._stopped}{diagnosis.words}", outcome=outcome)
            raise replace(trouble, waited=diagnosis.waited) from error

    @abstractmethod
    async def _take(self, response: Response, clock: asyncio.Timeout) -> Reply:
        """The reply in a successful response. Raises NoReply."""

    def _error_message(self, document: Any) -> str:
        """What the JSON of a refusal says in words; empty where it says nothing."""
        found = document.get("error", document.get("message", "")) if isinstance(document, dict) else ""
        return str(found.get("message", "") if isinstance(found, dict) else found or "")

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self._started

    @property
    def _stopped(self) -> str:
        """What to say before a connection's end, where a part of the answer had come."""
        return ""

    @property
    def _partial(self) -> str:
        return ""

    def _no_reply(
        self,
        expected: str,
        seen: str,
        *,
        outcome: Outcome = Outcome.FAIL,
        remedy: str = "",
        retry_after: float | None = None,
    ) -> NoReply:
        return NoReply(
            outcome=outcome,
            expected=expected,
            seen=seen,
            remedy=remedy,
            latency=self._elapsed,
            partial=self._partial,
            status=self._status,
            request_id=self._request_id,
            retry_after=retry_after,
        )

    async def _chunks(self, response: Response) -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise self._no_reply(f"an answer of at most {LARGEST_ANSWER:,} bytes", "more")
            yield chunk

    async def _read(self, response: Response) -> bytes:
        async with contextlib.aclosing(self._chunks(response)) as chunks:
            return b"".join([chunk async for chunk in chunks])

    def _document(self, response: Response, content: bytes, expected: str) -> Any:
        """The answer's JSON. Raises NoReply."""
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            kind = response.headers.get("content-type", "no content type")
            begin = content[:80].decode("utf-8", "replace")
            raise self._no_reply(expected, f"{kind} that begins {begin!r}") from None

    def _too_late(self) -> NoReply:
        seen = "nothing" if self._status is None else f"HTTP {self._status} and then no whole answer"
        return self._no_reply(f"an answer within {self._patience.answer:g} s", seen)

    def _refused(self, response: Response, content: bytes) -> NoReply:
        try:
            message = self._error_message(json.loads(content))
        except (ValueError, RecursionError):
            message = ""
        status = response.status
        seen = f"HTTP {status} {response.reason or ''}".rstrip() + (f": {message}" if message else "")
        name = self._target.name
        if status in (401, 403, 407):
            remedy = f"check the token that services.{name}.auth refers to, and what it may do"
            return self._no_reply("to be let in", seen, outcome=Outcome.ERROR, remedy=remedy)
        if status == 429:
            wait = response.headers.get("retry-after")
            seen += f", Retry-After {wait}" if wait else ""
            remedy = "we are limited by rate: run again later, or raise the limit of the account that we use"
            pause = float(wait) if wait and wait.isdigit() else None
            return self._no_reply("an answer", seen, outcome=Outcome.ERROR, remedy=remedy, retry_after=pause)
        if 300 <= status < 400 and "location" in response.headers:
            seen += f" to {response.headers.get('location')}"
            remedy = f"write the final address into services.{name}.url"
            return self._no_reply("an answer", seen, outcome=Outcome.ERROR, remedy=remedy)
        return self._no_reply("HTTP 200", seen)
