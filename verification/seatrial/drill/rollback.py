"""The rollback drill: take the release back by the single command, wait until that is so, and bring it out again."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seatrial.drill.probing import STEADY, Probe, Probing
from seatrial.drill.running import run_command
from seatrial.drill.telling import Told, within
from seatrial.drill.users import left_by, too_much, users_of
from seatrial.environment.units import format_duration
from seatrial.evidence.drill import Subject
from seatrial.evidence.outcome import CannotLook, Outcome

LOOK_EVERY: Final = 0.05
"""Seconds between two looks at what the probes have seen."""
HEALTHY_WITHIN: Final = 30.0
"""Seconds in which every address must show that it is healthy before anything is broken."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a rollback drill goes by. ``wanted`` is the version to come back to; empty for any other than the one seen.

    ``within`` is how long a return is waited for, ``command_within`` how long either command may take, in seconds.
    """

    back: Sequence[str]
    forward: Sequence[str]
    objective: float
    within: float
    command_within: float
    error_rates: Mapping[str, float]
    """Share of users' requests that may fail, by address."""
    max_gap: float
    """Seconds in which an address may give no good answer."""
    looks: int = STEADY
    """Answers in a row, at each address, that show no other version before one counts as back."""
    wanted: str = ""


class RollbackDrill:
    """One drill. ``told`` is what is known; ``say`` is told each event; ``interrupted`` ends the waiting for a return.

    Whatever happens after the rollback command was started, the promote command is run before `hold` returns.
    """

    def __init__(
        self,
        terms: Terms,
        probing: Probing,
        *,
        interrupted: threading.Event,
        say: Callable[[str], None],
        clean: Callable[[str], str],
    ) -> None:
        self._terms = terms
        self._probing = probing
        self._interrupted = interrupted
        self._say = say
        self._clean = clean
        self._patience = threading.Event()
        self.told = Told(objective=terms.objective)

    def hold(self, begun: Callable[[], object]) -> None:
        """Hold the drill; ``begun`` is called before the first change. Raises CannotLook where none was made."""
        before = healthy_before(self._probing, self._interrupted)
        self._say(f"before: {_listed(before)}")
        if self._terms.wanted in before.values():
            raise CannotLook(f"{self._terms.wanted} answers already: there is nothing to take back")
        if self._interrupted.is_set():
            raise CannotLook("interrupted before anything was changed")
        begun()
        self.told.broken = self._probing.now
        started = True
        try:
            started = self._take_back(before)
        finally:
            if started:
                self._bring_forward(before)
                self._judge_users()

    def _take_back(self, before: Mapping[str, str]) -> bool:
        """Whether the rollback command was started, and with it anything changed."""
        terms, told, begin = self._terms, self.told, self._probing.now
        self._say(f"rolling back: {shlex.join(terms.back)}")
        ran = run_command(terms.back, within=terms.command_within, now=lambda: self._probing.now, clean=self._clean)
        told.commands += (ran,)
        if not ran.started:
            told.ended = self._probing.now
            told.conclude(Outcome.ERROR, f"the rollback command: {ran.problem}; nothing was changed")
            return False
        self._say(f"the rollback command {ran.problem.removeprefix('it ') or f'ended after {ran.seconds:.1f} s'}")

        def is_back(probe: Probe) -> bool:
            other = probe.version != before[probe.where]
            return not probe.error and (probe.version == terms.wanted if terms.wanted else other)

        # A command that failed is given no more time than it takes to see what it has done.
        patience = terms.within if not ran.problem else 0.0
        restored = self._wait(begin, is_back, until=begin + patience, interruptible=True)
        told.ended = self._probing.now
        changed = [p for p in self._probing.since(begin) if p.version and p.version != before[p.where]]
        told.first_change = round(changed[0].end, 3) if changed else None
        told.subjects = tuple(self._subject(name, begin, is_back) for name in self._probing.names)
        if ran.problem:
            state = "still not everywhere" if restored is None else f"after {restored - begin:.1f} s"
            told.conclude(Outcome.FAIL, f"the rollback command failed: {ran.problem}; the older version: {state}")
        elif restored is not None:
            seconds = restored - begin
            outcome = Outcome.PASS if seconds <= terms.objective else Outcome.FAIL
            told.left_at_most = round(left_by(terms.looks), 4)
            sure = f"{terms.looks} answers in a row at each address show no other, so at most {told.left_at_most:.0%}"
            told.conclude(outcome, f"restored in {within(seconds, terms.objective)}: {sure} of users get one (95 %)")
        elif self._interrupted.is_set():
            told.conclude(Outcome.INCONCLUSIVE, "interrupted before the older version was back")
        else:
            self._not_restored(begin)
        self._say(told.message)
        return True

    def _not_restored(self, begin: float) -> None:
        latest = {probe.where: probe for probe in self._probing.since(begin)}
        seen = "; ".join(f"{name}: {_said(latest.get(name))}" for name in self._probing.names)
        ours = [name for name in self._probing.names if name not in latest or latest[name].ours]
        waited = format_duration(round(self._terms.within, 1))
        message = f"{self._terms.wanted or 'an older version'} was not back everywhere within {waited}: {seen}"
        self.told.conclude(Outcome.ERROR if ours else Outcome.FAIL, message)

    def _subject(self, name: str, begin: float, is_back: Callable[[Probe], bool]) -> Subject:
        since = self._probing.steady(begin, is_back, (name,), looks=self._terms.looks)
        last = next((p for p in reversed(self._probing.since(begin)) if p.where == name), None)
        return Subject(name=name, seconds=None if since is None else round(since - begin, 3), words=_said(last))

    def _bring_forward(self, before: Mapping[str, str]) -> None:
        """Run the promote command, and see that all is as it was. Is not given up when it is interrupted."""
        terms, told, begin = self._terms, self.told, self._probing.now
        self._say(f"rolling forward: {shlex.join(terms.forward)}")
        ran = run_command(terms.forward, within=terms.command_within, now=lambda: self._probing.now, clean=self._clean)
        told.commands += (ran,)

        def as_before(probe: Probe) -> bool:
            return not probe.error and probe.version == before[probe.where]

        patience = terms.within if not ran.problem else 0.0
        found = self._wait(begin, as_before, until=begin + patience, interruptible=False)
        if found is not None and not ran.problem:
            self._say(f"as it was: {_listed(before)}, {found - begin:.1f} s after rolling forward began")
            return
        latest = {probe.where: probe for probe in self._probing.since(begin)}
        seen = "; ".join(f"{name}: {_said(latest.get(name))}" for name in self._probing.names)
        why = f"the promote command: {ran.problem}" if ran.problem else f"not back within {terms.within:g} s"
        told.left = f"NOT AS IT WAS: expected {_listed(before)}; {why}; seen {seen}"
        told.conclude(
            Outcome.FAIL if ran.started else Outcome.ERROR, f"the release could not be brought out again: {why}"
        )

    def _judge_users(self) -> None:
        """Hold what users would have met, both ways, against what is tolerated."""
        told, probing, terms = self.told, self._probing, self._terms
        begin = told.broken or 0.0
        told.users = users_of(probing.since(0.0), begin=begin, end=probing.now, rate=probing.rate)
        if told.outcome not in (Outcome.PASS, Outcome.FAIL):
            return
        for one in told.users:
            if words := too_much(one, error_rate=terms.error_rates[one.where], max_gap=terms.max_gap):
                told.conclude(Outcome.FAIL, words)
                self._say(words)

    def _wait(self, begin: float, good: Callable[[Probe], bool], *, until: float, interruptible: bool) -> float | None:
        """Since when all is good; None where it is not by ``until``, or by the end of a few looks from now on."""
        few, looks = self._probing.now, self._terms.looks
        while True:
            found = self._probing.steady(begin, good, looks=looks)
            if found is not None or (interruptible and self._interrupted.is_set()):
                return found
            now = self._probing.now
            enough = now >= few + HEALTHY_WITHIN + looks / self._probing.rate or self._looked(few)
            # What has begun to be good by then is looked at to its end.
            begun = self._probing.steady(begin, good, looks=1)
            if now >= until and enough and (begun is None or begun > until):
                return None
            self._patience.wait(LOOK_EVERY)

    def _looked(self, moment: float) -> bool:
        """Whether every address was looked at often enough since ``moment`` to be seen as good if it were."""
        seen = [probe.where for probe in self._probing.since(moment)]
        return all(seen.count(name) > self._terms.looks for name in self._probing.names)


def healthy_before(probing: Probing, interrupted: threading.Event) -> dict[str, str]:
    """The version of every address, each steadily healthy. Raises CannotLook where one is not."""
    patience = threading.Event()
    while True:
        steady = probing.steady(0.0, lambda probe: not probe.error and bool(probe.version))
        versions = _versions(probing)
        if steady is not None:
            return versions
        if interrupted.is_set():
            raise CannotLook("interrupted before anything was changed")
        if probing.now >= HEALTHY_WITHIN or _unhealthy(probing):
            latest = {probe.where: probe for probe in probing.since(0.0)}
            seen = "; ".join(f"{name}: {_said(latest.get(name))}" for name in probing.names)
            raise CannotLook(f"not every address is healthy before the drill, so none is held: {seen}")
        patience.wait(LOOK_EVERY)


def _versions(probing: Probing) -> dict[str, str]:
    """The version that every address has answered with. Raises CannotLook where one has answered with two."""
    found: dict[str, str] = {}
    for probe in probing.since(0.0):
        if probe.version and probe.version != found.setdefault(probe.where, probe.version):
            both = f"{found[probe.where]} and as {probe.version}"
            raise CannotLook(f"{probe.where} answers as {both}, so no drill is held: finish the rollout first")
    return found


def _unhealthy(probing: Probing) -> bool:
    """Whether an address has not been good once in twice as many looks as it would take."""
    seen = probing.since(0.0)
    for name in probing.names:
        own = [probe for probe in seen if probe.where == name]
        if len(own) >= 2 * STEADY and all(probe.error or not probe.version for probe in own):
            return True
    return False


def _said(probe: Probe | None) -> str:
    if probe is None:
        return "no answer yet"
    return probe.error or probe.version or "no version"


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
