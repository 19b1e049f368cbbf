"""An API that answers as a test wants it to, and a kubeconfig that leads there."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from seatrial.environment.model import Cluster

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]
"""Status, body (bytes as they are, anything else as JSON) and headers. Status 0 drops the connection, -1 does so in the
middle of the body, -2 answers nothing at all until the test is over, -3 a byte now and then."""


class Api(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: Callable[[str, dict[str, list[str]]], Answer | None] = lambda path, query: None
        self.asked: list[str] = []
        self.over = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: no waiting of Nagle for the acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._reply()

    def _reply(self) -> None:
        assert isinstance(self.server, Api)
        parts = urlsplit(self.path)
        self.server.asked.append(self.path)
        given = self.server.answer(parts.path, parse_qs(parts.query))
        if given is None:
            given = (200, {"gitVersion": "v1.35.2"} if parts.path == "/version" else {"items": [], "metadata": {}})
        status, body, headers = (*given, {})[:3]
        if status <= 0:
            self.close_connection = True
            if status == -1:
                self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items": [')
            elif status == -2:
                self.server.over.wait(20)
            elif status == -3:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
                self.wfile.flush()
                with contextlib.suppress(OSError):
                    while not self.server.over.wait(0.02):
                        self.wfile.write(b" ")
                        self.wfile.flush()
            return
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def write_kubeconfig(path: Path, url: str, **cluster: str) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url, **cluster}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def cluster(api: Api, tmp_path: Path) -> Cluster:
    path = write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{api.server_address[1]}")
    return Cluster(kubeconfig=str(path), context="x", namespaces=("shop",), timeout="1s", read_within="5s")
