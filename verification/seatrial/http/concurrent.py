"""Many requests at a time in one event loop, with aiohttp."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from seatrial.environment.selection import ServiceTarget
from seatrial.http.diagnosis import NO_CONNECTION, Diagnosis, closed_early, diagnose_cause
from seatrial.http.marks import IDLE, identity_headers, tls_context

Response = aiohttp.ClientResponse
ExchangeError = (aiohttp.ClientError, OSError)
"""What a request may raise; :func:`diagnose` puts it in words."""


class Connections:
    """Connections to one track of one service, which clients share and each of them leaves open for the next.

    ``idle`` is for how many seconds one is kept that nobody uses. Made and closed in one event loop. Raises
    FileNotFoundError or ssl.SSLError where the environment's CA file cannot be used.
    """

    def __init__(self, target: ServiceTarget, idle: float | None = None) -> None:
        https = target.base_url.startswith("https://")
        # How many there are is bounded by who holds exchanges, not here, where waiting would look like the service's.
        self.connector = aiohttp.TCPConnector(
            limit=0,
            ssl=tls_context(target.service.tls.ca_file) if https else True,
            ttl_dns_cache=300,
            keepalive_timeout=IDLE if idle is None else idle,
        )

    async def close(self) -> None:
        """Close them all."""
        await self.connector.close()


class AsyncClient:
    """Bound to one track of one service, with cookies of its own: one user. Use it as an asynchronous context manager.

    Reading has no timeout of its own: who reads a stream bounds its silence, and who reads an answer the whole of it.
    Connections of its own, where none are shared, are kept ``idle`` seconds. Redirects are answers. Raises what
    :class:`Connections` raises.
    """

    def __init__(
        self,
        target: ServiceTarget,
        *,
        run_id: str,
        bearer: str | None = None,
        connections: Connections | None = None,
        idle: float | None = None,
    ) -> None:
        self._base = target.base_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=(connections or Connections(target, idle)).connector,
            connector_owner=connections is None,
            headers=identity_headers(run_id, bearer),
            # A service may be known by its address alone, and then sets cookies for that.
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=target.service.connect_timeout),
            proxy=_proxy(self._base),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._session.close()

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AbstractAsyncContextManager[Response]:
        """Send a request; its block has the answer, whose body is not yet read. A path is put behind the base URL."""
        whole = url if "://" in url else self._base + url
        return self._session.request(method, whole, headers=headers, json=json, allow_redirects=False)


def was_not_heard(error: BaseException) -> bool:
    """Whether a connection ended before a byte of the answer: a kept one may, at the moment in which it is used."""
    return isinstance(error, aiohttp.ServerDisconnectedError) or (
        isinstance(error, aiohttp.ClientOSError) and error.errno in (errno.ECONNRESET, errno.EPIPE)
    )


def _proxy(url: str) -> str | None:
    """The proxy that the process's environment names for ``url``; aiohttp itself would look with every request."""
    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def diagnose(error: BaseException) -> Diagnosis:
    """As :func:`seatrial.http.sync.diagnose`, for one of this module's ``ExchangeError``."""
    known = diagnose_cause(error)
    if known is not None:
        return known
    if isinstance(error, aiohttp.ServerTimeoutError):
        return NO_CONNECTION
    if isinstance(error, aiohttp.InvalidURL):
        return Diagnosis(words=f"the URL is not valid: {error}", ours=True)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Diagnosis(words=f"the request could not be sent: {error}", ours=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Diagnosis(words=f"no connection: {error}", ours=False)
    if isinstance(error, aiohttp.ClientResponseError):
        return Diagnosis(words=f"the answer is not HTTP: {error.message}", ours=False)
    if isinstance(error, aiohttp.ClientPayloadError) and isinstance(error.__cause__, ContentEncodingError):
        return Diagnosis(words=f"the answer cannot be decompressed: {error.__cause__.message}", ours=False)
    return closed_early(error)
