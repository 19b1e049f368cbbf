"""One connection to the API: what the official client knows of kubeconfigs and logins, and plain JSON answers."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import yaml

from seatrial.environment.model import Cluster

RETRIES: Final = 3
"""Times that a request is repeated when the API asks for it with 429 or 503 and Retry-After."""
MAX_WAIT: Final = 10.0
"""Longest pause that the API may ask for, in seconds."""
_ADDRESS: Final = re.compile(r"https?://[^/]", re.IGNORECASE)
_MALFORMED: Final = (ValueError, TypeError, KeyError, AttributeError)
"""What the client raises over a kubeconfig that is no mapping, or lacks what it must have."""
POOL: Final = 8
"""Connections at a time."""
MAX_ANSWER: Final = 2**30
"""Bytes of one answer, unpacked; a page of the largest objects that etcd keeps is smaller."""
_PART: Final = 2**16
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for what is no JSON, no Unicode, or nested too deep."""


class CannotRead(Exception):
    """The API did not give what was asked for; the message is the reason, in one line. ``status`` is 0 without one."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(" ".join(message.split())[:300])
        self.status = status


class _HungUp(CannotRead):
    """The connection ended without an answer. A kept one may: whoever keeps it ends it when it was idle for long."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    data: bytes
    retry_after: str | None


class Connection:
    """Asks the API. Threads may share it. Raises CannotRead where the kubeconfig does not lead to a cluster.

    ``within`` is for all that is asked of it together, in seconds; `cluster.read_within` where absent.
    """

    def __init__(self, cluster: Cluster, within: float | None = None) -> None:
        from kubernetes import client
        from kubernetes import config as untyped

        config: Any = untyped
        settings = client.Configuration()
        where = cluster.kubeconfig or "the default kubeconfig"
        try:
            if cluster.in_cluster:
                config.load_incluster_config(client_configuration=settings)
            else:
                config.load_kube_config(
                    config_file=cluster.kubeconfig, context=cluster.context, client_configuration=settings
                )
        except (config.ConfigException, yaml.YAMLError, OSError, *_MALFORMED) as error:
            raise CannotRead(f"{where}: {error}") from None
        # urllib3 would try three times more, and make a timeout of one second one of four.
        settings.retries = False
        settings.connection_pool_maxsize = POOL
        self.server: str = str(settings.host)
        if not _ADDRESS.match(self.server):
            raise CannotRead(f"{where}: expected https://host:port as the address of the cluster, seen {self.server!r}")
        self.timeout = cluster.timeout
        self._within = cluster.read_within if within is None else within
        self._until = time.monotonic() + self._within
        self._client: Any = client.ApiClient(settings)
        self._patience = threading.Event()
        self._streams: set[Any] = set()
        self._hung_up = False
        self._answered = False

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        """One JSON object. Raises CannotRead."""
        return self._repeat("GET", path, query, None)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One JSON object, for something posted: reviews alone, which write nothing. Raises CannotRead."""
        return self._repeat("POST", path, (), body)

    def delete(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Delete one object, with DeleteOptions; who calls this has seen that the environment allows it.

        Raises CannotRead.
        """
        return self._repeat("DELETE", path, (), body)

    def _repeat(
        self, method: str, path: str, query: Sequence[tuple[str, str]], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        for attempt in range(RETRIES + 1):
            try:
                answer = self._ask(method, path, query, body)
            except _HungUp:
                # What only reads may be asked again (RFC 9110, 9.2.2): it may have met the end of a kept connection.
                if method != "GET" or attempt > 0 or not self._answered:
                    raise
                continue
            if answer.status in (200, 201, 202):
                return _document(answer.data)
            wait = _retry_after(answer.retry_after) if answer.status in (429, 503) else None
            if wait is None or attempt == RETRIES:
                raise CannotRead(_refusal(answer.status, answer.data), answer.status)
            if time.monotonic() + wait > self._until:
                raise CannotRead(f"{_refusal(answer.status, answer.data)}: asked to wait for {wait:g} s", answer.status)
            self._patience.wait(wait)
        raise AssertionError("unreachable")

    def stream(self, path: str, query: Sequence[tuple[str, str]], silence: float) -> Iterator[dict[str, Any]]:
        """JSON objects, one a line, until the API ends the stream; ``silence`` is the longest time without a byte.

        Raises CannotRead for a refusal, for a line that is no object, and where the connection breaks or is silent.
        """
        with self._told():
            answer = self._client.call_api(
                *self._sent("GET", path, query, None), _request_timeout=(self.timeout, silence)
            )
            response = answer.response
            self._streams.add(response)
            try:
                if self._hung_up:
                    return
                if response.status != 200:
                    until = time.monotonic() + self.timeout
                    raise CannotRead(_refusal(response.status, _body(response, until, self.timeout)), response.status)
                for line in _lines(response):
                    yield _document(line)
            finally:
                self._streams.discard(response)
                response.close()

    def hang_up(self) -> None:
        """End all streams as if the API had ended them, whatever thread reads them."""
        self._hung_up = True
        for response in list(self._streams):
            # One that has ended meanwhile has no connection any more.
            with suppress(RuntimeError, ValueError, OSError):
                response.shutdown()

    def _sent(
        self, method: str, path: str, query: Sequence[tuple[str, str]], body: Mapping[str, Any] | None
    ) -> tuple[Any, ...]:
        sent: tuple[Any, ...] = self._client.param_serialize(
            method=method,
            resource_path=path,
            query_params=list(query),
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        return sent

    def _ask(self, method: str, path: str, query: Sequence[tuple[str, str]], body: Mapping[str, Any] | None) -> _Answer:
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._late()
        most = min(self.timeout, left)
        until = time.monotonic() + most
        with self._told():
            answer = self._client.call_api(*self._sent(method, path, query, body), _request_timeout=most)
            response = answer.response
            try:
                data = _body(response, until, most)
            finally:
                # What was read to its end has given its connection back already; the rest is of no use to anybody.
                response.close()
            self._answered = True
            return _Answer(status=response.status, data=data, retry_after=response.headers.get("Retry-After"))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Everything that the client raises, as CannotRead."""
        import urllib3
        from kubernetes import client

        try:
            yield
        except CannotRead:
            if time.monotonic() >= self._until:
                raise self._late() from None
            raise
        except urllib3.exceptions.HTTPError as error:
            if time.monotonic() >= self._until:
                raise self._late() from None
            cause = error.__cause__ or error
            # Which error of the socket it was stands among the arguments alone.
            aborted = isinstance(error, urllib3.exceptions.ProtocolError) and isinstance(
                error.args[-1], ConnectionError
            )
            kind = _HungUp if aborted else CannotRead
            raise kind(f"no answer: {type(cause).__name__}: {str(cause)[:200]}") from None
        except ValueError as error:
            # Its message holds the header, and with it the token.
            name = type(error).__name__
            raise CannotRead(f"the request cannot be sent: {name}: see token and address in the kubeconfig") from None
        except client.ApiException as error:
            # Without a status the transport failed, which the client tells as an exception of its own.
            if not error.status:
                raise CannotRead(f"no answer: {error.reason or error}") from None
            raise CannotRead(_refusal(error.status, str(error.body or "").encode()), error.status) from None

    def _late(self) -> CannotRead:
        return CannotRead(f"reading took longer than {self._within:g} s (cluster.read_within)")

    def close(self) -> None:
        """Close every socket; the client only forgets them, and leaves that to the garbage collector."""
        pools = self._client.rest_client.pool_manager.pools
        known = pools.keys()
        for key in known:
            pools[key].close()
        self._client.close()


def _body(response: Any, until: float, most: float) -> bytes:
    """All of the body. The client's own timeout is for one read, and there is no end to the reads of a slow answer."""
    data = bytearray()
    while part := response.read1(_PART):
        data += part
        if len(data) > MAX_ANSWER:
            raise CannotRead(f"the answer is larger than {MAX_ANSWER >> 20} MiB")
        if time.monotonic() > until:
            raise CannotRead(f"no answer: not whole after {most:.1f} s")
    return bytes(data)


def _lines(response: Any) -> Iterator[bytes]:
    """Whole lines as they come; what follows the last end of a line was cut off."""
    rest = bytearray()
    while part := response.read1(_PART):
        rest += part
        if len(rest) > MAX_ANSWER:
            raise CannotRead(f"one line is larger than {MAX_ANSWER >> 20} MiB")
        *whole, last = rest.split(b"\n")
        rest = bytearray(last)
        yield from (bytes(line) for line in whole if line.strip())


def _document(data: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except _UNREADABLE as error:
        raise CannotRead(f"the answer is not whole JSON: {error}") from None
    if not isinstance(found, dict):
        raise CannotRead("the answer is no object")
    return found


def _refusal(status: int, body: bytes) -> str:
    try:
        message = str(msgspec.json.decode(body)["message"])
    except (*_UNREADABLE, KeyError, TypeError):
        message = body.decode("utf-8", "replace")
    return f"{status} {message[:250]}".strip()


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, where the answer says so and it is bearable."""
    if value is None or not re.fullmatch(r"\d+", value.strip()):
        return None
    wait = float(value)
    return wait if wait <= MAX_WAIT else None
