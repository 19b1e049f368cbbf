"""The demo's weighted router in front of stable and candidate, ``python -m seatrial.demo.router``.

A user stays on a track: whoever sends ``X-Session-Id`` by a hash of it, everybody else by a cookie that the first
answer sets. Sessions named only in the body (``user``, ``metadata``) are not looked at. Weights are read and changed
at ``/weights`` on a port of its own.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from seatrial.demo import exposition, process
from seatrial.demo.answer import error_object
from seatrial.demo.completions import SESSION_HEADER
from seatrial.demo.exposition import Counter, Gauge
from seatrial.demo.telemetry import json_response
from seatrial.demo.weights import Places, Track, Weights, place_of

COOKIE: Final = "chat-place"
TRACK_HEADER: Final = "X-Router-Track"
CONNECT_TIMEOUT: Final = 2.0
READ_TIMEOUT: Final = 60.0
"""Seconds without a byte from upstream."""
MAX_BODY: Final = 1024 * 1024

# RFC 9110, 7.6.1: these concern one connection and are not passed on; Host and Content-Length are set anew.
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_COOKIE_VALUE: Final = re.compile(r"[0-9a-f]{8}")
_LOG = logging.getLogger(__name__)


class Router:
    """Passes requests on to one of two upstreams."""

    def __init__(self, *, upstreams: Mapping[Track, str], weights: Weights) -> None:
        self._upstreams = upstreams
        self._weights = weights
        self._places = Places()
        self._requests = Counter("router_requests_total", "Requests by track and status code.", ("track", "code"))
        self._metrics = (
            self._requests,
            Gauge("router_candidate_share", "Share of users sent to the candidate.", lambda: self._weights.share),
        )
        self._client: aiohttp.ClientSession | None = None

    def public_application(self) -> web.Application:
        """What users reach."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._forward)
        return app

    def admin_application(self) -> web.Application:
        """What operators reach: ``/weights`` (GET, PUT), ``/healthz``, ``/metrics``."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._expose)
        app.router.add_get("/weights", self._get_weights)
        app.router.add_put("/weights", self._put_weights)
        return app

    async def open(self) -> None:
        """Open the connections to the upstreams. Inside the event loop, before the first request."""
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def close(self) -> None:
        """Close the connections to the upstreams."""
        if self._client is not None:
            await self._client.close()

    async def warm_up(self, admin_url: str) -> None:
        """Make one request with the client, so that everything it imports lazily is there."""
        async with self._opened().get(f"{admin_url}/healthz") as response:
            await response.read()

    def _opened(self) -> aiohttp.ClientSession:
        if self._client is None:
            raise RuntimeError("the router forwards only between open() and close()")
        return self._client

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        place, cookie = self._place(request)
        track = self._weights.track_of(place)
        url = self._upstreams[track] + request.raw_path
        own: dict[str, str] = {TRACK_HEADER: track}
        if cookie is not None:
            own["Set-Cookie"] = f"{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax"
        body = await request.read()
        try:
            upstream = await self._opened().request(
                request.method,
                URL(url, encoded=True),
                headers=_request_headers(request),
                data=body or None,
                allow_redirects=False,
            )
        except TimeoutError as error:
            return self._failed(track, 504, "upstream_timeout", f"{track} at {url} did not answer in time", error, own)
        except aiohttp.ClientError as error:
            return self._failed(track, 502, "upstream_unreachable", f"{track} at {url} cannot be reached", error, own)
        self._requests.increment(track, str(upstream.status))
        async with upstream:
            return await self._pass_on(request, upstream, own)

    async def _pass_on(
        self, request: web.Request, upstream: aiohttp.ClientResponse, own: Mapping[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=_passed(upstream.headers))
        response.headers.extend(own)
        await response.prepare(request)
        while True:
            try:
                piece = await upstream.content.readany()
            except (aiohttp.ClientError, TimeoutError) as error:
                # The head is out already: only cutting the connection says honestly that the rest is missing.
                _LOG.warning("%s %s: upstream broke off: %r", request.method, request.path, error)
                if request.transport is not None:
                    request.transport.abort()
                return response
            if not piece:
                break
            await response.write(piece)
        await response.write_eof()
        return response

    def _place(self, request: web.Request) -> tuple[float, str | None]:
        """The user's place, and the cookie to set where the user has none yet."""
        session = request.headers.get(SESSION_HEADER)
        if session:
            return place_of(session), None
        cookie = request.cookies.get(COOKIE, "")
        if _COOKIE_VALUE.fullmatch(cookie):
            return int(cookie, 16) / 2**32, None
        place = self._places.take()
        return place, f"{int(place * 2**32):08x}"

    def _failed(
        self, track: Track, status: int, code: str, what: str, error: Exception, own: Mapping[str, str]
    ) -> web.Response:
        self._requests.increment(track, str(status))
        _LOG.warning("%s: %r", what, error)
        response = json_response(error_object(f"Upstream {what}.", kind="bad_gateway", code=code), status)
        response.headers.extend(own)
        return response

    async def _healthz(self, _: web.Request) -> web.Response:
        return json_response({"status": "ok"})

    async def _expose(self, _: web.Request) -> web.Response:
        text = exposition.exposition(self._metrics)
        return web.Response(body=text.encode(), headers={"Content-Type": exposition.CONTENT_TYPE})

    async def _get_weights(self, _: web.Request) -> web.Response:
        return json_response({"stable": self._weights.stable, "candidate": self._weights.candidate})

    async def _put_weights(self, request: web.Request) -> web.Response:
        try:
            self._weights = Weights.parse(json.loads(await request.read()))
        except (ValueError, RecursionError) as error:
            return json_response(error_object(f"Weights unchanged: {error}", param="weights"), 400)
        _LOG.info("weights: %s", self._weights)
        return await self._get_weights(request)


def _passed(headers: Mapping[str, str]) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    skipped = _HOP_BY_HOP | named
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in skipped)


def _request_headers(request: web.Request) -> CIMultiDict[str]:
    headers = _passed(request.headers)
    for name in ("Host", "Content-Length", "Expect"):
        headers.popall(name, None)
    headers["X-Forwarded-Host"] = request.host
    headers["X-Forwarded-Proto"] = request.scheme
    headers.add("X-Forwarded-For", request.remote or "unknown")
    return headers


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to end; 2 is wrong use."""
    parser = argparse.ArgumentParser(prog="python -m seatrial.demo.router", description=(__doc__ or "").splitlines()[0])
    process.add_arguments(parser)
    parser.add_argument("--stable-url", required=True)
    parser.add_argument("--candidate-url", required=True)
    parser.add_argument("--weights", default="95:5", metavar="STABLE:CANDIDATE", help="at the start (default 95:5)")
    parser.add_argument("--port", type=int, default=0, help="public port; 0 takes a free one")
    parser.add_argument("--listen-fd", type=int, metavar="FD", help="socket bound by the parent, instead of --port")
    parser.add_argument("--admin-port", type=int, default=0, help="port of /weights; 0 takes a free one")
    arguments = parser.parse_args(argv)
    try:
        stable, _, candidate = arguments.weights.partition(":")
        weights = Weights(stable=float(stable), candidate=float(candidate))
    except ValueError as error:
        parser.error(f"--weights: {error}")
    router = Router(
        upstreams={"stable": arguments.stable_url.rstrip("/"), "candidate": arguments.candidate_url.rstrip("/")},
        weights=weights,
    )
    public = process.bound_socket(arguments.port, inherited=arguments.listen_fd)
    admin = process.bound_socket(arguments.admin_port)
    content = {"url": process.url_of(public), "admin_url": process.url_of(admin)}

    async def start() -> Callable[[], Awaitable[None]]:
        await router.open()
        stop_public = await process.serve_application(router.public_application(), public)
        stop_admin = await process.serve_application(router.admin_application(), admin)
        await router.warm_up(content["admin_url"])

        async def stop() -> None:
            await stop_public()
            await stop_admin()
            await router.close()

        return stop

    return process.run(arguments, name="router", content=content, start=start)


if __name__ == "__main__":
    sys.exit(main())
