"""A connection that was idle for long is not asked: its server may end it at that very moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seatrial.environment.model import Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Role
from seatrial.http import concurrent, sync

Serving = tuple[ServiceTarget, list[int]]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """A service that keeps connections, and the client's port of each request."""
    ports: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            ports.append(self.client_address[1])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    spec = Service.model_validate({"url": {"stable": url}})
    yield ServiceTarget(name="chat", track="stable", role=Role.SUBJECT, base_url=url, service=spec), ports
    server.shutdown()
    thread.join()
    server.server_close()


def one_by_one(target: ServiceTarget) -> None:
    with sync.open_client(target, run_id="r1") as client:
        for _ in range(2):
            assert client.get("/").status_code == 200


def in_a_loop(target: ServiceTarget) -> None:
    async def ask() -> None:
        async with concurrent.AsyncClient(target, run_id="r1") as client:
            for _ in range(2):
                async with client.request("GET", "/") as answer:
                    assert answer.status == 200
                    await answer.read()

    asyncio.run(ask())


@pytest.mark.parametrize("ask", [one_by_one, in_a_loop])
@pytest.mark.parametrize(("idle", "connections"), [(30.0, 1), (0.0, 2)])
def test_idle_connections_are_left(
    serving: Serving,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[ServiceTarget], None],
    idle: float,
    connections: int,
) -> None:
    target, ports = serving
    for client in (sync, concurrent):
        monkeypatch.setattr(client, "IDLE", idle)
    ask(target)
    assert len(ports) == 2
    assert len(set(ports)) == connections
