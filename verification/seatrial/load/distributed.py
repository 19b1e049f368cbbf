"""A plan sent from several machines by Locust's own master and workers: each sends a share, all begin together.

``locust -f load/locustfile.py --master`` and as many ``--worker`` as the plan has ``workers``, all with the plan at
``SEATRIAL_LOAD_PLAN``. A worker says when it has measured its own overhead; when all are ready the master gives the
word. Each sends whole pairs, and times them by its own clock from that word on, so that clocks need not agree: what is
compared is compared within one process. Afterwards the workers hand their samples to the master, which makes one file.

Importing this imports Locust, which patches the standard library: only ever in a process of its own.
"""

from seatrial.load.dispatcher import LEAD, PLAN_VARIABLE, Dispatcher

# isort: split

import logging
import os
from pathlib import Path
from typing import Any, Final, cast

from gevent.event import Event
from locust import events
from locust.runners import MasterRunner, WorkerRunner

from seatrial.load.plan import Plan, read_plan
from seatrial.load.samples import SamplesError, merge_samples
from seatrial.load.sender import clock

READY: Final = "seatrial-ready"
BEGIN: Final = "seatrial-begin"
SAMPLES: Final = "seatrial-samples"
PIECE: Final = 1 << 20
"""Bytes of samples in one message."""
WRONG_WORKERS: Final = 2
"""Exit code where there are not as many workers as the plan was made for."""

log = logging.getLogger(__name__)


def the_plan() -> Plan:
    """The plan that the environment variable names."""
    return read_plan(Path(os.environ[PLAN_VARIABLE]))


class SharedDispatcher(Dispatcher):
    """Sends the worker's share of the plan; without a master, all of it."""

    word = Event()
    """Set when the master says that all are ready."""

    def __init__(self, environment: Any) -> None:
        runner = environment.runner
        if isinstance(runner, WorkerRunner):
            type(self).plan = the_plan().share(runner.worker_index)
            type(self).begin = staticmethod(lambda: _when_all_are_ready(runner))
        super().__init__(environment)

    def _over(self) -> None:
        runner = self.environment.runner
        if not isinstance(runner, WorkerRunner):
            super()._over()
            return
        # The master ends the run, and with it this worker, when it has everything.
        path = Path(self.the_plan.samples)
        content = path.read_bytes() if path.is_file() else b""
        pieces = [content[begin : begin + PIECE] for begin in range(0, len(content), PIECE)] or [b""]
        for number, piece in enumerate(pieces, 1):
            told = {"index": runner.worker_index, "piece": piece, "last": number == len(pieces)}
            runner.send_message(SAMPLES, told)


def _when_all_are_ready(runner: WorkerRunner) -> float:
    runner.send_message(READY, {"index": runner.worker_index})
    SharedDispatcher.word.wait()
    return clock() + LEAD


class Collector:
    """The master's side: who is ready, and the samples of each."""

    def __init__(self, environment: Any, plan: Plan) -> None:
        self._environment = environment
        self._plan = plan
        self._ready: set[int] = set()
        self._content: dict[int, bytes] = {}
        self._complete: set[int] = set()

    def ready(self, msg: Any, **_: Any) -> None:
        """A worker is ready; when all are, they begin."""
        self._ready.add(msg.data["index"])
        if len(self._ready) == self._plan.workers:
            self._environment.runner.send_message(BEGIN, {})

    def samples(self, msg: Any, **_: Any) -> None:
        """A piece of a worker's samples; after the last of the last one, the file is made and the run ends."""
        index = msg.data["index"]
        self._content[index] = self._content.get(index, b"") + msg.data["piece"]
        if msg.data["last"]:
            self._complete.add(index)
        if len(self._complete) == self._plan.workers:
            self._make_one_file()
            self._environment.runner.quit()

    def check(self, **_: Any) -> None:
        """Whether there are as many workers as the plan has shares; otherwise nothing is sent."""
        seen = self._environment.runner.worker_count
        if seen != self._plan.workers:
            log.error("expected %d workers, as the plan has; seen %d: nothing is sent", self._plan.workers, seen)
            self._environment.process_exit_code = WRONG_WORKERS
            self._environment.runner.quit()

    def _make_one_file(self) -> None:
        for index, content in self._content.items():
            self._plan.files()[index].write_bytes(content)
        if self._plan.workers == 1:
            return
        try:
            merge_samples(self._plan.files(), Path(self._plan.samples))
        except SamplesError as error:
            log.error("the samples cannot be relied on: %s", error)  # noqa: TRY400  the message says it all
            self._environment.process_exit_code = 1


def prepare(environment: Any, **_: Any) -> None:
    """Let master and workers listen to each other. A single process needs nothing of it."""
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        plan = the_plan()
        SharedDispatcher.fixed_count = plan.workers
        collector = Collector(environment, plan)
        runner.register_message(READY, collector.ready)
        runner.register_message(SAMPLES, collector.samples)
        environment.events.test_start.add_listener(collector.check)
    elif isinstance(runner, WorkerRunner):
        runner.register_message(BEGIN, lambda **_: SharedDispatcher.word.set())


# Its decorators have no types.
cast(Any, events.init).add_listener(prepare)
