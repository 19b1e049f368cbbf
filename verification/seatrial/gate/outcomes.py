"""What follows from the outcomes: failures by severity, failures that stable shares, errors, and what is only noted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from seatrial.evidence.outcome import Outcome, Role
from seatrial.gate import cause as reasons
from seatrial.gate.cause import Cause
from seatrial.gate.evidence import GateCase
from seatrial.gate.merging import Evidence
from seatrial.gate.policy import Effect, Policy

_EFFECTS: tuple[Effect, ...] = ("rollback", "hold", "note")


def consequences(evidence: Evidence, policy: Policy) -> list[Cause]:
    """What the outcomes call for, the gravest first."""
    cases = list(evidence.cases.values())
    dry = [case for case in cases if case.check in policy.dry_run]
    judged = [case for case in cases if case.check not in policy.dry_run]
    subjects = [case for case in judged if case.role is Role.SUBJECT]
    unsound = _unsound_controls(judged)
    return [
        *_failures(subjects, unsound, policy),
        *_uncalibrated(subjects, unsound, policy),
        *_errors(subjects),
        *_inconclusive(subjects, policy),
        *_flaky(subjects, policy),
        *_controls(judged, subjects),
        *_dry_run(dry),
        *_foreign_skipped(cases),
        *_expected_failures(cases),
    ]


def with_way_back(causes: Sequence[Cause], evidence: Evidence, policy: Policy) -> list[Cause]:
    """The causes, with rollbacks turned into holds where the evidence does not bear one or there is no way back."""
    if not any(cause.effect == "rollback" for cause in causes):
        return list(causes)
    if any(cause.reason.blocks for cause in causes):
        return [cause.held() for cause in causes]
    lacking = list(_no_way_back(evidence.cases, policy))
    return [*(cause.held() for cause in causes), *lacking] if lacking else list(causes)


def _no_way_back(cases: Mapping[str, GateCase], policy: Policy) -> Iterator[Cause]:
    for check in policy.rollback.requires:
        found = [case for case in cases.values() if case.check == check and case.role is Role.SUBJECT]
        bad = [case for case in found if case.outcome is not Outcome.PASS]
        if not found or bad:
            words = "was not executed" if not found else "did not pass"
            yield reasons.NO_WAY_BACK.cause(f"a rollback cannot be counted on: {check} {words}", bad)


def _unsound_controls(cases: Iterable[GateCase]) -> set[tuple[str, str]]:
    """Check and object of every control that failed or could not look."""
    return {
        (case.check, case.object)
        for case in cases
        if case.role is Role.CONTROL and case.outcome in (Outcome.FAIL, Outcome.ERROR)
    }


def _failures(subjects: Sequence[GateCase], unsound: set[tuple[str, str]], policy: Policy) -> Iterator[Cause]:
    failed = [case for case in subjects if case.outcome is Outcome.FAIL]
    shared = [case for case in failed if (case.check, case.object) in unsound]
    own = [case for case in failed if (case.check, case.object) not in unsound]

    def effect_of(case: GateCase) -> Effect:
        return policy.effect(case.suite, case.severity, case.trigger)

    withheld = [case for case in own if _calls_for_rollback(case, policy) and _lacking(case, subjects, policy)]
    if withheld:
        words = f"{_count(withheld)} failed: the policy says rollback"
        yield reasons.FAILED.cause(words, withheld, effect="rollback").held()
    for effect, found in _by_effect([case for case in own if case not in withheld], effect_of):
        yield reasons.FAILED.cause(f"{_count(found)} failed: the policy says {effect}", found, effect=effect)
    # Taking a release back cannot mend what is broken without it.
    for effect, found in _by_effect(shared, lambda case: "note" if effect_of(case) == "note" else "hold"):
        words = f"{_count(found)} failed, and the stable track does not pass the same: rolling back cannot help"
        yield reasons.SHARED.cause(words, found, effect=effect)


def _calls_for_rollback(case: GateCase, policy: Policy) -> bool:
    return policy.effect(case.suite, case.severity, case.trigger) == "rollback"


def _lacking(case: GateCase, subjects: Iterable[GateCase], policy: Policy) -> dict[str, list[GateCase]]:
    """The checks that rollbacks by this case's trigger rest on and that have not passed, each with its cases."""
    rules = policy.trigger_rules.get(case.trigger)
    lacking = {}
    for check in () if rules is None else rules.requires:
        found = [other for other in subjects if other.check == check]
        if check.partition("/")[0] == case.check.partition("/")[0]:
            # What was calibrated is one service; it says nothing of another.
            found = [other for other in found if other.object == case.object]
        bad = [other for other in found if other.outcome is not Outcome.PASS]
        if bad or not found:
            lacking[check] = bad
    return lacking


def _uncalibrated(subjects: Sequence[GateCase], unsound: set[tuple[str, str]], policy: Policy) -> Iterator[Cause]:
    lacking: dict[tuple[str, str], dict[str, GateCase]] = {}
    for case in subjects:
        failed = case.outcome is Outcome.FAIL and (case.check, case.object) not in unsound
        if failed and _calls_for_rollback(case, policy):
            for check, bad in _lacking(case, subjects, policy).items():
                lacking.setdefault((case.trigger, check), {}).update({other.key: other for other in bad})
    for (trigger, check), found in lacking.items():
        words = "did not pass" if found else "was not executed"
        sentence = f"failures of the trigger {trigger} do not roll back: {check} {words}"
        yield reasons.UNCALIBRATED.cause(sentence, found.values())


def _by_effect(
    cases: Iterable[GateCase], effect_of: Callable[[GateCase], Effect]
) -> Iterator[tuple[Effect, list[GateCase]]]:
    grouped: dict[Effect, list[GateCase]] = {}
    for case in cases:
        grouped.setdefault(effect_of(case), []).append(case)
    for effect in _EFFECTS:
        if effect in grouped:
            yield effect, grouped[effect]


def _errors(subjects: Iterable[GateCase]) -> Iterator[Cause]:
    found = [case for case in subjects if case.outcome is Outcome.ERROR]
    if found:
        yield reasons.ERRORS.cause(f"{_count(found)} could not look", found)


def _inconclusive(subjects: Iterable[GateCase], policy: Policy) -> Iterator[Cause]:
    found = [case for case in subjects if case.outcome is Outcome.INCONCLUSIVE]
    budget = policy.budgets.inconclusive
    if found:
        effect: Effect = "hold" if len(found) > budget else "note"
        words = f"{_count(found)} looked and could not decide, {budget} tolerated"
        yield reasons.INCONCLUSIVE.cause(words, found, effect=effect)


def _flaky(subjects: Iterable[GateCase], policy: Policy) -> Iterator[Cause]:
    found = [case for case in subjects if case.flaky]
    budget = policy.budgets.flaky
    if found:
        effect: Effect = "hold" if len(found) > budget else "note"
        words = f"{_count(found)} passed after an attempt that did not, {budget} tolerated"
        yield reasons.FLAKY.cause(words, found, effect=effect)


def _controls(judged: Iterable[GateCase], subjects: Iterable[GateCase]) -> Iterator[Cause]:
    known = {(case.check, case.object) for case in subjects if case.outcome in (Outcome.FAIL, Outcome.ERROR)}
    found = [
        case
        for case in judged
        if case.role is Role.CONTROL
        and case.outcome not in (Outcome.PASS, None)
        and (case.check, case.object) not in known
    ]
    if found:
        yield reasons.CONTROL.cause(f"{_count(found)} did not pass on the stable track alone", found)


def _dry_run(dry: Iterable[GateCase]) -> Iterator[Cause]:
    found = [case for case in dry if case.outcome is not Outcome.PASS]
    if found:
        yield reasons.DRY_RUN.cause(f"{_count(found)} did not pass, in dry run", found)


def _foreign_skipped(cases: Iterable[GateCase]) -> Iterator[Cause]:
    found = [case for case in cases if case.foreign and case.outcome is None and not case.expected_failure]
    if found:
        yield reasons.FOREIGN_SKIPPED.cause(f"{_count(found, 'foreign test')} skipped", found)


def _expected_failures(cases: Iterable[GateCase]) -> Iterator[Cause]:
    found = [case for case in cases if case.foreign and case.expected_failure]
    if found:
        passed = sum(case.outcome is Outcome.PASS for case in found)
        words = f"{_count(found, 'foreign test')} expected to fail" + (
            f", and {passed} of them passed" if passed else ""
        )
        yield reasons.EXPECTED_FAILURES.cause(words, found)


def _count(cases: Sequence[GateCase], noun: str = "check") -> str:
    return f"{len(cases)} {noun}{'' if len(cases) == 1 else 's'}"
