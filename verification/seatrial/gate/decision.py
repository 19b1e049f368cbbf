"""The decision: a pure function of what was read, the policy and the question. The clock is an input."""

from __future__ import annotations

import datetime as dt
import enum
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from seatrial.evidence.outcome import Outcome
from seatrial.evidence.properties import case_key
from seatrial.gate.evidence import GateCase, Reading, RunFacts, contradictions, merged
from seatrial.gate.policy import Policy

CLOCK_SKEW: Final = dt.timedelta(minutes=5)
"""Evidence from further in the future than this is not believed."""


class Verdict(enum.StrEnum):
    """What the gate says. The exit codes are a contract; 1 is nobody's verdict."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"

    @property
    def exit_code(self) -> int:
        """0 promote, 10 hold, 20 rollback."""
        return {"promote": 0, "hold": 10, "rollback": 20}[self.value]


class Kind(enum.StrEnum):
    """The four causes. Only a product failure can roll back."""

    PRODUCT = "product failure"
    ENVIRONMENT = "environment or tool error"
    EVIDENCE = "no evidence"
    POLICY = "policy violation"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One reason for the decision. ``effect`` is what it calls for; a ``note`` calls for nothing."""

    kind: Kind
    effect: str
    sentence: str
    cases: tuple[GateCase, ...] = ()
    blocks: bool = False
    """Whether it also forbids a rollback: the evidence is not about this release, or cannot be believed."""
    rerun: str | None = None
    """Suite that would bring what is missing; empty where that is the whole run, None where running again won't do."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of the evidence. Empty strings leave it to the evidence itself."""

    now: dt.datetime
    environment: str = ""
    release: str = ""


@dataclass(kw_only=True)
class SuiteCount:
    """Cases of one suite on the track under test."""

    expected: int = 0
    passed: int = 0
    inconclusive: int = 0
    error: int = 0
    fail: int = 0
    missing: int = 0

    @property
    def executed(self) -> int:
        """Cases that have an outcome."""
        return self.passed + self.inconclusive + self.error + self.fail


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Promote, hold or rollback, with everything that led there."""

    verdict: Verdict
    causes: tuple[Cause, ...]
    suites: Mapping[str, SuiteCount]
    missing: tuple[GateCase, ...]
    runs: tuple[str, ...]
    environment: str
    release_wanted: str
    release_seen: str
    track: str
    phase: str
    next: tuple[str, ...] = field(default=())

    def of_effect(self, *effects: str) -> list[Cause]:
        """Causes that call for one of ``effects``."""
        return [cause for cause in self.causes if cause.effect in effects]


def decide(reading: Reading, policy: Policy, question: Question) -> Decision:
    """Decide. Never raises for what the evidence says; no evidence holds."""
    cases = merged(reading.cases)
    # JUnit and Allure plan keys alone; where another report says more about a planned case, that counts.
    expected = merged(sorted(reading.expected, key=lambda case: not case.suite))
    missing = _missing(expected, cases, policy)
    causes = [
        *_trust(reading),
        *_identity(reading.runs, policy, question),
        *_age(reading.runs, policy, question),
        *_completeness(reading, missing),
        *_required(cases, policy),
        *_undecided(cases, policy),
        *_failures(cases, policy),
    ]
    causes = _possible(causes, cases, policy)
    if any(cause.effect == "rollback" for cause in causes):
        verdict = Verdict.ROLLBACK
    elif any(cause.effect == "hold" for cause in causes):
        verdict = Verdict.HOLD
    else:
        verdict = Verdict.PROMOTE
    facts = _Facts(reading.runs)
    return Decision(
        verdict=verdict,
        causes=tuple(causes),
        suites=_suites(expected, cases),
        missing=tuple(missing),
        runs=facts.all("run-id"),
        environment=", ".join(facts.all("environment")) or question.environment,
        release_wanted=", ".join(facts.all("release-wanted")) or question.release,
        release_seen=", ".join(facts.all("release-seen")),
        track=", ".join(facts.all("track")),
        phase=", ".join(facts.all("phase")),
        next=_next(causes, question.environment or ", ".join(facts.all("environment"))),
    )


class _Facts:
    """What the runs say, each distinct value once."""

    def __init__(self, runs: Sequence[RunFacts]) -> None:
        self.runs = runs

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for run in self.runs if (value := run.get(name))))


def _hold(
    kind: Kind, sentence: str, cases: Iterable[GateCase] = (), *, blocks: bool = False, rerun: str | None = None
) -> Cause:
    return Cause(kind=kind, effect="hold", sentence=sentence, cases=tuple(cases), blocks=blocks, rerun=rerun)


def _checks(count: int) -> str:
    return f"{count} check{'s' if count != 1 else ''}"


def _trust(reading: Reading) -> list[Cause]:
    causes = []
    for problem in [*reading.problems, *contradictions(reading.cases)]:
        trusted = "cannot be trusted" if problem.grave else "could not be read"
        causes.append(_hold(Kind.EVIDENCE, f"{problem.source} {trusted}: {problem.message}", blocks=problem.grave))
    if not reading.problems and all(case.outcome is None for case in reading.cases):
        causes.append(_hold(Kind.EVIDENCE, "there is no report with a single executed check in it", rerun=""))
    return causes


def _identity(runs: Sequence[RunFacts], policy: Policy, question: Question) -> list[Cause]:
    facts = _Facts(runs)
    causes = []
    environments, wanted, seen = facts.all("environment"), facts.all("release-wanted"), facts.all("release-seen")
    asked = question.environment or policy.environment
    if not environments:
        if policy.evidence.identity == "required":
            words = "the reports do not say which environment and release they are about"
            causes.append(_hold(Kind.POLICY, words, blocks=True))
        return causes
    if len(environments) > 1:
        words = f"the reports are about several environments: {', '.join(environments)}"
        causes.append(_hold(Kind.POLICY, words, blocks=True))
    elif asked and environments != (asked,):
        causes.append(_hold(Kind.POLICY, f"asked about {asked}, the evidence is about {environments[0]}", blocks=True))
    if policy.environment and question.environment and policy.environment != question.environment:
        words = f"the policy is for {policy.environment}, the question about {question.environment}"
        causes.append(_hold(Kind.POLICY, words, blocks=True))
    if policy.evidence.release == "any" and not question.release:
        return causes
    target = question.release or (wanted[0] if wanted else "")
    if not target:
        return [
            *causes,
            _hold(Kind.EVIDENCE, "no release was asked for, so it is not known what was verified: --release"),
        ]
    others = [version for version in wanted if version != target]
    if others:
        words = f"the evidence is about another release: asked for {target}, the run was to verify {', '.join(others)}"
        causes.append(_hold(Kind.POLICY, words, blocks=True))
    running = [version for value in seen for version in value.split(",") if version != target]
    if running:
        words = f"the evidence is about another release: asked for {target}, seen running {', '.join(running)}"
        causes.append(_hold(Kind.POLICY, words, blocks=True))
    elif not seen:
        causes.append(_hold(Kind.EVIDENCE, f"it was not seen which release runs; asked for was {target}"))
    return causes


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _age(runs: Sequence[RunFacts], policy: Policy, question: Question) -> list[Cause]:
    # A report that was written while the run went on has no end, another of the same run may.
    by_run: dict[str, list[dt.datetime]] = {}
    for run in runs:
        moments = [moment for name in ("finished", "started") if (moment := _moment(run.get(name)))]
        by_run.setdefault(run.get("run-id"), []).extend(moments)
    causes = []
    for name, moments in by_run.items():
        if not moments:
            if policy.evidence.identity == "required":
                causes.append(_hold(Kind.EVIDENCE, f"run {name or '(unnamed)'} does not say when it was", blocks=True))
            continue
        age = question.now - max(moments)
        if age < -CLOCK_SKEW:
            causes.append(_hold(Kind.EVIDENCE, f"run {name} says that it ends in the future", blocks=True))
        elif age.total_seconds() > policy.evidence.max_age_seconds:
            minutes = int(age.total_seconds() // 60)
            words = f"the evidence is stale: run {name} ended {minutes} min ago, allowed is {policy.evidence.max_age}"
            causes.append(_hold(Kind.POLICY, words, blocks=True, rerun=""))
    return causes


def _missing(expected: Mapping[str, GateCase], cases: Mapping[str, GateCase], policy: Policy) -> list[GateCase]:
    """Planned cases without an outcome; a skipped one carries its reason, and is missing too where no plan names it."""
    told = (cases.get(key) or expected[key] for key in dict.fromkeys([*expected, *cases]))
    return [
        case
        for case in told
        if case.outcome is None
        and not case.foreign
        and case.check not in policy.dry_run
        and _is_asked_for(case, policy)
    ]


def _is_asked_for(case: GateCase, policy: Policy) -> bool:
    # Where no report tells the suite of a missing case, it may be a required one.
    return policy.evidence.expected == "all" or not case.suite or case.suite in policy.required


def _suite_of(case: GateCase) -> str:
    return case.suite or case.check.partition("/")[0]


def _completeness(reading: Reading, missing: Sequence[GateCase]) -> list[Cause]:
    causes = []
    for run in reading.runs:
        if run.state == "running":
            words = f"run {run.get('run-id')} did not finish: it was killed, or still runs"
            causes.append(_hold(Kind.EVIDENCE, words, rerun=""))
        elif run.state == "interrupted":
            causes.append(_hold(Kind.EVIDENCE, f"run {run.get('run-id')} was interrupted", rerun=""))
    if missing:
        words = (
            "1 planned check has no outcome" if len(missing) == 1 else f"{len(missing)} planned checks have no outcome"
        )
        causes.append(_hold(Kind.EVIDENCE, words, missing))
    return causes


def _required(cases: Mapping[str, GateCase], policy: Policy) -> list[Cause]:
    causes = []
    for suite, rule in sorted(policy.required.items()):
        executed = sum(
            1 for case in cases.values() if case.suite == suite and case.role == "subject" and case.outcome is not None
        )
        if executed < rule.minimum:
            words = f"suite {suite}: expected at least {rule.minimum} executed, seen {executed}"
            causes.append(_hold(Kind.EVIDENCE, words, rerun=suite))
    return causes


def _undecided(cases: Mapping[str, GateCase], policy: Policy) -> list[Cause]:
    causes = []
    for outcome, kind, words, control_words, budget in (
        (Outcome.ERROR, Kind.ENVIRONMENT, "could not look", "could not look at the stable track", policy.budgets.error),
        (
            Outcome.INCONCLUSIVE,
            Kind.EVIDENCE,
            "looked and could not decide",
            "on the stable track could not decide",
            policy.budgets.inconclusive,
        ),
    ):
        undecided = [case for case in cases.values() if case.outcome is outcome and case.check not in policy.dry_run]
        found = tuple(case for case in undecided if case.role != "control")
        if found:
            effect, suffix = ("hold", "") if len(found) > budget else ("note", f"; {budget} tolerated")
            sentence = f"{_checks(len(found))} {words}{suffix}"
            causes.append(Cause(kind=kind, effect=effect, sentence=sentence, cases=found))
        # A control never decides; its outcome tells only whether a failure of the subject is shared.
        controls = tuple(case for case in undecided if case.role == "control")
        if controls:
            sentence = f"{_checks(len(controls))} {control_words}"
            causes.append(Cause(kind=kind, effect="note", sentence=sentence, cases=controls))
    return causes


def _failures(cases: Mapping[str, GateCase], policy: Policy) -> list[Cause]:
    failed = [case for case in cases.values() if case.outcome is Outcome.FAIL]
    failed_subjects = {(case.check, case.object) for case in failed if case.role != "control"}
    grouped: dict[tuple[str, Kind, str], list[GateCase]] = {}
    for case in failed:
        if case.check in policy.dry_run:
            group = ("note", Kind.PRODUCT, "failed in dry run")
        elif case.role == "control":
            if (case.check, case.object) in failed_subjects:
                continue
            group = ("note", Kind.PRODUCT, "failed on the stable track alone")
        elif _shared(case, cases):
            words = f"failed{_shared(case, cases)}: the environment is at fault, and rolling back cannot help"
            group = ("hold", Kind.ENVIRONMENT, words)
        else:
            effect = policy.effect(case.suite, case.severity)
            group = (effect, Kind.PRODUCT, f"failed: the policy says {effect}")
        grouped.setdefault(group, []).append(case)
    order = {"rollback": 0, "hold": 1, "note": 2}
    return [
        Cause(kind=kind, effect=effect, sentence=f"{_checks(len(found))} {words}", cases=tuple(found))
        for (effect, kind, words), found in sorted(grouped.items(), key=lambda entry: (order[entry[0][0]], entry[0][2]))
    ]


def _shared(case: GateCase, cases: Mapping[str, GateCase]) -> str:
    """How the stable track shares the failure, or nothing where it does not."""
    control = cases.get(case_key(case.check, case.object, "stable"))
    if control is None or control.role != "control":
        return ""
    if control.outcome is Outcome.FAIL:
        return " on the stable track too"
    return ", and the stable track could not be looked at" if control.outcome is Outcome.ERROR else ""


def _possible(causes: list[Cause], cases: Mapping[str, GateCase], policy: Policy) -> list[Cause]:
    """Turn rollbacks into holds where the evidence does not allow one, or there is nothing to roll back to."""
    if not any(cause.effect == "rollback" for cause in causes):
        return causes
    if any(cause.blocks for cause in causes):
        return [_held(cause, "; not rolled back, since the evidence does not bear it") for cause in causes]
    for check in policy.rollback.requires:
        found = [case for case in cases.values() if case.check == check and case.role == "subject"]
        if found and all(case.outcome is Outcome.PASS for case in found):
            continue
        words = f"a rollback cannot be counted on: {check} {'has no outcome' if not found else 'did not pass'}"
        held = [_held(cause, "; a rollback was called for") for cause in causes]
        worst = Outcome.worst(case.outcome for case in found if case.outcome)
        kind = {Outcome.FAIL: Kind.PRODUCT, Outcome.ERROR: Kind.ENVIRONMENT}.get(worst or Outcome.PASS, Kind.EVIDENCE)
        return [*held, _hold(kind, words, found)]
    return causes


def _held(cause: Cause, why: str) -> Cause:
    if cause.effect != "rollback":
        return cause
    return replace(cause, effect="hold", sentence=cause.sentence + why)


def _suites(expected: Mapping[str, GateCase], cases: Mapping[str, GateCase]) -> dict[str, SuiteCount]:
    counts: dict[str, SuiteCount] = {}
    for key in dict.fromkeys([*expected, *cases]):
        case = cases.get(key) or expected[key]
        if case.role == "control":
            continue
        count = counts.setdefault(_suite_of(case), SuiteCount())
        count.expected += key in expected
        name = {Outcome.PASS: "passed", None: "missing"}.get(case.outcome, str(case.outcome))
        setattr(count, name, getattr(count, name) + 1)
    return dict(sorted(counts.items()))


def _next(causes: Sequence[Cause], environment: str) -> tuple[str, ...]:
    """Commands that would produce what is missing or repeat what failed, the most telling first, at most five."""
    # The name comes from a report, and the command is there to be copied into a shell.
    pytest = f"pytest --env={shlex.quote(environment) if environment else 'NAME'}"
    commands: dict[str, None] = {}
    for cause in causes:
        if cause.effect == "note":
            continue
        if cause.rerun is not None:
            commands.setdefault(f"{pytest} -m {shlex.quote(cause.rerun)}" if cause.rerun else pytest)
        for case in cause.cases:
            if case.reproduce:
                commands.setdefault(case.reproduce)
            elif not case.foreign:
                commands.setdefault(f"{pytest} -m {shlex.quote(case.suite)}" if case.suite else pytest)
    if pytest in commands:
        # The whole run brings what its suites would.
        commands = {command: None for command in commands if not command.startswith(f"{pytest} -m ")}
    return tuple(commands)[:5]
