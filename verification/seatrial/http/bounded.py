"""One whole answer of an address, bounded in size and in time, however slowly or endlessly it comes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from seatrial.evidence.outcome import CannotLook
from seatrial.http.marks import identity_headers, tls_context
from seatrial.http.sync import Client, ExchangeError, diagnose


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. ``where`` is method and URL, for messages."""

    where: str
    status: int
    content_type: str
    body: bytes


class NoAnswer(CannotLook):
    """No whole answer. ``ours``: this machine, its network or our settings are to blame, not the address."""

    def __init__(self, words: str, *, ours: bool) -> None:
        super().__init__(words)
        self.ours = ours


def open_address(
    base_url: str,
    *,
    run_id: str,
    connect_timeout: float,
    timeout: float,
    bearer: str | None = None,
    basic: tuple[str, str] | None = None,
    ca_file: str | None = None,
) -> Client:
    """A client bound to ``base_url``, which follows no redirect elsewhere. The caller closes it.

    Raises NoAnswer where ``ca_file`` cannot be read.
    """
    try:
        verify = tls_context(ca_file) if base_url.startswith("https://") else True
    except OSError as error:
        raise NoAnswer(f"{ca_file}: expected certificates in PEM: {error}", ours=True) from None
    return httpx.Client(
        base_url=base_url,
        headers=identity_headers(run_id, bearer),
        auth=basic,
        timeout=httpx.Timeout(timeout, connect=connect_timeout),
        verify=verify,
        follow_redirects=False,
    )


def ask(
    client: Client,
    method: str,
    path: str,
    *,
    within: float,
    max_bytes: int,
    form: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One whole answer. ``within`` is in seconds and for all of it, ``max_bytes`` holds after decompression.

    Raises NoAnswer, which names the address and never what was sent.
    """
    where = f"{method} {client.base_url.join(path)}"
    deadline = time.monotonic() + within
    body = bytearray()
    try:
        with client.stream(method, path, data=form, params=params, headers=headers) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > max_bytes:
                    raise NoAnswer(f"{where}: the answer is larger than {max_bytes} bytes", ours=True)
                if time.monotonic() > deadline:
                    raise NoAnswer(f"{where}: no whole answer within {within:g} s", ours=False)
    except httpx.TimeoutException as error:
        words = "no connection" if isinstance(error, httpx.ConnectTimeout) else f"no answer within {within:g} s"
        raise NoAnswer(f"{where}: {words}", ours=False) from None
    except ExchangeError as error:
        found = diagnose(error)
        raise NoAnswer(f"{where}: {found.words}", ours=found.ours) from None
    content_type = response.headers.get("Content-Type", "")
    return Answer(where=where, status=response.status_code, content_type=content_type, body=bytes(body))
