"""Watches a rollout from the word that it begins until it has settled, whoever brings it out."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

import httpx

from seatrial.environment.rollout import Rollout
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import CannotLook, Outcome
from seatrial.http.sync import open_client
from seatrial.rollout import glance
from seatrial.rollout.cluster_watch import ClusterWatch
from seatrial.rollout.cluster_words import ClusterWords
from seatrial.rollout.replay import Rolled
from seatrial.rollout.share import Share, share_of, users_needed
from seatrial.rollout.story import Ending, Step, Story
from seatrial.rollout.traffic import Audience, Traffic
from seatrial.rollout.words import NoWord, Word, Words

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at what came."""
BESIDE: Final = 0.5
"""Requests to stable's own address for each new user of the public one: what slows both is not the release's."""
MEMORY_EVERY: Final = 2.0
"""Seconds between two looks at the memory; more often where it has little time to settle."""
LEAST_MEMORY: Final = 120
"""Looks that are wanted while it settles: some in each part of the time, so that its median is no accident."""
_MEMORY: Final = re.compile(r"^process_resident_memory_bytes(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)


class Measured(Protocol):
    """What judging the candidate at one step came to."""

    @property
    def errors(self) -> Assessment: ...  # noqa: D102
    @property
    def latency(self) -> Assessment: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is watched. ``public`` is what users reach; ``stable`` and ``candidate`` reach one version each.

    ``within`` is how long all of it may take, in seconds. ``words`` is the file in which the deployer says what it has
    done; without one they are heard from the object in the cluster that shifts the traffic, and without that too the
    steps are those of the environment, and each is taken for begun when the one before is done.
    """

    public: ServiceTarget
    stable: ServiceTarget
    candidate: ServiceTarget | None
    stable_version: str
    candidate_version: str
    rollout: Rollout
    strategy: str
    within: float
    settle: float
    words: Path | None = None
    shifted: Callable[[], ClusterWords] | None = None
    """Hears the steps from the cluster where there is no file of words."""
    talking: bool = False
    bearer: str | None = None
    follow: Callable[[Callable[[], float]], ClusterWatch] | None = None
    """Follows the workload in the cluster by a clock; None where the strategy does not ask for it."""


class Watch:
    """One watch. ``judge`` measures the candidate at a step; ``tell`` is told how far it is, ``keep`` each news."""

    def __init__(
        self,
        scene: Scene,
        *,
        run_id: str,
        directory: Path,
        judge: Callable[[str, float], Measured] | None,
        tell: Callable[[object], None],
        keep: Callable[[Story], None],
    ) -> None:
        self._scene = scene
        self._run_id = run_id
        self._directory = directory
        self._judge = judge
        self._tell = tell
        self._keep = keep
        self._words: Words | ClusterWords | None = Words(scene.words) if scene.words else None
        self._patience = threading.Event()
        self.story = Story(
            strategy=scene.strategy,
            stable=scene.stable_version,
            candidate=scene.candidate_version,
            memory_expected=scene.candidate is not None and scene.candidate.service.health.metrics is not None,
            compared=scene.candidate is not None,
            max_restarts=scene.rollout.max_restarts,
        )
        self._cluster: ClusterWatch | None = None

    def run(self) -> Story:
        """Watch until it has settled, the candidate is shown to be bad, or the time is over.

        Raises CannotLook where the file of words cannot be understood or traffic could not be sent.
        """
        scene, audience = self._scene, self._audience()
        rate = max(scene.rollout.probe_rate * BESIDE, 1.0)
        with ExitStack() as stack:
            traffic = stack.enter_context(self._traffic(scene.public, audience, "traffic"))
            direct = stack.enter_context(self._traffic(scene.stable, Audience(rate=rate, staying=0), "stable"))
            memory = stack.enter_context(_Memory(scene, self._run_id, lambda: traffic.now))
            self.story.seen, self.story.direct, self.story.memory = traffic.seen, direct.seen, memory.seen
            self._enter_cluster(stack, traffic)
            if self._words is None and scene.shifted is not None:
                self._words = stack.enter_context(scene.shifted())
            try:
                self._follow(traffic)
            except NoWord as problem:
                raise CannotLook(str(problem)) from None
            finally:
                self.story.ended = traffic.now
                self._note_cluster()
        self.story.seen, self.story.direct = list(traffic.seen), list(direct.seen)
        self.story.memory = list(memory.seen)
        return self.story

    def _enter_cluster(self, stack: ExitStack, traffic: Traffic) -> None:
        """Follow the cluster too. Where that cannot be, users are still watched."""
        if self._scene.follow is None:
            return
        try:
            self._cluster = stack.enter_context(self._scene.follow(lambda: traffic.now))
        except CannotLook as problem:
            self.story.rolling_problem = str(problem)

    def _note_cluster(self) -> Rolled | None:
        """What the cluster shows by now, also in the story."""
        if self._cluster is None:
            return None
        story = self.story
        story.rolled, story.rolling_problem = self._cluster.rolled(), self._cluster.problem
        story.rolling_unread, story.rolling_notes = self._cluster.unread, self._cluster.notes
        return story.rolled

    def _audience(self) -> Audience:
        rollout = self._scene.rollout
        talking = (rollout.probe_users + 1) // 2 if self._scene.talking else 0
        return Audience(rate=rollout.probe_rate, staying=rollout.probe_users, talking=talking)

    def _traffic(self, target: ServiceTarget, audience: Audience, name: str) -> Traffic:
        path = self._directory / f"{name}.ndjson"
        return Traffic(target, audience, run_id=self._run_id, path=path, bearer=self._scene.bearer)

    def _follow(self, traffic: Traffic) -> None:
        story = self.story
        for step in self._told(traffic) if self._words is not None else self._declared(traffic):
            if story.steps:
                story.steps[-1].ended = step.told
            story.steps.append(step)
            self._keep(story)
            if not self._reach(step, traffic):
                step.ended = traffic.now
                late: Ending = "out of time" if self._late(traffic) else "step not reached"
                story.ending = "stuck" if self._stuck() else late
                return
            if step.abort:
                step.ended = traffic.now
                story.ending = "aborted"
                return
            self._keep(story)
            self._measure(step)
            self._keep(story)
            if any(found is not None and found.outcome is Outcome.FAIL for found in (step.errors, step.latency)):
                step.ended = traffic.now
                story.ending = "bad candidate"
                return
        if self._late(traffic):
            return
        story.settle_began = traffic.now
        self._keep(story)
        until = traffic.now + self._scene.settle
        while traffic.now < until:
            if self._late(traffic):
                return
            if any(word.abort for word in self._heard()):
                story.ending = "aborted"
                return
            self._look(traffic, f"settling, {until - traffic.now:.0f} s left", until - traffic.now)
        story.ending = "settled"

    def _declared(self, traffic: Traffic) -> Iterator[Step]:
        """The steps of the environment, each begun when the one before is done."""
        while self._scene.strategy == "rolling" and not self._begun(traffic):
            if self._late(traffic):
                return
            self._look(traffic, "waiting for the rollout to begin")
        for weight in self._scene.rollout.steps if self._scene.strategy == "canary" else (100.0,):
            yield Step(weight=weight, told=traffic.now, by_word=False)

    def _begun(self, traffic: Traffic) -> bool:
        """Whether the workload was changed, or users have met the new version."""
        rolled = self._note_cluster()
        new = any(one.version == self._scene.candidate_version for one in traffic.since(0.0))
        return new or (rolled is not None and rolled.changed)

    def _stuck(self) -> bool:
        rolled = self._note_cluster()
        return rolled is not None and rolled.changed and bool(rolled.workload.stuck)

    def _rolled_out(self) -> bool:
        """Whether the cluster agrees that it is done; true where it is not followed."""
        rolled = self._note_cluster()
        return rolled is None or bool(self.story.rolling_problem) or rolled.complete is not None

    def _told(self, traffic: Traffic) -> Iterator[Step]:
        """The steps that the deployer tells, until it says that it is done or has given all to the candidate."""
        words: list[Word] = []
        while True:
            words += self._heard()
            # An abort overtakes all that was said before it.
            if any(word.abort for word in words):
                words = [word for word in words if word.abort][:1]
            if words:
                word = words.pop(0)
                if word.weight is None:
                    return
                yield Step(weight=word.weight, told=traffic.now, by_word=True, abort=word.abort)
                continue
            if (self.story.steps and self.story.steps[-1].weight == 100.0) or self._late(traffic):
                return
            self._look(traffic, "waiting for the deployer's word")

    def _heard(self) -> list[Word]:
        return self._words.new() if self._words is not None else []

    def _late(self, traffic: Traffic) -> bool:
        return traffic.now >= self._scene.within

    def _look(self, traffic: Traffic, what: str, left: float = LOOK_EVERY) -> None:
        traffic.check()
        self._tell(glance.watched(self.story, traffic.since(0.0), what, traffic.now))
        self._patience.wait(max(min(LOOK_EVERY, left), 0.01))

    def _reach(self, step: Step, traffic: Traffic) -> bool:
        """Wait until the share seen is the one asked for. False where that took too long."""
        needed = users_needed(step.weight)
        begin = step.told
        until = min(step.told + self._scene.rollout.step_within, self._scene.within)
        while True:
            share = self._share(traffic, begin)
            if share.total >= needed:
                if share.allows(step.weight) and self._followed(step, share) and self._rolled_out():
                    step.reached = begin
                    return True
                # What was seen so far is still of the step before, or of neither: forget the older half.
                seen = [one for one in traffic.since(begin, "fresh") if one.version]
                begin = seen[len(seen) // 2].at
            if traffic.now >= until or self._stuck():
                return False
            self._keep(self.story)
            rolled = f", {self.story.rolled}" if self.story.rolled is not None else ""
            self._look(traffic, f"waiting for the share, seen {share}{rolled}")

    def _share(self, traffic: Traffic, begin: float) -> Share:
        return share_of(traffic.since(begin), self._scene.candidate_version)

    def _followed(self, step: Step, share: Share) -> bool:
        """A switch and an abort are over only when nobody is left behind."""
        if step.weight in (0.0, 100.0):
            return share.candidate == round(share.total * step.weight / 100)
        return True

    def _measure(self, step: Step) -> None:
        if self._judge is None:
            return
        try:
            measured = self._judge(f"{len(self.story.steps)}-{step.weight:g}", step.weight)
        except CannotLook as problem:
            step.errors = step.latency = Assessment.error(str(problem))
            return
        step.errors, step.latency = measured.errors, measured.latency


class _Memory:
    """Asks the candidate's metrics for its memory now and then; where there is none, nothing is seen."""

    def __init__(self, scene: Scene, run_id: str, now: Callable[[], float]) -> None:
        self._scene = scene
        self._run_id = run_id
        self._now = now
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seatrial-memory", daemon=True)
        self.seen: list[tuple[float, float]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        target = self._scene.candidate
        if target is None or target.service.health.metrics is None:
            return
        with open_client(target, run_id=self._run_id, bearer=self._scene.bearer) as client:
            every = min(MEMORY_EVERY, max(self._scene.settle / LEAST_MEMORY, 0.05))
            while not self._over.wait(every if self.seen else 0.1):
                try:
                    text = client.get(target.service.health.metrics).text
                except httpx.HTTPError:
                    continue
                if match := _MEMORY.search(text):
                    try:
                        self.seen.append((self._now(), float(match[1])))
                    except ValueError:
                        continue
