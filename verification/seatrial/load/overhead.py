"""What our own client takes, found before the load begins: the time of requests to a server that answers at once.

Importing this imports gevent: only ever in the load process, after Locust.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import gevent
from gevent.pool import Pool

from seatrial.load import null_server
from seatrial.load.plan import Plan
from seatrial.load.sender import Sender, clock

SECONDS: Final = 0.4
"""Of each of two rounds; the first warms up connections and caches."""
LEAST_RATE: Final = 100.0
MOST_RATE: Final = 500.0
"""Requests per second: the plan's own rate within these, enough for a p99 and no load by itself."""
STARTUP: Final = 10.0
"""Seconds that the server may take to be there."""


class NoOverhead(RuntimeError):
    """The server that answers at once could not be started, or did not answer."""


def measure_overhead(plan: Plan) -> list[float]:
    """Seconds from due to end of each request to a server that answers at once, sorted. Raises NoOverhead.

    Requests are like the plan's own, without TLS. The server runs in the process group of this process.
    """
    command = [sys.executable, "-I", str(Path(null_server.__file__)), *(["stream"] if plan.stream else [])]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    try:
        with gevent.Timeout(STARTUP, NoOverhead(f"the null server was not there within {STARTUP:g} s")):
            port = server.stdout.readline().strip()
        if not port:
            raise NoOverhead(f"the null server ended with exit code {server.wait()}")
        sender = Sender(replace(plan, urls={"stable": f"http://127.0.0.1:{int(port)}"}, ca_file=None), None)
        length = max(plan.requests[-1].due, SECONDS) if plan.requests else SECONDS
        rate = min(max(len(plan.requests) / length, LEAST_RATE), MOST_RATE)
        _round(sender, plan, rate)
        return sorted(_round(sender, plan, rate))
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
        if server.stdin is not None:
            server.stdin.close()


def _round(sender: Sender, plan: Plan, rate: float) -> list[float]:
    body = sender.body([{"role": "user", "content": plan.dialogues[0].turns[0]}])
    pool = Pool(plan.in_flight)
    taken: list[float] = []
    errors: list[str] = []
    start = clock()

    def ask(due: float) -> None:
        answer = sender.ask("stable", body, until=due + plan.timeout)
        taken.append(answer.end - due)
        if answer.error:
            errors.append(answer.error)

    for number in range(round(rate * SECONDS)):
        due = start + number / rate
        if (wait := due - clock()) > 0:
            gevent.sleep(wait)
        pool.spawn(ask, due)
    pool.join()
    if errors:
        raise NoOverhead(f"of {len(taken)} requests to the null server {len(errors)} failed, the first: {errors[0]}")
    return taken
