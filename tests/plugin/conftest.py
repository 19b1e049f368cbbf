"""A small real service, and a team's repository that names it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.project import REPOSITORY, Project


class _Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"version": "2.0.1"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def service_url() -> Iterator[str]:
    """Address of a service that reports version 2.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def project(pytester: pytest.Pytester, service_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "verification"))
    monkeypatch.setenv("CHAT_TOKEN", "s3cret-t0ken")
    for name in ("SEATRIAL_ENV", "SEATRIAL_TRACK", "SEATRIAL_PHASE", "SEATRIAL_RELEASE"):
        monkeypatch.delenv(name, raising=False)
    return Project(pytester=pytester, url=service_url)
