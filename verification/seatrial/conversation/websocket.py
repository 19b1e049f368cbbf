"""Chatbots behind a WebSocket: one connection a conversation, one message or several an answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from seatrial.conversation.exchange import LARGEST_ANSWER
from seatrial.conversation.placeholders import fill_all
from seatrial.conversation.plain import intent_at, request_for
from seatrial.conversation.protocol import REQUEST_ID_HEADER, Identity, NoReply, Patience, Reply, Request
from seatrial.conversation.queries import check_query, select
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Outcome
from seatrial.http.concurrent import diagnose
from seatrial.http.marks import identity_headers, tls_context

GOODBYE: Final = 2.0
"""Seconds that the closing handshake may take."""


class MissingLibrary(ValueError):
    """The extra is not installed."""


class WebSocketChannel:
    """One conversation over one connection, as the environment describes it in ``services.NAME.websocket``.

    Raises ValueError for a JSONPath that is none, and where the library for WebSockets is not installed.
    """

    def __init__(self, target: ServiceTarget, identity: Identity, bearer: str | None) -> None:
        try:
            import websockets  # noqa: F401
        except ImportError:
            raise MissingLibrary("the protocol websocket needs: pip install 'seatrial[websocket]'") from None
        self._target = target
        self._identity = identity
        self._bearer = bearer
        self._connection: Any = None
        described = target.service.websocket
        for query in (described.reply, described.intent, described.done):
            if query is not None:
                check_query(query)

    def prepare(self, text: str) -> Request:
        """The message that says ``text`` next, shown as the request that opens the connection."""
        described = self._target.service.websocket
        body = fill_all(described.message, {"text": text, "session": self._identity.session_id})
        return request_for("GET", self._target.base_url + described.path, body, self._identity)

    async def send(self, request: Request, patience: Patience) -> Reply:
        """Send a prepared message, and take what answers it. Raises NoReply."""
        return await _Message(self, self._target, request, patience).reply()

    async def connection(self, request: Request) -> Any:
        """The connection, opened with the first message."""
        from websockets.asyncio.client import connect

        if self._connection is None:
            service = self._target.service
            url = request.url.replace("http", "ws", 1)
            marks = identity_headers(self._identity.run_id, self._bearer)
            agent = marks.pop("User-Agent")
            self._connection = await connect(
                url,
                additional_headers={**marks, REQUEST_ID_HEADER: request.headers[REQUEST_ID_HEADER]},
                user_agent_header=agent,
                open_timeout=service.connect_timeout,
                close_timeout=GOODBYE,
                max_size=LARGEST_ANSWER,
                proxy=None,
                ssl=tls_context(service.tls.ca_file) if url.startswith("wss://") else None,
            )
        return self._connection

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()


class _Message:
    """One message and what comes of it."""

    def __init__(self, channel: WebSocketChannel, target: ServiceTarget, request: Request, patience: Patience) -> None:
        self._channel = channel
        self._described = target.service.websocket
        self._target = target
        self._request = request
        self._patience = patience
        self._started = time.perf_counter()
        self._texts: list[str] = []
        self._times: list[float] = []

    async def reply(self) -> Reply:
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

        try:
            async with asyncio.timeout(self._patience.answer) as clock:
                connection = await self._channel.connection(self._request)
                await connection.send(json.dumps(self._request.body, ensure_ascii=False))
                return await self._answer(connection, clock)
        except TimeoutError:
            raise replace(self._too_late(), waited=True) from None
        except InvalidStatus as error:
            raise self._refused(error.response.status_code, error.response.headers) from None
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd is not None else 1006
            raise self._no_reply("an answer", f"the connection was closed {self._progress} (code {code})") from None
        except WebSocketException as error:
            raise self._no_reply("a WebSocket", f"{type(error).__name__}: {error}") from None
        except OSError as error:
            diagnosis = diagnose(error)
            outcome = Outcome.ERROR if diagnosis.ours else Outcome.FAIL
            raise self._no_reply("an answer", diagnosis.words, outcome=outcome) from None

    async def _answer(self, connection: Any, clock: asyncio.Timeout) -> Reply:
        described = self._described
        while True:
            message = await connection.recv()
            try:
                body = json.loads(message)
            except (ValueError, RecursionError):
                raise self._no_reply("a message in JSON", f"one that begins {str(message)[:80]!r}") from None
            found = [value for value in select(described.reply, body) if isinstance(value, str)]
            if found:
                self._texts += found
                self._times.append(self._elapsed)
            done = described.done is None or True in select(described.done, body)
            if done:
                if not self._texts:
                    raise self._no_reply(f"a text at {described.reply}", f"none in {str(message)[:80]!r}")
                return self._made(body)
            left = min(self._patience.silence, self._patience.stream - self._elapsed)
            clock.reschedule(asyncio.get_running_loop().time() + left)

    def _made(self, body: Any) -> Reply:
        several = self._described.done is not None
        pauses = [later - earlier for earlier, later in zip(self._times, self._times[1:], strict=False)]
        return Reply(
            text="".join(self._texts) if several else "\n".join(self._texts),
            latency=self._elapsed,
            body=body,
            intent=intent_at(self._described.intent, body),
            request_id=self._request.headers[REQUEST_ID_HEADER],
            first_token=self._times[0] if several else None,
            longest_pause=max(pauses, default=0.0) if several else None,
            tokens=len(self._texts) if several else 0,
        )

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self._started

    @property
    def _progress(self) -> str:
        count = len(self._texts)
        return f"after {count} message{'' if count == 1 else 's'}"

    def _no_reply(self, expected: str, seen: str, *, outcome: Outcome = Outcome.FAIL, remedy: str = "") -> NoReply:
        return NoReply(
            outcome=outcome,
            expected=expected,
            seen=seen,
            remedy=remedy,
            latency=self._elapsed,
            partial="".join(self._texts),
            request_id=self._request.headers[REQUEST_ID_HEADER],
        )

    def _too_late(self) -> NoReply:
        if not self._texts:
            return self._no_reply(f"an answer within {self._patience.answer:g} s", "nothing")
        words = f"stopped {self._progress}, no message for {self._patience.silence:g} s"
        return self._no_reply(f"the next message within {self._patience.silence:g} s", words)

    def _refused(self, status: int, headers: Mapping[str, str]) -> NoReply:
        name = self._target.name
        seen = f"HTTP {status}"
        if status in (401, 403, 407):
            remedy = f"check the token that services.{name}.auth refers to, and what it may do"
            return self._no_reply("to be let in", seen, outcome=Outcome.ERROR, remedy=remedy)
        if 300 <= status < 400:
            remedy = f"write the final address into services.{name}.url"
            seen += f" to {headers.get('Location')}"
            return self._no_reply("a WebSocket", seen, outcome=Outcome.ERROR, remedy=remedy)
        return self._no_reply("a WebSocket (HTTP 101)", seen)
