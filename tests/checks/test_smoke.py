"""Smoke checks against real servers on loopback: healthy, sick, silent, and with certificates of every kind."""

import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from seatrial.checks import smoke
from seatrial.environment.model import Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome, Role
from seatrial.http.sync import open_client

CHECKS = {check.id: check for check in smoke.CHECKS}
Answers = Mapping[str, tuple[int, Mapping[str, str], str]]
HEADERS = {"X-Content-Type-Options": "nosniff"}
HEALTHY: Answers = {
    "/healthz": (200, HEADERS, "ok"),
    "/readyz": (200, HEADERS, "ok"),
    "/version": (200, HEADERS, json.dumps({"version": "1.5.0"})),
    "/metrics": (200, HEADERS, '# TYPE up gauge\nup{job="chat"} 1\nlatency_bucket{le="+Inf"} 3\n'),
}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: Answers = HEALTHY
    failures = 0
    """Requests that are refused with 503 before the others are answered."""

    def handle_error(self, *_: object) -> None:
        """A client that refuses our certificate is what some of these tests are about."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        status, headers, body = self.server.answers.get(self.path, (404, {}, "nothing here"))
        if self.server.failures:
            self.server.failures -= 1
            status, headers, body = 503, {}, "in a moment"
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Running:
    server: Server

    def target(self, *, scheme: str = "http", **service: Any) -> ServiceTarget:
        url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}"
        return _target(url, **service)


def _target(url: str, **service: Any) -> ServiceTarget:
    options = {"url": {"stable": url}, "health": {"metrics": "/metrics"}, "timeout": "1s", "connect_timeout": "1s"}
    spec = Service.model_validate(options | service)
    return ServiceTarget(name="chat", track="stable", role=Role.SUBJECT, base_url=url, service=spec)


def _serve(server: Server) -> Iterator[Running]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Running(server=server)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def running() -> Iterator[Running]:
    yield from _serve(Server(("127.0.0.1", 0), Handler))


def run(identity: str, target: ServiceTarget, wanted: str = "1.5.0") -> Assessment:
    with open_client(target, run_id="r1") as client:
        return CHECKS[identity].run(target, client, wanted)


@pytest.mark.parametrize("identity", sorted(set(CHECKS) - {"smoke/tls"}))
def test_a_healthy_service_passes(running: Running, identity: str) -> None:
    assessment = run(identity, running.target())
    assert assessment.outcome is Outcome.PASS, assessment
    assert assessment.n


@pytest.mark.parametrize(
    ("identity", "path", "answer", "words"),
    [
        ("smoke/live", "/healthz", (500, {}, "boom"), "HTTP 500, so it is not alive: boom"),
        ("smoke/ready", "/readyz", (503, {}, "no database"), "HTTP 503, so it is not ready: no database"),
        ("smoke/ready", "/readyz", (302, {"Location": "/login"}, ""), "HTTP 302"),
        ("smoke/version", "/version", (200, {}, '{"version": "1.4.9"}'), "expected 1.5.0, seen 1.4.9"),
        ("smoke/version", "/version", (200, {}, '{"v": 1}'), "no field 'version'"),
        ("smoke/version", "/version", (200, {}, "<html>"), "no field 'version'"),
        ("smoke/version", "/version", (404, {}, ""), "HTTP 404"),
        ("smoke/security-headers", "/healthz", (200, {}, "ok"), "1 required header(s) missing"),
        ("smoke/metrics", "/metrics", (404, {}, ""), "HTTP 404"),
        ("smoke/metrics", "/metrics", (200, {}, "<html>not found</html>"), "no sample"),
    ],
)
def test_a_sick_service_fails(running: Running, identity: str, path: str, answer: Any, words: str) -> None:
    running.server.answers = {**HEALTHY, path: answer}
    assessment = run(identity, running.target())
    assert assessment.outcome is Outcome.FAIL
    assert words in assessment.message


@pytest.mark.parametrize("identity", ["smoke/live", "smoke/ready"])
@pytest.mark.parametrize(
    ("failures", "outcome"),
    [
        (0, Outcome.PASS),
        (1, Outcome.INCONCLUSIVE),
        (smoke.LOOKS - 1, Outcome.INCONCLUSIVE),
        (smoke.LOOKS, Outcome.FAIL),
    ],
)
def test_the_least_that_is_unhealthy(running: Running, identity: str, failures: int, outcome: Outcome) -> None:
    running.server.failures = failures
    assessment = run(identity, running.target())
    assert assessment.outcome is outcome, assessment
    if outcome is Outcome.INCONCLUSIVE:
        assert f"look {failures + 1} found it well, the one before did not" in assessment.message
        assert "HTTP 503" in assessment.message


def test_any_version_will_do_where_none_is_asked_for(running: Running) -> None:
    assert run("smoke/version", running.target(), wanted="").outcome is Outcome.PASS


def _closed_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@pytest.mark.parametrize("identity", ["smoke/tcp", "smoke/live", "smoke/ready", "smoke/version", "smoke/metrics"])
def test_a_refused_connection_is_the_services_failure(identity: str) -> None:
    assessment = run(identity, _target(f"http://127.0.0.1:{_closed_port()}"))
    assert assessment.outcome is Outcome.FAIL
    assert "refused" in assessment.message.lower()


@pytest.mark.parametrize("identity", ["smoke/dns", "smoke/tcp", "smoke/live"])
def test_a_name_that_does_not_resolve_is_an_error(identity: str) -> None:
    assessment = run(identity, _target("http://no-such-host.invalid"))
    assert assessment.outcome is Outcome.ERROR


def test_a_service_that_accepts_and_says_nothing_fails() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = _target(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout="200ms")
        assert run("smoke/live", target).outcome is Outcome.FAIL


def _certificate(folder: Path, *, days: int = 90, name: str = "127.0.0.1", began: int = 400) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    alternative: x509.GeneralName
    try:
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=began))
        .not_valid_after(now + dt.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _https(path: Path) -> Iterator[Running]:
    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from _serve(server)


@pytest.mark.parametrize(
    ("made", "trusted", "outcome", "words"),
    [
        ({}, True, Outcome.PASS, "valid for 90 more days"),
        ({"days": 13}, True, Outcome.FAIL, "valid for 13 more days"),
        ({"days": 14}, True, Outcome.PASS, "valid for 14 more days"),
        ({"days": -2}, True, Outcome.FAIL, "certificate has expired"),
        ({"name": "other.example"}, True, Outcome.FAIL, "mismatch"),
        ({}, False, Outcome.FAIL, "self-signed certificate"),
    ],
)
def test_certificates(tmp_path: Path, made: Any, trusted: bool, outcome: Outcome, words: str) -> None:
    for running in _https(_certificate(tmp_path, **made)):
        tls = {"ca_file": str(tmp_path / "ca.pem")} if trusted else {}
        target = running.target(scheme="https", tls=tls)
        assert CHECKS["smoke/tls"].applies(target)
        with open_client(target, run_id="r1") as client:
            assessment = CHECKS["smoke/tls"].run(target, client, "")
        assert assessment.outcome is outcome, assessment
        assert words in assessment.message


def test_tls_is_planned_for_https_only() -> None:
    assert not CHECKS["smoke/tls"].applies(_target("http://127.0.0.1:1"))
