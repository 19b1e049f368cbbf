"""The open-loop dispatcher: one Locust user that sends every request of a plan when it is due, answered or not.

Importing this imports Locust, which patches the standard library: only ever in a process of its own.
"""

# Locust first: its monkey patch must come before anything that imports ssl or threading.
from locust import User, events, task
from locust.exception import StopUser

# isort: split

import logging
import os
import time
from pathlib import Path
from typing import Any, ClassVar, cast

import gevent
import numpy as np
from gevent.event import Event
from gevent.pool import Pool

from seatrial.load.overhead import measure_overhead
from seatrial.load.plan import Plan, read_plan
from seatrial.load.samples import Sample, SampleWriter
from seatrial.load.schedule import Request
from seatrial.load.sender import Answer, Sender, clock
from seatrial.load.talk import Talks

PLAN_VARIABLE = "SEATRIAL_LOAD_PLAN"
BEARER_VARIABLE = "SEATRIAL_LOAD_BEARER"
LEAD = 0.1
"""Seconds between the start of the clock and the first due time, so that the first request is not late."""

FLUSH_EVERY = 0.5
"""Seconds after which whoever follows the samples sees them."""

log = logging.getLogger(__name__)

# Each request has a greenlet of its own; which stack it was born on would be written down for every one.
gevent.config.track_greenlet_tree = False


def _in_a_moment() -> float:
    return clock() + LEAD


class Dispatcher(User):
    """Sends the plan once and stops. A single user is enough: concurrency comes from the pool of greenlets."""

    fixed_count = 1
    plan: ClassVar[Plan | None] = None
    bearer: ClassVar[str | None] = None
    begin: ClassVar[Any] = staticmethod(_in_a_moment)
    """Called without arguments when all is ready; answers with the moment on the clock at which the plan begins."""
    told: ClassVar[bool] = True
    """Whether Locust is told of each request, for its own tables; nobody reads them under seatrial."""
    enough: ClassVar[Event] = Event()
    """Set where the rest of the plan need not be sent."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.the_plan = self.plan or read_plan(Path(os.environ[PLAN_VARIABLE]))
        self.sender = Sender(self.the_plan, self.bearer or os.environ.get(BEARER_VARIABLE))
        self.talks = Talks(self.the_plan)

    @task
    def dispatch(self) -> None:
        """Send everything, write everything, stop this user and the run."""
        try:
            self._send_all()
        except Exception:
            log.exception("the dispatcher failed")
            self.environment.process_exit_code = 1
        finally:
            self._over()
        raise StopUser

    def _over(self) -> None:
        """What follows when all is sent: the run ends."""
        gevent.spawn(self.environment.runner.quit)

    def _send_all(self) -> None:
        plan = self.the_plan
        pool = Pool(plan.in_flight)
        overhead = measure_overhead(plan)
        with Path(plan.samples).open("w", encoding="utf-8", buffering=1 << 16) as stream:
            writer = SampleWriter(stream, run_id=plan.run_id, service=plan.service, path=plan.path, region=plan.region)
            flushing = gevent.spawn(_keep_flushing, writer)
            start = self.begin()
            cpu = time.process_time()
            scheduled = 0
            for request in plan.requests:
                while (wait := start + request.due - clock()) > 0 and not self.enough.is_set():
                    self.enough.wait(wait)
                if self.enough.is_set():
                    break
                scheduled += 1
                if pool.full():
                    self.talks.left_out(request)
                    writer.add(self._sample(request, request.due, error="unsent"))
                else:
                    pool.spawn(self._send, request, start, writer)
            pool.join()
            flushing.kill()
            wall = clock() - start
            writer.finish(
                scheduled=scheduled,
                wall=wall,
                cpu=time.process_time() - cpu,
                stopped=scheduled < len(plan.requests),
                overhead_p50=float(np.quantile(overhead, 0.5)),
                overhead_p99=float(np.quantile(overhead, 0.99)),
            )

    def _send(self, request: Request, start: float, writer: SampleWriter) -> None:
        plan = self.the_plan
        due = max(start + request.due, self.talks.wait(request))
        messages, words = self.talks.messages(request)
        # A request that is sent late has the less time left: users count from when they asked.
        answer = self.sender.ask(request.track, self.sender.body(messages), until=due + plan.timeout, words=words)
        self.talks.answered(request, answer)
        writer.add(self._sample(request, due - start, **_times(answer, start)))
        if self.told:
            cast(Any, events.request).fire(
                request_type=self.sender.method,
                name=f"{plan.service} {request.track}",
                response_time=(answer.end - due) * 1000,
                response_length=answer.bytes,
                exception=RuntimeError(answer.error) if answer.error else None,
                context={},
            )

    def _sample(self, request: Request, due: float, **seen: Any) -> Sample:
        return Sample(
            track=request.track,
            pair=request.pair,
            warm_up=request.warm_up,
            prompt=request.prompt,
            prompt_class=self.the_plan.dialogues[request.prompt].prompt_class,
            session=request.session,
            turn=request.turn,
            due=due,
            **seen,
        )


def _times(answer: Answer, start: float) -> dict[str, Any]:
    return {
        "sent": answer.sent - start,
        "first": None if answer.first is None else answer.first - start,
        "last": None if answer.last is None else answer.last - start,
        "end": answer.end - start,
        "status": answer.status,
        "bytes": answer.bytes,
        "error": answer.error,
        "gap": answer.gap,
        "pieces": answer.pieces,
    }


def _keep_flushing(writer: SampleWriter) -> None:
    while True:
        gevent.sleep(FLUSH_EVERY)
        writer.flush()
