"""What a chat process tells about itself: its metrics, and the step in front of every handler that feeds them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from seatrial.demo.answer import dump, error_object
from seatrial.demo.exposition import Counter, Gauge, Histogram, Metric, exposition
from seatrial.demo.request import BadRequest

_LOG = logging.getLogger(__name__)

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "chatbot",
}


CLIENT_LEFT: Final = 499
"""Counted, as nginx does, for a client that has gone before it had its answer."""


class Telemetry:
    """The metrics of one chat process."""

    def __init__(self, *, version: str, commit: str, track: str, sessions: Callable[[], int]) -> None:
        self.requests = Counter(
            "chatbot_requests_total", "Requests by method, route and status code.", ("method", "route", "code")
        )
        self.intents = Counter("chatbot_intents_total", "Answered turns by intent.", ("intent",))
        self.duration = Histogram(
            "chatbot_request_duration_seconds", "Time to answer a chat completion, to the last byte of a stream."
        )
        self.first_token = Histogram(
            "chatbot_time_to_first_token_seconds", "Time to the first token of a streamed chat completion."
        )
        build = {"version": version, "commit": commit, "track": track}
        started = time.time()
        self._metrics: tuple[Metric, ...] = (
            self.requests,
            self.intents,
            self.duration,
            self.first_token,
            Gauge("chatbot_sessions", "Conversations held in memory.", sessions),
            Gauge("chatbot_build_info", "Always 1; the labels say what runs.", lambda: 1, build),
            Gauge("process_start_time_seconds", "Start of the process, seconds since 1970.", lambda: started),
            Gauge("process_resident_memory_bytes", "Resident memory of the process.", _resident_memory),
        )

    def exposition(self) -> str:
        """The text of ``/metrics``."""
        return exposition(self._metrics)

    def middleware(self) -> Middleware:
        """Counts every request, and turns every refusal and crash into an error object."""

        @web.middleware
        async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
            status = CLIENT_LEFT
            try:
                response = await _answered(request, handler)
                status = response.status
            finally:
                resource = request.match_info.route.resource
                # Paths that nobody serves share one label, so that a scanner cannot fill the memory.
                route = resource.canonical if resource else "unmatched"
                self.requests.increment(request.method if resource else "", route, str(status))
            return response

        return observe


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except BadRequest as refusal:
        return json_response(error_object(refusal.message, param=refusal.param, code=refusal.code), refusal.status)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        response = json_response(error_object(f"{refusal.reason} ({request.method} {request.path})"), refusal.status)
        if "Allow" in refusal.headers:
            response.headers["Allow"] = refusal.headers["Allow"]
        return response
    except ConnectionError:
        # The client has left in the middle of a stream; nobody is there to be told.
        raise
    except Exception:  # noqa: BLE001 -- the last resort of a server: logged, and answered like any other error
        _LOG.exception("%s %s crashed", request.method, request.path)
        return json_response(error_object("The server had an error.", kind="server_error"), 500)


def json_response(content: object, status: int = 200) -> web.Response:
    """``content`` as a JSON answer."""
    return web.Response(body=dump(content), status=status, content_type="application/json")


async def add_security_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Signal handler for ``on_response_prepare``: also refusals and streams carry the headers."""
    response.headers.update(SECURITY_HEADERS)


def _resident_memory() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        return float("nan")
    return float(pages * os.sysconf("SC_PAGE_SIZE"))
