"""What a policy says that cannot be meant: rules that never fire, limits that never hold, demands that contradict.

Pure: of the policy, the checks that there are, the day, and, where it is given, the plan of a run. An error is a rule
that does not do what it says; a warning is one that may be meant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from seatrial.gate import lint_names, lint_times
from seatrial.gate.calendar_file import Ahead
from seatrial.gate.evidence import GateCase
from seatrial.gate.policy import SUITES, TRIGGERS, Policy

_SEVERITIES: Final = ("critical", "major", "minor")
_STRICT: Final = {"note": 0, "hold": 1, "rollback": 2}
_LONG: Final = 24 * 3600
"""Seconds after which evidence about production is old, whatever it is about."""


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One thing that is wrong, at its key."""

    key: str
    message: str
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a policy is held against."""

    checks: Mapping[str, str]
    """Suite of every check that ships, by id."""
    now: dt.datetime
    planned: tuple[GateCase, ...] | None = None
    """Cases under test that a run planned; None where no run is given."""
    calendars: Ahead = field(default_factory=dict)
    """What the calendars of the policy hold in the time that is looked at."""


def findings(policy: Policy, known: Known) -> list[Finding]:
    """Everything that is wrong, errors first, each in the order of its key."""
    found = [
        *_identity(policy),
        *_required(policy, known),
        *_budgets(policy, known),
        *_effects(policy),
        *_rollback(policy),
        *_people(policy),
        *(Finding(key=key, message=words, level=level) for key, words, level in lint_names.findings(policy, known)),
        *(
            Finding(key=key, message=words, level=level)
            for key, words, level in lint_times.findings(policy, known.now, known.calendars)
        ),
    ]
    return sorted(set(found), key=lambda finding: (finding.level, finding.key, finding.message))


def for_production(policy: Policy) -> bool:
    """Whether it is about an environment that users are in."""
    return (policy.environment or policy.name).startswith("prod")


def _identity(policy: Policy) -> Iterator[Finding]:
    evidence = policy.evidence
    if policy.environment and policy.name != policy.environment:
        words = (
            f"is {policy.environment} in a policy called {policy.name}: asked with --env={policy.name}, it always holds"
        )
        yield Finding(key="environment", message=words)
    if not policy.environment and policy.name != "base":
        yield Finding(key="environment", message="is not said, so evidence about any promotes", level="warning")
    if "foreign" in policy.required and evidence.identity == "required":
        words = "needs reports of others, which tell no identity, and evidence.identity = 'required' holds for them"
        yield Finding(key="required.foreign", message=words, level="warning")
    if evidence.digests == "same" and evidence.release == "any":
        words = "is 'any' beside evidence.digests = 'same': images are those of one release"
        yield Finding(key="evidence.release", message=words)
    if not for_production(policy):
        return
    for key, lax in (("identity", "optional"), ("release", "any")):
        if getattr(evidence, key) == lax:
            words = f"is '{lax}' for production: evidence about something else promotes"
            yield Finding(key=f"evidence.{key}", message=words)
    age = evidence.max_age_seconds
    if age is None or age > _LONG:
        yield Finding(key="evidence.max_age", message=f"is {evidence.max_age} for production: old evidence promotes")


def _required(policy: Policy, known: Known) -> Iterator[Finding]:
    if not policy.required:
        nothing = policy.evidence.expected == "required-suites"
        words = "requires no suite, so one check that passes promotes"
        if nothing:
            words = (
                "requires no suite, and evidence.expected = 'required-suites' asks for no planned check: one promotes"
            )
        strict = nothing or for_production(policy)
        yield Finding(key="required", message=words, level="error" if strict else "warning")
    for suite, rule in policy.required.items():
        ours = {check for check, of in known.checks.items() if of == suite}
        if ours and ours <= set(policy.dry_run):
            words = f"every check of {suite} is in dry_run and counts for nothing: {rule.minimum} can never be executed"
            yield Finding(key=f"required.{suite}", message=words)
        if known.planned is not None:
            most = _most(suite, policy, known.planned)
            if most < rule.minimum:
                words = f"is {rule.minimum}, and the run planned {most} that can count: it always holds"
                yield Finding(key=f"required.{suite}.minimum", message=words)


def _most(suite: str, policy: Policy, planned: Iterable[GateCase]) -> int:
    return sum(case.suite == suite and case.check not in policy.dry_run for case in planned)


def _budgets(policy: Policy, known: Known) -> Iterator[Finding]:
    budget = policy.budgets.inconclusive
    required = sum(rule.minimum for rule in policy.required.values())
    if budget and budget >= required:
        words = f"is {budget}, and checks required are {required}: all of them may be undecided"
        yield Finding(key="budgets.inconclusive", message=words)
    elif known.planned is not None and budget >= len(known.planned) > 0:
        words = f"is {budget}, and the run planned {len(known.planned)}: it never holds"
        yield Finding(key="budgets.inconclusive", message=words)
    elif budget and for_production(policy):
        words = f"is {budget} for production: what could not be decided promotes"
        yield Finding(key="budgets.inconclusive", message=words, level="warning")


def _effects(policy: Policy) -> Iterator[Finding]:
    for place, suite in (("effects", ""), *((f"effects.{suite}", suite) for suite in policy.suite_effects)):
        effects = {severity: policy.severity_effect(suite, severity) for severity in _SEVERITIES}
        if effects["critical"] == "note":
            words = "is note: a failure that makes the release unusable never holds"
            yield Finding(key=f"{place}.critical", message=words)
        for lesser, graver in (("minor", "major"), ("major", "critical")):
            if _STRICT[effects[lesser]] > _STRICT[effects[graver]]:
                words = f"is {effects[lesser]}, and {graver} {effects[graver]}: the lesser failure weighs more"
                yield Finding(key=f"{place}.{lesser}", message=words)


def _rollback(policy: Policy) -> Iterator[Finding]:
    called = [
        (suite, severity)
        for suite in SUITES
        for severity in _SEVERITIES
        if policy.severity_effect(suite, severity) == "rollback"
    ]
    if not called:
        if policy.rollback.requires:
            words = "says what a rollback takes, and no effect is rollback"
            yield Finding(key="rollback.requires", message=words)
        for trigger in policy.trigger_rules:
            words = "says what its rollbacks take, and no effect is rollback"
            yield Finding(key=f"rollback.{trigger}", message=words)
        return
    if not policy.triggers.rollback:
        words = f"is empty, and {len(called)} effects are rollback: nothing ever rolls back"
        yield Finding(key="triggers.rollback", message=words)
    elif not policy.rollback.requires:
        words = "is empty: it may be taken back to nothing"
        yield Finding(key="rollback.requires", message=words, level="warning")
    for trigger in policy.trigger_rules:
        if trigger not in policy.triggers.rollback:
            words = f"says what its rollbacks take, and triggers.rollback has no {trigger}"
            yield Finding(key=f"rollback.{trigger}", message=words)
    if set(policy.triggers.rollback) == {"other"}:
        words = f"is other alone: {', '.join(TRIGGERS)} are what a rollback is for"
        yield Finding(key="triggers.rollback", message=words, level="warning")


def _people(policy: Policy) -> Iterator[Finding]:
    approval = policy.approval
    listed = {identity.name for identity in approval.identities}
    if for_production(policy) and not approval.required:
        words = "is not asked for production: nobody agrees to a promotion"
        yield Finding(key="approval.required", message=words, level="warning")
    if listed and not approval.required:
        words = "says who may approve, and approval.required = false asks nobody"
        yield Finding(key="approval.identities", message=words)
    if approval.required and len(listed) < approval.minimum:
        lacking = approval.minimum - len(listed)
        words = (
            f"is {approval.minimum}, and people listed are {len(listed)}: it always holds; add {lacking} more as "
            "[[approval.identities]] with name and key, which `seatrial approve keygen FILE.pem --identity NAME` prints"
        )
        # Nobody at all is a policy that is not finished, and says so at every decision.
        yield Finding(key="approval.minimum", message=words, level="error" if listed else "warning")
    if len(listed) < len(approval.identities):
        yield Finding(key="approval.identities", message="lists somebody twice")
    if policy.environment in policy.promotion.after:
        words = f"has {policy.environment} itself, which can never have promoted before: it always holds"
        yield Finding(key="promotion.after", message=words)
