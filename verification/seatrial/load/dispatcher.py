"""The open-loop dispatcher: one Locust user that sends every request of a plan when it is due, answered or not.

Importing this imports Locust, which patches the standard library: only ever in a process of its own.
"""

# Locust first: its monkey patch must come before anything that imports ssl or threading.
from locust import FastHttpUser, events, task
from locust.exception import StopUser

# isort: split

import errno
import logging
import os
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import gevent
from gevent.event import Event
from gevent.pool import Pool
from geventhttpclient.client import HTTPClient, HTTPClientPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.url import URL

from seatrial.http.marks import identity_headers, tls_context
from seatrial.load.plan import Plan, read_plan
from seatrial.load.samples import Sample, SampleWriter
from seatrial.load.schedule import Request

PLAN_VARIABLE = "SEATRIAL_LOAD_PLAN"
BEARER_VARIABLE = "SEATRIAL_LOAD_BEARER"
LEAD = 0.1
"""Seconds between the start of the clock and the first due time, so that the first request is not late."""

FLUSH_EVERY = 0.5
"""Seconds after which whoever follows the samples sees them."""

log = logging.getLogger(__name__)


def error_class(error: BaseException, status: int) -> str:
    """The class under which a failure is counted; ``status`` is 0 until the headers have come."""
    match error:
        case TimeoutError():
            return "timeout"
        case ssl.SSLError():
            return "tls"
        case socket.gaierror():
            return "dns"
        case ConnectionRefusedError():
            return "refused"
        case HTTPConnectionClosed() | ConnectionError():
            return "truncated" if status else "disconnected"
        case HTTPParseError():
            return "truncated" if status else "malformed"
        case OSError():
            return f"os-{errno.errorcode.get(error.errno or 0, 'unknown')}"
    raise error


class Dispatcher(FastHttpUser):
    """Sends the plan once and stops. A single user is enough: concurrency comes from the pool of greenlets."""

    fixed_count = 1
    plan: ClassVar[Plan | None] = None
    bearer: ClassVar[str | None] = None
    enough: ClassVar[Event] = Event()
    """Set where the rest of the plan need not be sent."""

    def __init__(self, environment: Any) -> None:
        self.the_plan = self.plan or read_plan(Path(os.environ[PLAN_VARIABLE]))
        self.host = next(iter(self.the_plan.urls.values()))
        self.insecure = False
        plan = self.the_plan
        self.client_pool = HTTPClientPool(
            concurrency=plan.in_flight,
            connection_timeout=plan.connect_timeout,
            network_timeout=plan.timeout,
            insecure=False,
            ssl_context_factory=lambda cafile=None: tls_context(plan.ca_file),  # noqa: ARG005  cafile: the library's own
        )
        super().__init__(environment)
        self.targets: dict[str, tuple[HTTPClient, str]] = {}
        for track, base in plan.urls.items():
            url = URL(base + plan.path)
            self.targets[track] = (self.client_pool.get_client(url), url.request_uri)
        self.headers = {
            **identity_headers(plan.run_id, self.bearer or os.environ.get(BEARER_VARIABLE)),
            "Accept": "text/event-stream" if plan.stream else "application/json",
        }

    @task
    def dispatch(self) -> None:
        """Send everything, write everything, stop this user and the run."""
        try:
            self._send_all()
        except Exception:
            log.exception("the dispatcher failed")
            self.environment.process_exit_code = 1
        finally:
            gevent.spawn(self.environment.runner.quit)
        raise StopUser

    def _send_all(self) -> None:
        plan = self.the_plan
        pool = Pool(plan.in_flight)
        with Path(plan.samples).open("w", encoding="utf-8", buffering=1 << 16) as stream:
            writer = SampleWriter(stream, run_id=plan.run_id, service=plan.service)
            flushing = gevent.spawn(_keep_flushing, writer)
            cpu = time.process_time()
            start = time.perf_counter() + LEAD
            scheduled = 0
            for request in plan.requests:
                while (wait := start + request.due - time.perf_counter()) > 0 and not self.enough.is_set():
                    self.enough.wait(wait)
                if self.enough.is_set():
                    break
                scheduled += 1
                if pool.full():
                    writer.add(_sample(request, error="unsent"))
                else:
                    pool.spawn(self._send, request, start, writer)
            pool.join()
            flushing.kill()
            wall = time.perf_counter() - start
            writer.finish(
                scheduled=scheduled,
                wall=wall,
                cpu=time.process_time() - cpu,
                stopped=scheduled < len(plan.requests),
            )

    def _send(self, request: Request, start: float, writer: SampleWriter) -> None:
        plan = self.the_plan
        client, uri = self.targets[request.track]
        body = plan.bodies[request.prompt]
        headers = self.headers if body is None else {**self.headers, "Content-Type": "application/json"}
        first: float | None = None
        status = size = pieces = 0
        gap: float | None = None
        error = ""
        sent = time.perf_counter() - start
        # A request that is sent late has the less time left: users count from when they asked.
        with gevent.Timeout(max(request.due + plan.timeout - sent, 0.001)) as limit:
            try:
                response = client.request(
                    "GET" if body is None else "POST", uri, body=body.encode() if body else b"", headers=headers
                )
                try:
                    status = response.status_code
                    if plan.stream:
                        events_read = _read_events(response, start)
                        first, size, good = events_read.first, events_read.size, events_read.whole
                        gap, pieces = events_read.gap, events_read.pieces
                    else:
                        first = time.perf_counter() - start
                        content = bytes(response.read())
                        size, good = len(content), plan.expect.encode() in content
                finally:
                    response.release()
                if not 200 <= status < 300:
                    error = f"http-{status}"
                elif not good:
                    error = "truncated" if plan.stream else "malformed"
            except gevent.Timeout as expired:
                if expired is not limit:
                    raise
                error = "timeout"
            except (OSError, HTTPParseError) as failure:
                error = error_class(failure, status)
        end = time.perf_counter() - start
        writer.add(
            _sample(
                request,
                sent=sent,
                first=first,
                end=end,
                status=status,
                bytes=size,
                error=error,
                gap=gap,
                pieces=pieces,
            )
        )
        cast(Any, events.request).fire(
            request_type="GET" if body is None else "POST",
            name=f"{plan.service} {request.track}",
            response_time=(end - request.due) * 1000,
            response_length=size,
            exception=RuntimeError(error) if error else None,
            context={},
        )


def _keep_flushing(writer: SampleWriter) -> None:
    while True:
        gevent.sleep(FLUSH_EVERY)
        writer.flush()


def _sample(request: Request, **seen: Any) -> Sample:
    return Sample(
        track=request.track,
        pair=request.pair,
        warm_up=request.warm_up,
        prompt=request.prompt,
        due=request.due,
        **seen,
    )


@dataclass(kw_only=True)
class _Events:
    """A stream of server-sent events as it was read. ``whole``: it ended as it should."""

    first: float | None = None
    last: float = 0.0
    gap: float | None = None
    pieces: int = 0
    size: int = 0
    whole: bool = False


def _read_events(response: Any, start: float) -> _Events:
    events = _Events()
    while line := response.readline(b"\n"):
        events.size += len(line)
        if not line.startswith(b"data:"):
            continue
        if line.strip() == b"data: [DONE]":
            events.whole = True
            continue
        now = time.perf_counter() - start
        if events.first is None:
            events.first = now
        else:
            events.gap = max(events.gap or 0.0, now - events.last)
        events.last = now
        events.pieces += 1
    return events
