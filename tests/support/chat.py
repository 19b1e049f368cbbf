"""A chat service that answers as each test tells it, over real sockets."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from seatrial.conversation.loading import parse
from seatrial.conversation.script import Script
from seatrial.environment.model import Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Role

Answer = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.chat.requests.append((dict(self.headers), body))
        self.server.chat.answer(self, body)

    def log_message(self, *_: object) -> None:
        pass

    def reply(self, status: int, content: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def begin_stream(self, kind: str = "text/event-stream") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("X-Request-Id", "stream-7")
        self.end_headers()

    def chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()

    def event(self, value: object) -> None:
        self.chunk(b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n")

    def delta(self, content: str | None = None, finish: str | None = None, **more: Any) -> None:
        delta = more | ({} if content is None else {"content": content})
        self.event({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def break_off(self) -> None:
        self.close_connection = True

    def hang(self) -> None:
        """Keep the connection open until the test is over."""
        self.server.chat.over.wait(30)
        self.close_connection = True


def completion(text: str | None, intent: str | None = None, **message: Any) -> dict[str, Any]:
    told = {"role": "assistant", "content": text, **({"metadata": {"intent": intent}} if intent else {}), **message}
    return {"object": "chat.completion", "choices": [{"index": 0, "message": told, "finish_reason": "stop"}]}


def says(text: str, intent: str | None = None) -> Answer:
    return lambda handler, _: handler.reply(200, json.dumps(completion(text, intent)).encode(), X_Request_Id="req-7")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    chat: "Chat"

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of these tests."""


@dataclass
class Chat:
    """The service: set ``answer``, then talk to ``target()``."""

    url: str
    answer: Answer = field(default_factory=lambda: says("Hello, how can I help you?", "greeting"))
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def target(self, **service: Any) -> ServiceTarget:
        return target_at(self.url, **service)


def target_at(url: str, **service: Any) -> ServiceTarget:
    described = Service.model_validate({"url": {"stable": url}, "timeout": "400ms", **service})
    return ServiceTarget(name="chat", track="candidate", role=Role.SUBJECT, base_url=url, service=described)


def script(turns: str, head: str = "") -> Script:
    return parse(f'title = "t"\n{head}\n{turns}', name="try", shown="try.toml")
