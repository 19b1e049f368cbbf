"""Checks that a policy sets aside for a while: each entry has an owner, a reason and a last day, and all are shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from seatrial.evidence.outcome import Outcome, Role
from seatrial.gate import cause as reasons
from seatrial.gate.cause import Cause
from seatrial.gate.evidence import GateCase
from seatrial.gate.merging import Evidence
from seatrial.gate.pattern import compiled
from seatrial.gate.policy import Exemption, Policy


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """What the entries in force set aside, and what is to be said of every entry."""

    keys: frozenset[str]
    causes: tuple[Cause, ...]

    def without(self, evidence: Evidence) -> Evidence:
        """The evidence as it is judged: without what is set aside."""
        if not self.keys:
            return evidence
        return replace(
            evidence,
            cases={key: case for key, case in evidence.cases.items() if key not in self.keys},
            expected={key: case for key, case in evidence.expected.items() if key not in self.keys},
        )


def quarantine(evidence: Evidence, policy: Policy, now: dt.datetime) -> SetAside:
    """Quarantined cases that did not pass. After its last day an entry sets nothing aside, and holds where it would."""
    keys: set[str] = set()
    causes: list[Cause] = []
    for entry in policy.quarantine:
        found = [case for case in _cases(evidence) if matches(entry, case)]
        unsound = [case for case in found if not sound(case)]
        if in_force(entry, now):
            keys.update(case.key for case in unsound)
        causes += _told(entry, found, unsound, now)
    return SetAside(keys=frozenset(keys), causes=tuple(causes))


def waived(evidence: Evidence, policy: Policy, now: dt.datetime) -> SetAside:
    """Cases under test that failed or could not decide, and that a waiver in force covers; an error is never waived."""
    never = [compiled(glob) for glob in policy.waivable.never]
    keys: set[str] = set()
    causes: list[Cause] = []
    for entry in policy.waivers:
        found = [case for case in evidence.cases.values() if _waivable(case) and matches(entry, case)]
        forbidden = [case for case in found if any(wanted(case.check) or wanted(case.key) for wanted in never)]
        allowed = [case for case in found if case not in forbidden]
        words = _words(entry)
        if forbidden:
            sentence = f"a waiver is for {_count(forbidden)} that none may waive ({words})"
            causes.append(reasons.WAIVER_FORBIDDEN.cause(sentence, forbidden))
        if not found:
            causes.append(reasons.WAIVER_UNUSED.cause(f"a waiver waives nothing in the evidence ({words})"))
        elif allowed and in_force(entry, now):
            keys.update(case.key for case in allowed)
            causes.append(reasons.WAIVED.cause(f"{_count(allowed)} waived ({words})", allowed))
        elif allowed:
            sentence = f"a waiver is over, and what it covers counts again ({words})"
            causes.append(reasons.WAIVER_EXPIRED.cause(sentence))
    return SetAside(keys=frozenset(keys), causes=tuple(causes))


def _waivable(case: GateCase) -> bool:
    return case.role is Role.SUBJECT and case.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE)


def in_force(entry: Exemption, now: dt.datetime) -> bool:
    """Whether its last day, in UTC, is not over."""
    return now.astimezone(dt.UTC).date() <= entry.expires


def matches(entry: Exemption, case: GateCase) -> bool:
    """Whether the entry is about the case: its glob is that of a check's id or of a case's key."""
    wanted = compiled(entry.match)
    return wanted(case.check) or wanted(case.key)


def sound(case: GateCase) -> bool:
    """Whether there is nothing about the case that would have to be set aside."""
    return (case.outcome is Outcome.PASS and not case.flaky) or (case.outcome is None and not case.applicable)


def _cases(evidence: Evidence) -> Iterable[GateCase]:
    return {**evidence.expected, **evidence.cases}.values()


def _told(entry: Exemption, found: list[GateCase], unsound: list[GateCase], now: dt.datetime) -> Iterator[Cause]:
    words = _words(entry)
    if not unsound:
        why = "what it covers passed" if found else "it covers nothing in the evidence"
        yield reasons.QUARANTINE_UNUSED.cause(f"a quarantine is not needed, {why} ({words})")
    elif in_force(entry, now):
        yield reasons.QUARANTINED.cause(f"{_count(unsound)} in quarantine did not pass ({words})", unsound)
    else:
        yield reasons.QUARANTINE_EXPIRED.cause(f"a quarantine is over, and what it covers counts again ({words})")


def _words(entry: Exemption) -> str:
    return f"{entry.match}, of {entry.owner}, until {entry.expires}: {entry.reason}"


def _count(cases: list[GateCase]) -> str:
    return "1 check" if len(cases) == 1 else f"{len(cases)} checks"
