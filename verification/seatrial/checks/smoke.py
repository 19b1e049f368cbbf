"""Is the service there, alive, ready, and the release that was asked for? One request or connection a check."""

from __future__ import annotations

import datetime as dt
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from seatrial.checks.check import Check, check
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome
from seatrial.http.marks import tls_context
from seatrial.http.sync import Client, ExchangeError, Response, diagnose

_SAMPLE: Final = re.compile(r"^[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})?\s+[-+0-9.eEinfNaIF]+(\s+-?\d+)?$", re.MULTILINE)
SHOWN: Final = 120
"""Characters of an answer that a message may quote."""
LOOKS: Final = 3
"""Failures in a row before a service is taken to be unhealthy: one look may meet a pod in the moment of its end."""
PAUSE: Final = 0.5
"""Seconds between two of them."""


def _address(target: ServiceTarget) -> tuple[str, int]:
    parts = urlsplit(target.base_url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _is_https(target: ServiceTarget) -> bool:
    return target.base_url.startswith("https://")


def _quoted(answer: Response) -> str:
    text = " ".join(answer.text.split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def _in_a_row(look: Callable[[], Assessment]) -> Assessment:
    """What is found: a failure only where `LOOKS` of them come one after the other. One that is not holds."""
    first = found = look()
    patience = threading.Event()
    for number in range(2, LOOKS + 1):
        if found.outcome is not Outcome.FAIL:
            break
        patience.wait(PAUSE)
        found = look()
        if found.outcome is Outcome.PASS:
            words = f"look {number} found it well, the one before did not: {first.message}"
            return Assessment.inconclusive(words, n=number, remedy="see which replica failed, and look again")
    return replace(found, n=LOOKS) if found.outcome is Outcome.FAIL else found


def _get(
    target: ServiceTarget, client: Client, path: str, judge: Callable[[Response, float], Assessment]
) -> Assessment:
    """The judgement of one answer; no answer at all is the service's failure, unless it is our own network's."""
    begun = time.perf_counter()
    try:
        answer = client.get(path)
    except ExchangeError as error:
        found = diagnose(error)
        words = f"GET {target.base_url}{path}: {found.words}"
        if found.ours:
            return Assessment.error(words, remedy="see that this machine resolves, reaches and trusts the address")
        return Assessment.failed(words, seen="no answer", limit="HTTP 200", remedy="look at the pods and their logs")
    return judge(answer, (time.perf_counter() - begun) * 1000)


def _answers_ok(target: ServiceTarget, client: Client, path: str, what: str) -> Assessment:
    def judge(answer: Response, took: float) -> Assessment:
        seen = f"HTTP {answer.status_code}"
        if answer.status_code == 200:
            return Assessment.passed(f"GET {path}: {seen} in {took:.0f} ms", seen=seen, limit="HTTP 200", n=1)
        words = f"GET {target.base_url}{path}: {seen}, so it is not {what}: {_quoted(answer)}"
        return Assessment.failed(words, seen=seen, limit="HTTP 200", remedy="look at the pods and their logs")

    return _get(target, client, path, judge)


@check("smoke/dns", suite="smoke", severity="critical", per="service", needs=("network",))
def dns(target: ServiceTarget, client: Client, wanted: str) -> Assessment:  # noqa: ARG001
    """The name of the service's address resolves.

    Why: without it nothing else can be looked at; whose fault it is cannot be told from here, so it is an error.

    Remedy: see that the record exists and that this machine uses the right resolver.
    """
    host, port = _address(target)
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        return Assessment.error(f"{host} does not resolve: {error}", remedy="see that the record exists")
    return Assessment.passed(
        f"{host} resolves to {', '.join(sorted(map(str, found)))}", seen=f"{len(found)} address(es)", n=1
    )


@check("smoke/tcp", suite="smoke", severity="critical", trigger="health", per="service", needs=("network",))
def tcp(target: ServiceTarget, client: Client, wanted: str) -> Assessment:  # noqa: ARG001
    """The service accepts connections. Three failures in a row roll back, fewer hold.

    Why: a port that refuses is a service that is down, for every user.

    Remedy: look at the pods, the Service's endpoints and the ingress.
    """
    return _in_a_row(lambda: _accepts(target))


def _accepts(target: ServiceTarget) -> Assessment:
    host, port = _address(target)
    begun = time.perf_counter()
    try:
        with socket.create_connection((host, port), timeout=target.service.connect_timeout):
            took = (time.perf_counter() - begun) * 1000
    except socket.gaierror as error:
        return Assessment.error(f"{host} does not resolve: {error}")
    except TimeoutError:
        words = f"{host}:{port} did not accept a connection within {target.service.connect_timeout:g} s"
        return Assessment.failed(words, seen="no connection", limit="a connection")
    except OSError as error:
        words = f"{host}:{port} does not accept connections: {error.strerror or error}"
        return Assessment.failed(words, seen=error.strerror or str(error), limit="a connection")
    return Assessment.passed(f"{host}:{port} accepts connections, in {took:.0f} ms", seen="connected", n=1)


@check(
    "smoke/tls",
    suite="smoke",
    severity="critical",
    trigger="health",
    per="service",
    needs=("network",),
    applies=_is_https,
)
def tls(target: ServiceTarget, client: Client, wanted: str) -> Assessment:  # noqa: ARG001
    """The certificate is trusted, is for this name, and does not expire soon.

    Why: browsers and clients refuse the service the moment it does; renewal that fails shows here first.

    Remedy: renew the certificate; see the issuer's (cert-manager's) events.
    """
    host, port = _address(target)
    expected = target.service.tls
    try:
        context = tls_context(expected.ca_file)
        with (
            socket.create_connection((host, port), timeout=target.service.connect_timeout) as raw,
            context.wrap_socket(raw, server_hostname=host) as wrapped,
        ):
            certificate = wrapped.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        words = f"the certificate of {host}:{port} is not valid: {error.verify_message}"
        return Assessment.failed(words, seen=error.verify_message, limit="a valid certificate")
    except FileNotFoundError as error:
        return Assessment.error(f"tls.ca_file: {error}")
    except OSError as error:
        return Assessment.failed(f"no TLS connection to {host}:{port}: {error}", seen=str(error), limit="TLS")
    end = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), dt.UTC)
    left = (end - dt.datetime.now(dt.UTC)).days
    limit = f"at least {expected.min_days_left} days"
    words = f"the certificate of {host} is valid for {left} more days, until {end:%Y-%m-%d}"
    if left < expected.min_days_left:
        return Assessment.failed(words, seen=f"{left} days", limit=limit, remedy="renew the certificate")
    return Assessment.passed(words, seen=f"{left} days", limit=limit, n=1)


@check("smoke/live", suite="smoke", severity="critical", trigger="health", per="service", needs=("http",))
def live(target: ServiceTarget, client: Client, wanted: str) -> Assessment:  # noqa: ARG001
    """The liveness endpoint answers 200. Three failures in a row roll back, fewer hold.

    Why: Kubernetes restarts what fails it, so a failure seen from outside means that restarts are under way.

    Remedy: look at the container's log and its last state.
    """
    return _in_a_row(lambda: _answers_ok(target, client, target.service.health.live, "alive"))


@check("smoke/ready", suite="smoke", severity="critical", trigger="health", per="service", needs=("http",))
def ready(target: ServiceTarget, client: Client, wanted: str) -> Assessment:  # noqa: ARG001
    """The readiness endpoint answers 200. Three failures in a row roll back, fewer hold.

    Why: what is not ready gets no traffic, or should not.

    Remedy: its answer usually names the dependency that is missing; look there first.
    """
    return _in_a_row(lambda: _answers_ok(target, client, target.service.health.ready, "ready"))


@check("smoke/version", suite="smoke", severity="critical", per="service", needs=("http",))
def version(target: ServiceTarget, client: Client, wanted: str) -> Assessment:
    """The service reports the version that was asked for; as control, and where none was asked for, any version.

    Why: evidence about another release decides nothing. A deploy that did not happen looks healthy everywhere else.

    Remedy: see which image the pods run, and whether the rollout is complete.
    """
    health = target.service.health

    def judge(answer: Response, took: float) -> Assessment:  # noqa: ARG001
        path = f"GET {target.base_url}{health.version}"
        if answer.status_code != 200:
            words = f"{path}: HTTP {answer.status_code}: {_quoted(answer)}"
            return Assessment.failed(words, seen=f"HTTP {answer.status_code}", limit="HTTP 200")
        try:
            seen = str(answer.json()[health.version_field])
        except (ValueError, KeyError, TypeError):
            words = f"{path}: the answer has no field {health.version_field!r}: {_quoted(answer)}"
            return Assessment.failed(words, seen=_quoted(answer), limit=f"JSON with {health.version_field!r}")
        if wanted and seen != wanted:
            words = f"another release is running on {target.track}: expected {wanted}, seen {seen}"
            return Assessment.failed(words, seen=seen, limit=wanted, remedy="see which image the pods run")
        return Assessment.passed(f"version {seen} runs on {target.track}", seen=seen, limit=wanted or "any", n=1)

    return _get(target, client, health.version, judge)


@check("smoke/security-headers", suite="smoke", severity="minor", per="service", needs=("http",))
def security_headers(target: ServiceTarget, client: Client, wanted: str) -> Assessment:  # noqa: ARG001
    """Answers carry the security headers that the environment requires.

    Why: they are easily lost with a proxy or a framework's update, and nobody sees it.

    Remedy: set the missing ones in the service or at the ingress.
    """

    def judge(answer: Response, took: float) -> Assessment:  # noqa: ARG001
        required = target.service.required_headers
        where = f"GET {target.base_url}{target.service.health.live}"
        missing = [
            Finding(where=where, path=name, expected="present", seen="absent")
            for name in required
            if name.lower() not in answer.headers
        ]
        held = f"all {len(required)} required headers are there"
        return Assessment.of_findings(missing, held=held, broken="{count} required header(s) missing", n=len(required))

    return _get(target, client, target.service.health.live, judge)


def _exposes_metrics(target: ServiceTarget) -> bool:
    return target.service.health.metrics is not None


@check("smoke/metrics", suite="smoke", severity="major", per="service", needs=("http",), applies=_exposes_metrics)
def metrics(target: ServiceTarget, client: Client, wanted: str) -> Assessment:  # noqa: ARG001
    """The metrics endpoint answers with a Prometheus exposition that holds samples.

    Why: a release without metrics cannot be watched, and its alerts stay silent for the wrong reason.

    Remedy: see that the exporter is wired in this build, and that its path and port are those of the environment file.
    """
    path = target.service.health.metrics or ""

    def judge(answer: Response, took: float) -> Assessment:  # noqa: ARG001
        if answer.status_code != 200:
            words = f"GET {target.base_url}{path}: HTTP {answer.status_code}"
            return Assessment.failed(words, seen=f"HTTP {answer.status_code}", limit="HTTP 200")
        samples = len(_SAMPLE.findall(answer.text))
        if not samples:
            words = f"GET {target.base_url}{path}: no sample in the answer: {_quoted(answer)}"
            return Assessment.failed(words, seen="no sample", limit="a Prometheus exposition")
        return Assessment.passed(f"GET {path}: {samples} samples", seen=f"{samples} samples", n=samples)

    return _get(target, client, path, judge)


CHECKS: Final[tuple[Check, ...]] = (dns, tcp, tls, live, ready, version, security_headers, metrics)
