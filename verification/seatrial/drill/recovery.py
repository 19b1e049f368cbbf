"""The recovery drill: each workload loses one pod, and has as many ready ones again, with its address healthy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from seatrial.cluster.connection import CannotRead
from seatrial.cluster.pods import Pod, WorkloadPods
from seatrial.drill.probing import Probing
from seatrial.drill.rollback import healthy_before
from seatrial.drill.telling import Told, within
from seatrial.environment.model import Environment
from seatrial.environment.units import format_duration
from seatrial.evidence.drill import Subject
from seatrial.evidence.outcome import CannotLook, Outcome

POLL_EVERY: Final = 0.5
"""Seconds between two looks at the pods."""


@dataclass(frozen=True, kw_only=True)
class Loser:
    """A service whose workload is to lose a pod."""

    service: str
    workload: str
    pods: WorkloadPods


class RecoveryDrill:
    """One drill, one workload after the other; the next one only when the one before is whole again."""

    def __init__(
        self,
        environment: Environment,
        losers: Sequence[Loser],
        probing: Probing,
        *,
        objective: float,
        within: float,
        interrupted: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self._environment = environment
        self._losers = losers
        self._probing = probing
        self._within = within
        self._interrupted = interrupted
        self._say = say
        self.told = Told(objective=objective)

    def hold(self, begun: Callable[[], object]) -> None:
        """Hold the drill; ``begun`` is called before the first pod is lost. Raises CannotLook where none was."""
        healthy_before(self._probing, self._interrupted)
        before = {loser.service: _whole(loser) for loser in self._losers}
        if self._interrupted.is_set():
            raise CannotLook("interrupted before anything was changed")
        begun()
        self.told.broken = self._probing.now
        for loser in self._losers:
            try:
                returned = self._lose_one(loser, before[loser.service])
            except CannotRead as problem:
                returned = False
                self.told.conclude(Outcome.ERROR, f"{loser.workload}: {problem}")
                self._say(self.told.message)
            self.told.ended = self._probing.now
            if not returned:
                return

    def _lose_one(self, loser: Loser, before: Sequence[Pod]) -> bool:
        """Whether the workload is whole again. Raises CannotRead."""
        told, victim, begin = self.told, before[0], self._probing.now
        self._say(f"{loser.workload}: pod {victim.name} is deleted, one of {len(before)}")
        loser.pods.lose(victim, self._environment)
        ready: float | None = None
        count, problem = len(before) - 1, ""
        while True:
            now = self._probing.now
            if ready is None:
                count, problem = _others_ready(loser, victim, count)
                ready = now if count >= len(before) else None
            healthy = self._probing.steady(begin, lambda probe: not probe.error, self._addresses(loser.service))
            if ready is not None and healthy is not None:
                return self._returned(loser, max(ready, healthy) - begin)
            if now - begin >= self._within or self._interrupted.is_set():
                break
            self._interrupted.wait(POLL_EVERY)
        if problem:
            raise CannotRead(f"what became of it cannot be told: {problem}")
        state = f"{count} of {len(before)} pods ready" + ("" if healthy is not None else ", its address not healthy")
        told.subjects += (Subject(name=loser.service, seconds=None, words=state),)
        if self._interrupted.is_set():
            told.conclude(Outcome.INCONCLUSIVE, f"interrupted while {loser.workload} had {state}")
        else:
            waited = format_duration(round(self._within, 1))
            told.conclude(Outcome.FAIL, f"{loser.workload} was not whole again within {waited}: {state}")
        told.left = f"NOT AS IT WAS: {loser.workload} has {state}; its controller should see to the rest"
        self._say(told.message)
        return False

    def _returned(self, loser: Loser, seconds: float) -> bool:
        told = self.told
        words = f"whole again in {within(seconds, told.objective)}"
        told.subjects += (Subject(name=loser.service, seconds=round(seconds, 3), words=words),)
        told.conclude(Outcome.PASS if seconds <= told.objective else Outcome.FAIL, f"{loser.workload}: {words}")
        self._say(f"{loser.workload}: {words}")
        return True

    def _addresses(self, service: str) -> tuple[str, ...]:
        return tuple(name for name in self._probing.names if name.partition("/")[0] == service)


def _others_ready(loser: Loser, victim: Pod, known: int) -> tuple[int, str]:
    """How many others are ready, as far as is ``known``, and why that cannot be told now."""
    try:
        return sum(pod.ready and pod.uid != victim.uid for pod in loser.pods.now()), ""
    except CannotRead as problem:
        return known, str(problem)


def _whole(loser: Loser) -> Sequence[Pod]:
    """The pods of a workload, all of which are ready. Raises CannotLook."""
    try:
        pods = loser.pods.now()
    except CannotRead as problem:
        raise CannotLook(f"{loser.workload}: {problem}") from None
    unready = [pod.name for pod in pods if not pod.ready]
    if unready or not pods:
        seen = f"{', '.join(unready)} not ready" if unready else "no pod at all"
        raise CannotLook(f"{loser.workload} is not whole before the drill, so none is held: {seen}")
    return pods
