"""What every request of ours carries, and whom it trusts."""

from __future__ import annotations

import ssl

from seatrial import __version__

RUN_HEADER = "X-Seatrial-Run"
"""Marks every request of a run, so that traffic of ours can be told from users' and removed from statistics."""

IDLE = 1.0
"""Seconds for which an idle connection is kept. Servers end theirs after a while (gunicorn after 2 s, uvicorn and
Node.js after 5), and a request that is on its way at that moment would look like one that the service lost."""


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
