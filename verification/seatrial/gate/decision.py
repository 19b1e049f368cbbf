"""The decision: a pure function of the evidence, the policy and the question. The clock is an input."""

from __future__ import annotations

import enum
import functools
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seatrial.evidence.outcome import Outcome, Role
from seatrial.gate import approval, chain, completeness, exemption, foreign, next_step, outcomes, question
from seatrial.gate.approval import Subject
from seatrial.gate.canonical import evidence_sha256
from seatrial.gate.cause import NO_WAY_BACK, REASONS, UNCALIBRATED, Cause
from seatrial.gate.evidence import GateCase, Reading
from seatrial.gate.merging import Evidence, merge
from seatrial.gate.policy import Policy
from seatrial.gate.promotion_rules import ActingRules
from seatrial.gate.question import Question


class Verdict(enum.StrEnum):
    """What the gate says. The exit codes are a contract; 1 is nobody's verdict."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"

    @property
    def exit_code(self) -> int:
        """0 promote, 10 hold, 20 rollback."""
        return EXIT_CODES[self.value]


EXIT_CODES: Final = {"promote": 0, "hold": 10, "rollback": 20}
_EFFECTS: Final = ("rollback", "hold", "note")


@dataclass(frozen=True, kw_only=True)
class SuiteCount:
    """Cases of one suite on the track under test."""

    expected: int = 0
    passed: int = 0
    flaky: int = 0
    """Passed after an attempt that did not."""
    inconclusive: int = 0
    error: int = 0
    fail: int = 0
    skipped: int = 0
    not_applicable: int = 0
    """Skipped since there was nothing that they could be about; not missing."""
    absent: int = 0
    """Planned, and not even skipped."""
    counted: int = 0
    """Executed, and counting towards the minimum that a policy requires."""

    @property
    def executed(self) -> int:
        """Cases that have an outcome."""
        return self.passed + self.flaky + self.inconclusive + self.error + self.fail


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Promote, hold or rollback, with everything that led there."""

    verdict: Verdict
    causes: tuple[Cause, ...]
    """What speaks against the release or the evidence, the gravest first; then what is only noted."""
    suites: Mapping[str, SuiteCount]
    missing: tuple[GateCase, ...]
    next: tuple[str, ...]
    """Commands that would bring what is missing or repeat what failed."""
    advice: tuple[str, ...]
    """What to do about what no command answers, in words."""
    runs: tuple[str, ...]
    environment: str
    release_wanted: str
    release_seen: str
    track: str
    phase: str
    files: Mapping[str, str]
    """SHA-256 of every report that was read."""
    digests: tuple[str, ...] = ()
    """Image digests that the runs were to verify."""
    environment_hashes: tuple[str, ...] = ()
    """SHA-256 of the environment files as the runs resolved them."""

    @functools.cached_property
    def evidence_sha256(self) -> str:
        """One hash over all of ``files``; they may be a hundred thousand, and many places name it."""
        return evidence_sha256(self.files)

    def of_effect(self, *effects: str) -> list[Cause]:
        """Causes that call for one of ``effects``."""
        return [cause for cause in self.causes if cause.effect in effects]


def decide(reading: Reading, policy: Policy, asked: Question) -> Decision:
    """Decide. Never raises for what the evidence says; no evidence holds.

    A rollback wants a failure whose effect is `rollback`, that stable does not share, in evidence that is about what
    was asked and can be believed, and a way back. What else is missing does not keep it: a bad release is bad.
    """
    evidence = foreign.assigned(merge(reading), policy)
    aside = exemption.quarantine(evidence, policy, asked.now)
    rest = aside.without(evidence)
    waived = exemption.waived(rest, policy, asked.now)
    judged = waived.without(rest)
    missing = completeness.missing_cases(judged, policy)
    causes = outcomes.with_way_back(
        [
            *outcomes.consequences(judged, policy),
            *aside.causes,
            *waived.causes,
            *question.answers(evidence, policy, asked),
            *_frozen(policy, asked),
            *completeness.unplanned(evidence, policy),
            *completeness.gaps(judged, policy, missing),
        ],
        evidence,
        policy,
    )
    subject = Subject(
        evidence=evidence_sha256(evidence.files),
        policy=policy.sha256(),
        environment=", ".join(evidence.facts("environment")) or asked.environment,
        release=", ".join(evidence.facts("release-wanted")) or asked.release,
        digests=evidence.digests,
    )
    causes += _permission(causes, subject, policy, asked)
    causes.sort(key=_gravity)
    effects = {cause.effect for cause in causes}
    verdict = Verdict.ROLLBACK if "rollback" in effects else Verdict.HOLD if "hold" in effects else Verdict.PROMOTE
    return Decision(
        verdict=verdict,
        causes=tuple(causes),
        suites=_suites(evidence, policy, judged.cases),
        missing=tuple(missing),
        next=(*_act(policy.acting, verdict), *next_step.commands(causes, evidence, asked)),
        advice=next_step.advice(causes, evidence, asked),
        runs=tuple(run.name for run in evidence.runs if not run.foreign),
        environment=subject.environment,
        release_wanted=subject.release,
        release_seen=", ".join(evidence.facts("release-seen")),
        track=question.track_of(evidence.runs),
        phase=", ".join(evidence.facts("phase")),
        files=evidence.files,
        digests=subject.digests,
        environment_hashes=evidence.facts("environment-hash"),
    )


def _frozen(policy: Policy, asked: Question) -> Iterator[Cause]:
    """Causes of the freezes that the question falls into; time zones are only loaded where there is one."""
    if policy.freeze:
        from seatrial.gate import freeze

        yield from freeze.answers(policy, asked.now, asked.calendars)


def _permission(causes: Sequence[Cause], subject: Subject, policy: Policy, asked: Question) -> list[Cause]:
    """What keeps a release from being promoted although it is good: the environments before, and people."""
    effects = {cause.effect for cause in causes}
    if "rollback" in effects:
        return []
    found = list(chain.answers(policy.promotion, subject, asked.precedents, asked.now))
    if not found and "hold" not in effects:
        # Nobody is asked to approve what would change before it can be promoted.
        found += approval.answers(policy.approval, subject, asked)
    return found


def _act(rules: ActingRules, verdict: Verdict) -> tuple[str, ...]:
    """The single command that the verdict calls for, where the policy has one."""
    words = {Verdict.PROMOTE: rules.promote, Verdict.ROLLBACK: rules.rollback, Verdict.HOLD: ()}[verdict]
    return (shlex.join(words),) if words else ()


def _gravity(cause: Cause) -> tuple[int, bool, int]:
    # Where a rollback is withheld, why it is comes before what called for it.
    forbids = cause.effect == "hold" and (cause.reason.blocks or cause.reason in (NO_WAY_BACK, UNCALIBRATED))
    return _EFFECTS.index(cause.effect), not forbids, REASONS.index(cause.reason)


def _suites(evidence: Evidence, policy: Policy, judged: Mapping[str, GateCase]) -> dict[str, SuiteCount]:
    tallies: dict[str, dict[str, int]] = {}
    for key in dict.fromkeys((*evidence.expected, *evidence.cases)):
        case = evidence.cases.get(key) or evidence.expected[key]
        if case.role is Role.CONTROL:
            continue
        tally = tallies.setdefault(case.suite or "unknown", {})
        for name in _columns(case, planned=key in evidence.expected):
            tally[name] = tally.get(name, 0) + 1
        if key in judged and completeness.counts(case, policy):
            tally["counted"] = tally.get("counted", 0) + 1
    for suite, count in evidence.passed.items():
        tally = tallies.setdefault(suite, {})
        for name in ("passed", "counted"):
            tally[name] = tally.get(name, 0) + count
    return {suite: SuiteCount(**tally) for suite, tally in sorted(tallies.items())}


def _columns(case: GateCase, *, planned: bool) -> Iterable[str]:
    if planned:
        yield "expected"
    if case.outcome is not None:
        passed = "flaky" if case.flaky else "passed"
        yield passed if case.outcome is Outcome.PASS else case.outcome.value
    else:
        yield "not_applicable" if not case.applicable else "skipped" if case.skipped else "absent"
