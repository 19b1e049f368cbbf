"""One request at a time, with httpx."""

from __future__ import annotations

import httpx

from seatrial.environment.selection import ServiceTarget
from seatrial.http.diagnosis import NO_CONNECTION, Diagnosis, closed_early, diagnose_cause
from seatrial.http.marks import IDLE, identity_headers, tls_context

Client = httpx.Client
Response = httpx.Response
ExchangeError = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)
"""What a request may raise; :func:`diagnose` puts it in words."""


def open_client(target: ServiceTarget, *, run_id: str, bearer: str | None = None) -> httpx.Client:
    """A client bound to one track of one service. The caller closes it."""
    service = target.service
    return httpx.Client(
        base_url=target.base_url,
        headers=identity_headers(run_id, bearer),
        timeout=httpx.Timeout(service.timeout, connect=service.connect_timeout),
        limits=httpx.Limits(keepalive_expiry=IDLE),
        verify=tls_context(service.tls.ca_file) if target.base_url.startswith("https://") else True,
        follow_redirects=False,
    )


def diagnose(error: BaseException) -> Diagnosis:
    """What ``error``, one of ``ExchangeError``, means for somebody who asks whether the service is at fault.

    A service that refuses, hangs or breaks off is at fault, and so is one whose certificate has expired. A name that
    does not resolve, a certificate that we do not trust, a proxy or a URL of ours are not the service's doing.
    """
    known = diagnose_cause(error)
    if known is not None:
        return known
    if isinstance(error, httpx.ConnectTimeout):
        return NO_CONNECTION
    if isinstance(error, (httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return Diagnosis(words=f"the request could not be sent: {error}", ours=True)
    if isinstance(error, httpx.InvalidURL):
        return Diagnosis(words=f"the URL is not valid: {error}", ours=True)
    if isinstance(error, httpx.ConnectError):
        return Diagnosis(words=f"no connection: {error}", ours=False)
    if isinstance(error, httpx.DecodingError):
        return Diagnosis(words=f"the answer cannot be decompressed: {error}", ours=False)
    return closed_early(error)
