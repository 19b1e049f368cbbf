"""The process that sends: ``python -m seatrial.load.worker PLAN``, started by `seatrial.load.driver` alone.

Standard input carries one JSON line, ``{"bearer": ...}``, so that the token is neither in the arguments nor in the
environment. It then stays open: a line ``stop`` means that the rest of the plan need not be sent, and its end that the
parent is gone, upon which this process ends too.
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
from locust import events
from locust.env import Environment

from seatrial.load.plan import read_plan

ORPHANED = 3
"""Exit code where the parent went away."""


def _listen_to_parent() -> None:
    gevent.os.make_nonblocking(0)
    while told := gevent.os.nb_read(0, 1024):
        if b"stop" in told:
            Dispatcher.enough.set()
    os._exit(ORPHANED)


def main(arguments: list[str]) -> int:
    """Send the plan in the file that ``arguments`` name; the exit code is 0 where all of it was gone through."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    secret = json.loads(sys.stdin.readline() or "{}")
    gevent.spawn(_listen_to_parent)
    user = type("Dispatcher", (Dispatcher,), {"plan": read_plan(Path(arguments[0])), "bearer": secret.get("bearer")})
    environment = Environment(user_classes=[user], events=events, catch_exceptions=False)
    runner = environment.create_local_runner()
    runner.start(1, spawn_rate=1)
    runner.greenlet.join()
    return environment.process_exit_code or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
