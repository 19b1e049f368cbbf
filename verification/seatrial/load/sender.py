"""One request after the other over kept connections: what is sent, and when which part of the answer came.

Importing this imports gevent: only ever in the load process, after Locust.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import gevent
import msgspec
from geventhttpclient.client import HTTPClient, HTTPClientPool
from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.url import URL

from seatrial.environment.model import Track
from seatrial.http.marks import identity_headers, tls_context
from seatrial.load.plan import Plan

clock: Final = time.monotonic
"""One clock for all processes of a machine (CLOCK_MONOTONIC), so that they can start together."""


class _Words(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: Any = None


class _Choice(msgspec.Struct):
    delta: _Words | None = None
    message: _Words | None = None
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    """What is read of an answer, or of an event of a stream, in OpenAI's format."""

    choices: list[_Choice] = []
    error: Any = None


_completion: Final = msgspec.json.Decoder(_Completion)


@dataclass(kw_only=True)
class Answer:
    """How one request went. Times are seconds of ``clock``; ``error`` is the class of its failure, if it failed.

    ``first`` is the first byte, of a stream its first event with words. ``pieces`` are the events with words, ``last``
    the last of them, and ``gap`` the longest time between two.
    """

    sent: float
    first: float | None = None
    last: float | None = None
    gap: float | None = None
    end: float = 0.0
    status: int = 0
    bytes: int = 0
    pieces: int = 0
    error: str = ""
    text: str = ""
    whole: bool = False

    def piece(self) -> None:
        """An event with words came."""
        now = clock()
        if self.last is None:
            self.first = now
        else:
            self.gap = max(self.gap or 0.0, now - self.last)
        self.last = now
        self.pieces += 1


def error_class(error: BaseException, status: int) -> str:
    """The class under which a failure is counted; ``status`` is 0 until the headers have come."""
    match error:
        case TimeoutError():
            return "timeout"
        case ssl.SSLError():
            return "tls"
        case socket.gaierror():
            return "dns"
        case ConnectionRefusedError():
            return "refused"
        case HTTPConnectionClosed() | ConnectionError():
            return "truncated" if status else "disconnected"
        case HTTPParseError():
            return "truncated" if status else "malformed"
        case OSError():
            return f"os-{errno.errorcode.get(error.errno or 0, 'unknown')}"
    raise error


class Sender:
    """Asks the tracks of a plan; each has connections of its own, which are kept."""

    def __init__(self, plan: Plan, bearer: str | None) -> None:
        self._plan = plan
        pool = HTTPClientPool(
            concurrency=plan.in_flight,
            connection_timeout=plan.connect_timeout,
            network_timeout=None,  # how long a request may take in all is watched where it is asked
            insecure=False,
            ssl_context_factory=lambda cafile=None: tls_context(plan.ca_file),  # noqa: ARG005  cafile: the library's own
        )
        self._targets: dict[Track, tuple[HTTPClient, str]] = {}
        for track, base in plan.urls.items():
            url = URL(base + plan.path)
            self._targets[track] = (pool.get_client(url), url.request_uri)
        self.method = "GET" if plan.body is None else "POST"
        # In the client's own type, which it copies as it is; each name of a dictionary it would fold anew.
        self._headers = Headers(
            {
                **identity_headers(plan.run_id, bearer),
                "Accept": "text/event-stream" if plan.stream else "application/json",
                **({} if plan.body is None else {"Content-Type": "application/json"}),
            }
        )
        self._expect = plan.expect.encode()

    def body(self, messages: Sequence[dict[str, str]]) -> bytes:
        """The body that says ``messages``; empty where the protocol asks without one."""
        return b"" if self._plan.body is None else msgspec.json.encode({**self._plan.body, "messages": messages})

    def ask(self, track: Track, body: bytes, *, until: float, words: bool = False) -> Answer:
        """Send, and read all of the answer or as much as comes until the moment ``until``.

        ``words``: the text of the answer is wanted too.
        """
        client, uri = self._targets[track]
        answer = Answer(sent=clock())
        with gevent.Timeout(max(until - answer.sent, 0.001)) as limit:
            try:
                response = client.request(self.method, uri, body=body, headers=self._headers)
                try:
                    answer.status = response.status_code
                    (self._read_events if self._plan.stream else self._read)(response, answer, words)
                finally:
                    response.release()
                if not 200 <= answer.status < 300:
                    answer.error = f"http-{answer.status}"
                elif not answer.whole and not answer.error:
                    answer.error = "truncated" if self._plan.stream else "malformed"
            except gevent.Timeout as expired:
                if expired is not limit:
                    raise
                answer.error = "timeout"
            except (OSError, HTTPParseError) as failure:
                answer.error = error_class(failure, answer.status)
        answer.end = clock()
        return answer

    def _read(self, response: Any, answer: Answer, words: bool) -> None:
        answer.first = clock()
        content = bytes(response.read())
        answer.bytes, answer.whole = len(content), self._expect in content
        if words and answer.whole and 200 <= answer.status < 300:
            try:
                message = next((choice.message for choice in _completion.decode(content).choices), None)
            except msgspec.DecodeError:
                answer.whole = False
                return
            answer.text = (message.content if message else None) or ""

    def _read_events(self, response: Any, answer: Answer, words: bool) -> None:
        said: list[str] = []
        while line := response.readline(b"\n"):
            answer.bytes += len(line)
            if not line.startswith(b"data:"):
                continue
            data = bytes(line[5:]).strip()
            if data == b"[DONE]":
                answer.whole = True
                continue
            try:
                event = _completion.decode(data)
            except msgspec.DecodeError:
                answer.error = "malformed"
                continue
            if event.error is not None:
                answer.error = "stream-error"
            for choice in event.choices[:1]:
                delta = choice.delta
                if delta is not None and (delta.content or delta.refusal or delta.tool_calls):
                    answer.piece()
                    if words:
                        said.append(delta.content or "")
                answer.whole |= choice.finish_reason is not None
        answer.text = "".join(said)
