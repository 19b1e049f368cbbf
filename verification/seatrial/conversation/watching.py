"""Conversations repeated on a schedule, with what came of them as Prometheus metrics."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from seatrial.conversation.runner import Setting, converse, prepare
from seatrial.conversation.script import Script, rows_of
from seatrial.conversation.verdict import Conclusion
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Outcome

LABELS: Final = ("environment", "conversation", "service", "track", "region", "row")
BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One script with one copy of a service."""

    script: Script
    target: ServiceTarget
    bearer: str | None = None


class Metrics:
    """What a scrape shows. Names and units follow Prometheus' conventions."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._state = Gauge(
            "seatrial_conversation_outcome",
            "1 for the outcome of the last time, 0 for the others",
            (*LABELS, "outcome"),
            registry=registry,
        )
        self._runs = Counter(
            "seatrial_conversation_runs", "Conversations held, by outcome", (*LABELS, "outcome"), registry=registry
        )
        self._duration = Histogram(
            "seatrial_conversation_duration_seconds", "Whole conversations", LABELS, registry=registry, buckets=BUCKETS
        )
        self._latency = Histogram(
            "seatrial_turn_latency_seconds", "Whole answers of single turns", LABELS, registry=registry, buckets=BUCKETS
        )
        self._last = Gauge(
            "seatrial_conversation_last_run_timestamp_seconds", "End of the last time", LABELS, registry=registry
        )
        self._cycles = Counter("seatrial_watch_cycles", "Rounds over all conversations", registry=registry)
        self._late = Counter(
            "seatrial_watch_late_cycles", "Rounds that took longer than the interval", registry=registry
        )

    def took(self, labels: Mapping[str, str], conclusion: Conclusion, seconds: float) -> None:
        """One conversation is over."""
        outcome = conclusion.assessment.outcome
        for one in Outcome:
            self._state.labels(**labels, outcome=one.value).set(one is outcome)
        self._runs.labels(**labels, outcome=outcome.value).inc()
        self._duration.labels(**labels).observe(seconds)
        self._last.labels(**labels).set_to_current_time()
        for exchange in conclusion.transcript.exchanges:
            if exchange.reply is not None:
                self._latency.labels(**labels).observe(exchange.reply.latency)

    def cycle(self, *, late: bool) -> None:
        """One round is over."""
        self._cycles.inc()
        if late:
            self._late.inc()


@dataclass(kw_only=True)
class Watch:
    """Holds every conversation once each ``interval`` seconds, from the start of one round to that of the next."""

    environment: str
    variables: Mapping[str, str]
    watched: Sequence[Watched]
    metrics: Metrics
    interval: float
    run_id: str
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, cycles: int | None = None) -> None:
        """Until `stopped` is set, or for so many rounds. What is being held when it stops cleans up first."""
        prepare(one.script for one in self.watched)
        number = 0
        while not self.stopped.is_set() and (cycles is None or number < cycles):
            begun = time.monotonic()
            number += 1
            round_ = asyncio.create_task(self._round(number))
            stop = asyncio.create_task(self.stopped.wait())
            await asyncio.wait({round_, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if not round_.done():
                round_.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await round_
                return
            await round_
            left = self.interval - (time.monotonic() - begun)
            self.metrics.cycle(late=left < 0)
            if left > 0 and (cycles is None or number < cycles):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stopped.wait(), left)

    async def _round(self, number: int) -> None:
        bounds = {one.target.label: asyncio.Semaphore(one.target.service.concurrency) for one in self.watched}
        async with asyncio.TaskGroup() as group:
            for one in self.watched:
                for row, texts in rows_of(one.script):
                    setting = Setting(
                        run_id=f"{self.run_id}-{number}",
                        environment=self.environment,
                        bearer=one.bearer,
                        variables=self.variables,
                        row=texts,
                        row_name=row,
                    )
                    group.create_task(self._hold(one, setting, bounds[one.target.label]))

    async def _hold(self, one: Watched, setting: Setting, bound: asyncio.Semaphore) -> None:
        async with bound:
            begun = time.monotonic()
            conclusion = await converse(one.script, one.target, setting)
        target = one.target
        labels = {
            "environment": self.environment,
            "conversation": one.script.id,
            "service": target.name,
            "track": target.track,
            "region": target.region,
            "row": setting.row_name,
        }
        self.metrics.took(labels, conclusion, time.monotonic() - begun)
