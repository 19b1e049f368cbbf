"""What users of ours see at a public address that ends connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seatrial.environment.model import Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Role
from seatrial.rollout.traffic import Audience, Seen, Traffic, read_traffic
from support.metrics import eventually

Behave = Callable[["Handler"], None]
WORDS = b'data: {"choices": [{"delta": {"content": "At nine."}}]}\n\ndata: [DONE]\n\n'


class Handler(BaseHTTPRequestHandler):
    """Keeps connections; how it answers what is posted is the server's."""

    protocol_version = "HTTP/1.1"
    requests = 0

    def do_GET(self) -> None:
        self.requests += 1
        self.answer(b'{"version": "1.5.0"}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.behave(self)  # type: ignore[attr-defined]

    def answer(self, body: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


def well(handler: Handler) -> None:
    handler.answer(WORDS)


def end_what_was_kept(handler: Handler) -> None:
    """As a proxy that was reloaded, or a pod that is drained, at the moment in which it is asked."""
    if handler.requests:
        handler.close_connection = True
    else:
        well(handler)


def end_always(handler: Handler) -> None:
    handler.close_connection = True


def cut(handler: Handler) -> None:
    handler.answer(WORDS[:20], len(WORDS))
    handler.close_connection = True


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Callable[[Behave], Seen]]:
    """The first answer that a user gets who talks."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    service = Service.model_validate({"url": {"stable": url}, "health": {"version": "/version"}})
    target = ServiceTarget(name="chat", track="stable", role=Role.SUBJECT, base_url=url, service=service)

    def go(behave: Behave) -> Seen:
        server.behave = behave  # type: ignore[attr-defined]
        path = tmp_path / "traffic.ndjson"
        audience = Audience(rate=0.1, staying=1, talking=1, timeout=5.0)
        with Traffic(target, audience, run_id="r1", path=path) as traffic:
            eventually(lambda: traffic.since(0.0, "talking"), lambda seen: len(seen) > 0, within=10)
        kept = [one for one in read_traffic(path) if one.kind == "talking"]
        assert kept == traffic.since(0.0, "talking")
        return kept[0]

    yield go
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("behave", "error", "again"),
    [
        (well, "", False),
        (end_what_was_kept, "", True),
        (end_always, "the connection was closed before the answer was complete (Server disconnected)", True),
        (cut, "the connection was closed before the answer was complete", False),
    ],
)
def test_only_what_was_not_heard_is_asked_again(
    ask: Callable[[Behave], Seen], behave: Behave, error: str, again: bool
) -> None:
    seen = ask(behave)
    assert seen.error.startswith(error)
    assert bool(seen.error) == bool(error)
    assert seen.again is again
