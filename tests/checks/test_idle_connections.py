"""A connection that was idle for long is not asked: its server may end it at that very moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from seatrial.environment.model import Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Role
from seatrial.http import concurrent, sync
from support.metrics import Quiet, scripted


@pytest.fixture
def service() -> Iterator[tuple[ServiceTarget, list[int]]]:
    """A service that keeps connections, and the client's port of each request."""
    ports: list[int] = []

    def answer(request: Quiet) -> None:
        ports.append(request.client_address[1])
        request.reply(200, b"")

    with scripted(answer, kept=True) as (url, _):
        spec = Service.model_validate({"url": {"stable": url}})
        yield ServiceTarget(name="chat", track="stable", role=Role.SUBJECT, base_url=url, service=spec), ports


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
    service: tuple[ServiceTarget, list[int]],
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[ServiceTarget], None],
    idle: float,
    connections: int,
) -> None:
    target, ports = service
    for client in (sync, concurrent):
        monkeypatch.setattr(client, "IDLE", idle)
    ask(target)
    assert len(ports) == 2
    assert len(set(ports)) == connections
