"""A measurement while it is being taken: the samples so far, judged as they come, and whether more are needed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from seatrial.environment.model import Objectives, Track
from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule
from seatrial.judge.exceedance import Latencies
from seatrial.judge.latency import milliseconds
from seatrial.judge.proportions import Counts
from seatrial.judge.scores import SequentialRule
from seatrial.judge.sequential import Look, SequentialJudge
from seatrial.judge.sequential_errors import ErrorLook, look_at_errors

LOOKING: Final = 0.2
"""Part of the allowance for being wrong that looks before the end may spend; the verdict at the end has the rest."""


def at_the_end(confidence: float) -> float:
    """Confidence of the verdict at the end, where looks in between were taken too."""
    return 1 - (1 - confidence) * (1 - LOOKING)


def sequential_rule(objectives: Objectives, *, confidence: float, timeout: float) -> SequentialRule:
    """How a measurement is looked at before its end: a decision then takes overwhelming evidence."""
    return SequentialRule(
        relative_margin=objectives.relative_margin,
        absolute_margin=objectives.absolute_margin,
        confidence=1 - (1 - confidence) * LOOKING,
        ceiling=timeout,
    )


def error_rule(objectives: Objectives, *, confidence: float) -> ErrorRule:
    """The same for failures."""
    return ErrorRule(
        objective=objectives.error_rate,
        relative_margin=objectives.relative_margin,
        confidence=1 - (1 - confidence) * LOOKING,
    )


@dataclass(kw_only=True)
class PairedLooks:
    """Pairs in order of time, looked at as they come. Latencies are in seconds; a failure has at least the timeout.

    Stable's latencies from before the measurement set the levels; where they are too few, those of the first pairs are
    added, and these pairs decide nothing else.
    """

    latency_rule: SequentialRule
    failure_rule: ErrorRule
    warm_up: list[float] = field(default_factory=list)
    errors: ErrorLook | None = None
    _judge: SequentialJudge | None = None
    _failed: dict[str, int] = field(default_factory=lambda: {"control": 0, "candidate": 0, "mine": 0, "others": 0})
    _pairs: int = 0

    @property
    def latency(self) -> Look | None:
        """The latest look at latencies; None before there was one."""
        return None if self._judge is None else self._judge.look

    @property
    def decided(self) -> bool:
        """Whether more pairs could change nothing: one is shown to be bad, or both are shown to be good."""
        looks = [look.verdict for look in (self.latency, self.errors) if look is not None]
        return Outcome.FAIL in looks or (len(looks) == 2 and set(looks) == {Outcome.PASS})

    def feed(self, control: Latencies, candidate: Latencies) -> None:
        """Further pairs."""
        begin = 0
        if self._judge is None:
            begin = min(max(self.latency_rule.warm_up - len(self.warm_up), 0), len(control))
            self.warm_up += control[:begin].tolist()
            if len(self.warm_up) >= self.latency_rule.warm_up:
                self._judge = SequentialJudge(self.latency_rule, np.array(self.warm_up))
        if self._judge is not None:
            self._judge.feed(control[begin:], candidate[begin:])
        self._count(control >= self.latency_rule.ceiling, candidate >= self.latency_rule.ceiling)

    def _count(self, control: Any, candidate: Any) -> None:
        self._pairs += len(control)
        for name, count in (
            ("control", control),
            ("candidate", candidate),
            ("mine", candidate & ~control),
            ("others", control & ~candidate),
        ):
            self._failed[name] += int(count.sum())
        if not self._pairs or (self.errors is not None and self.errors.decided):
            return
        self.errors = look_at_errors(
            Counts(failed=self._failed["candidate"], total=self._pairs),
            Counts(failed=self._failed["control"], total=self._pairs),
            self.failure_rule,
            alone=(self._failed["mine"], self._failed["others"]),
        )


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a measurement is. p95 is in seconds, NaN of nothing."""

    service: str
    done: int
    scheduled: int
    failed: int
    p95: Mapping[str, float]
    latency: Look | None
    errors: ErrorLook | None

    def __str__(self) -> str:
        p95 = ", ".join(f"{track} {milliseconds(value)} ms" for track, value in self.p95.items())
        told = f"{self.service}: {self.done} of {self.scheduled} requests, {self.failed} failed, p95 {p95}"
        if self.latency is not None and self.latency.scores:
            look = self.latency
            told += f"; evidence slower {look.evidence:.2g}, within the margin {look.evidence_within:.2g}"
            told += f", of {look.target:.0f}"
        return told


class Live:
    """Follows the samples of one measurement while they grow, in a file of each process that sends."""

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        service: str,
        scheduled: int,
        subject: Track,
        control: Track | None,
        timeout: float,
        looks: PairedLooks | None,
        report: Callable[[Progress], None] | None = None,
    ) -> None:
        self._read = dict.fromkeys(paths, 0)
        self._service = service
        self._scheduled = scheduled
        self._tracks: list[Track] = [track for track in (control, subject) if track is not None]
        self._timeout = timeout
        self._looks = looks
        self._report = report
        self._latencies: dict[str, list[float]] = {track: [] for track in self._tracks}
        self._open: dict[int, dict[str, float]] = {}
        self._next: int | None = None
        self._done = self._failed = 0

    def follow(self) -> bool:
        """Read what has come, look at it, and report. True where no more is needed."""
        before = self._done
        for record in self._records():
            self._take(record)
        self._feed()
        if self._report is not None and self._done != before:
            self._report(self.progress())
        return self._looks is not None and self._looks.decided

    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            service=self._service,
            done=self._done,
            scheduled=self._scheduled,
            failed=self._failed,
            p95={
                track: float(np.quantile(values, 0.95)) if values else math.nan
                for track, values in self._latencies.items()
            },
            latency=self._looks.latency if self._looks else None,
            errors=self._looks.errors if self._looks else None,
        )

    def _records(self) -> Iterator[dict[str, Any]]:
        for path, read in self._read.items():
            try:
                with path.open("rb") as stream:
                    stream.seek(read)
                    content = stream.read()
            except FileNotFoundError:
                continue
            # What follows the last end of a line is still being written.
            whole = content.rfind(b"\n") + 1
            self._read[path] = read + whole
            for line in content[:whole].splitlines():
                record = json.loads(line)
                if record["kind"] == "sample":
                    yield record

    def _take(self, record: dict[str, Any]) -> None:
        self._done += 1
        if record["sent"] is None:
            return
        self._failed += bool(record["error"])
        latency = record["end"] - record["due"]
        if record["error"]:
            latency = max(latency, self._timeout)
        if record["warm_up"]:
            if self._looks is not None and record["track"] == self._tracks[0]:
                self._looks.warm_up.append(latency)
            return
        self._latencies[record["track"]].append(latency)
        self._open.setdefault(record["pair"], {})[record["track"]] = latency

    def _feed(self) -> None:
        """Hand on the pairs that are complete, as far as none before them is still open."""
        if self._looks is None or len(self._tracks) < 2 or not self._open:
            return
        number = min(self._open) if self._next is None else self._next
        control, candidate = [], []
        while len(pair := self._open.get(number, {})) == 2:
            control.append(pair[self._tracks[0]])
            candidate.append(pair[self._tracks[1]])
            del self._open[number]
            number += 1
            self._next = number
        if control:
            self._looks.feed(np.array(control), np.array(candidate))
