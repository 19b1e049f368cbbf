"""Reading a cluster that refuses, expires, dawdles and lies: what cannot be read is recorded, the rest is read."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from seatrial.environment.model import Cluster
from seatrial.fixtures.cluster import PATHS, read

Answer = tuple[int, object]


class Api(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: Callable[[str, dict[str, list[str]]], Answer | None] = lambda path, query: None
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Api)
        parts = urlsplit(self.path)
        self.server.asked.append(self.path)
        given = self.server.answer(parts.path, parse_qs(parts.query))
        status, body = given if given is not None else (200, {"items": [], "metadata": {}})
        if status == 0:
            self.connection.close()
            return
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
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
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cluster(api: Api, tmp_path: Path) -> Cluster:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{api.server_address[1]}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(document))
    return Cluster(kubeconfig=str(path), context="x", namespaces=("shop",), timeout="1s")


def _item(name: str) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "shop"}}


def test_pages_are_followed_and_only_helms_secrets_are_read(api: Api, cluster: Cluster) -> None:
    def answer(path: str, query: dict[str, list[str]]) -> Answer | None:
        if path.endswith("/pods"):
            first = "continue" not in query
            token = {"continue": "next"} if first else {}
            return 200, {"items": [_item("a" if first else "b")], "metadata": token}
        return None

    api.answer = answer
    snapshot = read(cluster)
    assert [item["metadata"]["name"] for item in snapshot.of("Pod")] == ["a", "b"]
    assert not snapshot.unread
    (secrets,) = [path for path in api.asked if "/secrets" in path]
    assert "labelSelector=owner%3Dhelm" in secrets


def test_expired_pages_are_begun_anew(api: Api, cluster: Cluster) -> None:
    expired = [True]

    def answer(path: str, query: dict[str, list[str]]) -> Answer | None:
        if not path.endswith("/pods"):
            return None
        if "continue" not in query:
            return 200, {"items": [_item("a")], "metadata": {"continue": "next"}}
        if expired:
            expired.pop()
            return 410, {"message": "too old"}
        return 200, {"items": [_item("b")], "metadata": {}}

    api.answer = answer
    assert len(read(cluster).of("Pod")) == 2


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((403, {"message": "pods is forbidden"}), "403 pods is forbidden"),
        ((401, {"message": "Unauthorized"}), "401 Unauthorized"),
        ((429, {"message": "slow down"}), "429 slow down"),
        ((410, {"message": "too old"}), "410 too old"),
        ((500, b"<html>oops</html>"), "500 <html>oops</html>"),
        ((200, b'{"items": ['), "not whole JSON"),
        ((200, []), "no object"),
        ((200, {"items": 3}), "items are no list"),
    ],
)
def test_one_kind_that_cannot_be_read_leaves_the_others(api: Api, cluster: Cluster, given: Answer, reason: str) -> None:
    api.answer = lambda path, query: given if path.endswith("/pods") else None
    snapshot = read(cluster)
    assert reason in snapshot.unread["Pod"]
    assert set(snapshot.objects) == set(PATHS) - {"Pod"}


def test_null_items_and_unknown_fields_are_no_trouble(api: Api, cluster: Cluster) -> None:
    odd = {"items": [{**_item("имя"), "unknown": 1}, None], "metadata": {}}
    api.answer = lambda path, query: (200, {"items": None} if "/services" in path else odd)
    snapshot = read(cluster)
    assert [item["metadata"]["name"] for item in snapshot.of("Pod")] == ["имя"]


def test_a_dropped_connection_is_told_once(api: Api, cluster: Cluster) -> None:
    api.answer = lambda path, query: (0, b"")
    snapshot = read(cluster)
    assert set(snapshot.unread) == set(PATHS)
    assert all(reason.startswith("no answer") for reason in snapshot.unread.values())
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (None, "declares no [cluster]"),
        ({"namespaces": ()}, "declares no [cluster]"),
        ({"context": "other"}, "other"),
        ({"kubeconfig": "/no/such/file"}, "/no/such/file"),
    ],
)
def test_a_cluster_that_cannot_be_reached_at_all(cluster: Cluster, settings: object, reason: str) -> None:
    changed = None if settings is None else cluster.model_copy(update=settings)  # type: ignore[arg-type]
    snapshot = read(changed)
    assert set(snapshot.unread) == set(PATHS)
    assert reason in snapshot.unread["Pod"]
