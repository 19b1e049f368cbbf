"""A Kubernetes API that answers what a test tells it to, over real HTTP."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

TOKEN = "token-of-the-verifier"
GOOD = "good"


@dataclass(frozen=True)
class Answer:
    """What the API says: an object as JSON, or bytes as they are."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, handler: Any) -> None:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body, ensure_ascii=False).encode()
        handler.send_response(self.status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **self.headers,
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        # Who drops the connection early drops it while this is written.
        with contextlib.suppress(ConnectionError):
            handler.wfile.write(body)
            handler.wfile.flush()


def refusal(status: int, message: str = "no", **headers: str) -> Answer:
    """A Status of the API, as it refuses with."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def listed(*items: Any, token: str = "") -> Answer:
    """One page of a list."""
    return Answer(body={"kind": "List", "metadata": {"continue": token} if token else {}, "items": list(items)})


def thing(name: str = GOOD, **fields: Any) -> dict[str, Any]:
    """An object with a name."""
    return {"metadata": {"name": name, "namespace": "shop"}, **fields}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


Script = Answer | Callable[[Any], None]


class Api(ThreadingHTTPServer):
    """The server. What no script is about answers a list with one good object."""

    request_queue_size = 128
    daemon_threads = False

    def __init__(self, wrap: Callable[[Any], Any] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if wrap is not None:
            self.socket = wrap(self.socket)
        self.scheme = "http" if wrap is None else "https"
        self.scripts: dict[str, list[Script]] = {"/version": [Answer(body={"gitVersion": "v1.36.2"})]}
        self.requests: list[Request] = []
        self.errors: list[BaseException] = []
        self.over = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def on(self, path: str, *script: Script) -> None:
        """Answer requests of ``path`` with one after the other of ``script``, and with the last one ever after."""
        self.scripts[path] = list(script)

    def next(self, request: Request) -> Script:
        with self.lock:
            self.requests.append(request)
            script = self.scripts.get(request.path)
            if script is None:
                return listed(thing())
            return script.pop(0) if len(script) > 1 else script[0]

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 20
    server: Api

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(
            self.command,
            parts.path,
            parse_qs(parts.query),
            {name.lower(): value for name, value in self.headers.items()},
            body,
        )
        script = self.server.next(request)
        if isinstance(script, Answer):
            script.send(self)
        else:
            script(self)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextlib.contextmanager
def serving(wrap: Callable[[Any], Any] | None = None) -> Iterator[Api]:
    """A running API."""
    with Api(wrap) as api:
        thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            api.over.set()
            api.shutdown()
            thread.join()
    assert api.errors == []


def write_kubeconfig(path: Path, server: str, **cluster: Any) -> Path:
    """A kubeconfig with one context, ``verifier``."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "verifier", "user": {"token": TOKEN}}],
        "contexts": [{"name": "verifier", "context": {"cluster": "here", "user": "verifier"}}],
        "current-context": "verifier",
    }
    path.write_text(yaml.safe_dump(config), "utf-8")
    return path
