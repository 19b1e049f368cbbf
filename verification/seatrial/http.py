"""The one place that knows the HTTP library: clients that carry our mark, verify TLS and never wait forever."""

from __future__ import annotations

import ssl

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
