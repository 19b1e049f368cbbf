"""A process that sends: ``python -m seatrial.load.worker PLAN INDEX``, started by `seatrial.load.driver` alone.

Standard input carries one JSON line, ``{"bearer": ...}``, so that the token is neither in the arguments nor in the
environment. When all is ready it says ``ready`` on standard output and waits for ``start SECONDS``, a moment on the
machine's monotonic clock, so that several begin together. A line ``stop`` means that the rest of the plan need not be
sent, and the end of standard input that the parent is gone, upon which this process ends too.
"""

from seatrial.load.dispatcher import Dispatcher

# isort: split

import json
import logging
import os
import sys
from pathlib import Path

import gevent
import gevent.os
from gevent.event import AsyncResult
from locust import events
from locust.env import Environment

from seatrial.load.plan import read_plan

ORPHANED = 3
"""Exit code where the parent went away."""


def _listen_to_parent(start: AsyncResult) -> None:
    gevent.os.make_nonblocking(0)
    heard = b""
    while told := gevent.os.nb_read(0, 1024):
        *lines, heard = (heard + told).split(b"\n")
        for line in lines:
            if line == b"stop":
                Dispatcher.enough.set()
            elif line.startswith(b"start "):
                start.set(float(line.removeprefix(b"start ")))
    os._exit(ORPHANED)


def main(arguments: list[str]) -> int:
    """Send a share of a plan, both named in ``arguments``; the exit code is 0 where all of it was gone through."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    secret = json.loads(sys.stdin.readline() or "{}")
    start = AsyncResult()
    gevent.spawn(_listen_to_parent, start)

    def begin() -> float:
        print("ready", flush=True)
        return float(start.get())

    plan = read_plan(Path(arguments[0])).share(int(arguments[1]))
    mine = {"plan": plan, "bearer": secret.get("bearer"), "begin": staticmethod(begin), "told": False}
    environment = Environment(
        user_classes=[type("Dispatcher", (Dispatcher,), mine)], events=events, catch_exceptions=False
    )
    runner = environment.create_local_runner()
    runner.start(1, spawn_rate=1)
    runner.greenlet.join()
    return environment.process_exit_code or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
