"""A small service that counts, a real Prometheus that scrapes it, and a server that answers whatever a test wants."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from seatrial.environment.model import Metrics, Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Role

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0)


def eventually(read: Callable[[], Any], until: Callable[[Any], bool], *, within: float = 30.0) -> Any:
    """What ``read`` returns once ``until`` is true of it; fails with the last of it."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not until(last := read()):
        assert time.monotonic() < deadline, f"not within {within} s: {last}"
        pause.wait(0.05)
    return last


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None, **state: Any
) -> Iterator[ThreadingHTTPServer]:
    """A server on a free port of loopback; the handler finds ``state`` on it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign, assignment]
    vars(server).update(state)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def address(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


class _Page(Quiet):
    def do_GET(self) -> None:
        counting: Counting = vars(self.server)["counting"]
        if self.path.startswith("/serve?"):
            asked = dict(parse_qsl(self.path.partition("?")[2]))
            counting.serve(int(asked["count"]), code=asked.get("code", "200"))
        status = 200 if counting.exposes else 404
        self.reply(status, generate_latest(counting.registry), {"Content-Type": "text/plain; version=0.0.4"})


@dataclass
class Counting:
    """The metrics of one process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    exposes: bool = True
    served: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self.requests = Counter("http_requests", "all", ("code",), registry=self.registry)
        self.took = Histogram("http_request_duration_seconds", "took", buckets=BUCKETS, registry=self.registry)
        self.started = Gauge("process_start_time_seconds", "start", registry=self.registry)
        self.full = Gauge("queue_full", "share in use", registry=self.registry)
        self.requests.labels("200")
        self.started.set(time.time() - 3600)
        self.full.set(0.2)

    def serve(self, count: int, *, code: str = "200", seconds: float = 0.03) -> None:
        """Count some requests."""
        self.served += count
        self.requests.labels(code).inc(count)
        for _ in range(count):
            self.took.observe(seconds)


@contextmanager
def counting() -> Iterator[Counting]:
    """A process with metrics on its page."""
    made = Counting()
    with serving(_Page, counting=made) as server:
        made.url = address(server)
        yield made


@contextmanager
def prometheus(
    command: str,
    folder: Path,
    scraped: Sequence[tuple[Mapping[str, str], Counting]],
    rules: list[dict[str, Any]] | None = None,
) -> Iterator[str]:
    """A Prometheus that scrapes each process twice a second; its address, once it has scraped them all."""
    static = [{"targets": [made.url.removeprefix("http://")], "labels": dict(labels)} for labels, made in scraped]
    interval = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    config: dict[str, Any] = {"global": interval, "scrape_configs": [{"job_name": "chat", "static_configs": static}]}
    if rules:
        config["rule_files"] = [str(folder / "rules.yml")]
        (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "chat", "rules": rules}]}))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{bound.getsockname()[1]}"
    words = [
        command,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={listen}",
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)
    try:

        def up() -> int:
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            try:
                answer = httpx.get(f"http://{listen}/api/v1/query", params={"query": "up == 1"})
                return len(answer.json()["data"]["result"])
            except (httpx.HTTPError, ValueError, KeyError):
                return 0

        eventually(up, lambda count: count == len(scraped), within=60)
        yield f"http://{listen}"
    finally:
        process.terminate()
        process.wait(timeout=30)


class _Scripted(Quiet):
    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        state = vars(self.server)
        state["asked"].append((self.command, self.path, dict(self.headers), self.rfile.read(length).decode()))
        state["script"](self)

    def do_POST(self) -> None:
        self.do_GET()


class _Kept(_Scripted):
    protocol_version = "HTTP/1.1"


@contextmanager
def scripted(
    script: Callable[[Quiet], None], tls: ssl.SSLContext | None = None, *, kept: bool = False
) -> Iterator[tuple[str, list[tuple[str, str, dict[str, str], str]]]]:
    """A server that answers every request by ``script``; its address, and what it was asked.

    Where connections are ``kept``, one object answers all requests of a connection.
    """
    asked: list[tuple[str, str, dict[str, str], str]] = []
    with serving(_Kept if kept else _Scripted, tls, script=script, asked=asked) as server:
        yield address(server).replace("http:", "https:" if tls else "http:"), asked


def says(document: Any, status: int = 200) -> Callable[[Quiet], None]:
    """Answers every request with ``document`` as JSON."""
    return lambda request: request.reply(status, json.dumps(document).encode())


def targets(stable: str, candidate: str | None = None, **service: Any) -> tuple[ServiceTarget, ServiceTarget | None]:
    """Subject and control of a service that declares metrics."""
    url = {"stable": stable, **({"candidate": candidate} if candidate else {})}
    options = {"url": url, "metrics": {}, "health": {"metrics": "/metrics"}} | service
    spec = Service.model_validate(options)
    old = ServiceTarget(name="chat", track="stable", role=Role.CONTROL, base_url=stable, service=spec)
    if candidate is None:
        return ServiceTarget(name="chat", track="stable", role=Role.SUBJECT, base_url=stable, service=spec), None
    new = ServiceTarget(name="chat", track="candidate", role=Role.SUBJECT, base_url=candidate, service=spec)
    return new, old


def settings(**more: Any) -> Metrics:
    """The section `[metrics]`, with short times."""
    return Metrics.model_validate({"window": "1m", "settle": "0s", "timeout": "5s", "stale_after": "10s"} | more)
