"""The one place that knows the HTTP library: clients that carry our mark, verify TLS and never wait forever."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import httpx

from seatrial import __version__
from seatrial.environment.selection import ServiceTarget

RUN_HEADER = "X-Seatrial-Run"
"""Marks every request of a run, so that traffic of ours can be told from users' and removed from statistics."""


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """A verifying context over the system's certificates, or over ``ca_file`` alone.

    Raises FileNotFoundError when ``ca_file`` does not exist.
    """
    return ssl.create_default_context(cafile=ca_file)


def identity_headers(run_id: str, bearer: str | None = None) -> dict[str, str]:
    """Headers that every request of ours carries: user agent, run id and, where given, the bearer token."""
    headers = {"User-Agent": f"seatrial/{__version__} (run {run_id})", RUN_HEADER: run_id}
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    return headers


def open_client(target: ServiceTarget, *, run_id: str, bearer: str | None = None) -> httpx.Client:
    """A client bound to one track of one service. The caller closes it."""
    service = target.service
    return httpx.Client(
        base_url=target.base_url,
        headers=identity_headers(run_id, bearer),
        timeout=httpx.Timeout(service.timeout, connect=service.connect_timeout),
        verify=tls_context(service.tls.ca_file) if target.base_url.startswith("https://") else True,
        follow_redirects=False,
    )


Client = httpx.Client
AsyncClient = httpx.AsyncClient
Response = httpx.Response
ExchangeError = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)
"""What a request may raise; :func:`diagnose` puts it in words."""


def open_async_client(target: ServiceTarget, *, run_id: str, bearer: str | None = None) -> httpx.AsyncClient:
    """As :func:`open_client`, for an event loop.

    Reading has no timeout of its own: who reads a stream bounds its silence, and who reads an answer the whole of it.
    Raises FileNotFoundError or ssl.SSLError where the environment's CA file cannot be used.
    """
    service = target.service
    https = target.base_url.startswith("https://")
    return httpx.AsyncClient(
        base_url=target.base_url,
        headers=identity_headers(run_id, bearer),
        timeout=httpx.Timeout(service.timeout, connect=service.connect_timeout, read=None),
        # For plain HTTP a context that trusts nobody: reading the system's certificates takes longer than a request.
        verify=tls_context(service.tls.ca_file) if https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        follow_redirects=False,
    )


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Why a request got no whole answer. ``ours``: the environment or this machine is to blame, not the service."""

    words: str
    ours: bool
    waited: bool = False
    """Whether nothing but our patience ended."""


_NETWORK_IS_OURS: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EMFILE})
_OUT_OF_DATE: Final = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def diagnose(error: BaseException) -> Diagnosis:
    """What ``error``, one of ``ExchangeError``, means for somebody who asks whether the service is at fault.

    A service that refuses, hangs or breaks off is at fault, and so is one whose certificate has expired. A name that
    does not resolve, a certificate that we do not trust, a proxy or a URL of ours are not the service's doing.
    """
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return Diagnosis(words=f"the name of the host does not resolve ({cause.strerror or cause})", ours=True)
        if isinstance(cause, ssl.SSLCertVerificationError):
            words = f"the certificate is not valid: {cause.verify_message}"
            return Diagnosis(words=words, ours=cause.verify_code not in _OUT_OF_DATE)
        if isinstance(cause, ssl.SSLError):
            return Diagnosis(words=f"no TLS connection: {cause.reason or cause}", ours=True)
        if isinstance(cause, ConnectionRefusedError):
            return Diagnosis(words="the connection was refused", ours=False)
        if isinstance(cause, OSError) and cause.errno in _NETWORK_IS_OURS:
            return Diagnosis(words=f"the network does not reach the service: {cause.strerror}", ours=True)
    if isinstance(error, httpx.ConnectTimeout):
        return Diagnosis(words="no connection within the connect timeout", ours=False, waited=True)
    if isinstance(error, (httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return Diagnosis(words=f"the request could not be sent: {error}", ours=True)
    if isinstance(error, httpx.InvalidURL):
        return Diagnosis(words=f"the URL is not valid: {error}", ours=True)
    if isinstance(error, httpx.ConnectError):
        return Diagnosis(words=f"no connection: {error}", ours=False)
    if isinstance(error, httpx.DecodingError):
        return Diagnosis(words=f"the answer cannot be decompressed: {error}", ours=False)
    detail = f" ({error})" if str(error) else ""
    return Diagnosis(words=f"the connection was closed before the answer was complete{detail}", ours=False)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error``, what it was raised from, and the members of groups among them."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        link = pending.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            pending.extend(link.exceptions)
        pending.extend(cause for cause in (link.__cause__, link.__context__) if cause is not None)
