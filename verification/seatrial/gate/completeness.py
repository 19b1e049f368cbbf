"""Whether there is evidence enough: readable reports, finished runs, planned checks with outcomes, required suites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from seatrial.evidence.outcome import Outcome, Role
from seatrial.gate import cause as reasons
from seatrial.gate import foreign
from seatrial.gate.cause import Cause
from seatrial.gate.evidence import GateCase
from seatrial.gate.merging import Evidence
from seatrial.gate.pattern import compiled
from seatrial.gate.policy import Policy

_SHOWN: Final = 8


def gaps(evidence: Evidence, policy: Policy, missing: Sequence[GateCase]) -> list[Cause]:
    """What the evidence lacks; ``missing`` is from :func:`missing_cases`."""
    return [*_reports(evidence), *_runs(evidence), *_missing(missing), *_required(evidence, policy)]


def _reports(evidence: Evidence) -> Iterator[Cause]:
    for problem in dict.fromkeys(evidence.problems):
        reason = reasons.UNTRUSTED if problem.grave else reasons.UNREADABLE
        yield reason.cause(f"{problem.source}: {problem.message}")
    if not evidence.cases and not evidence.passed and not evidence.problems:
        yield reasons.NO_REPORT.cause("there is not a single test case in the reports")


def _runs(evidence: Evidence) -> Iterator[Cause]:
    for run in evidence.runs:
        if run.state == "running":
            yield reasons.UNFINISHED.cause(f"run {run.name} did not finish: it was killed, or is still going on")
        elif run.state == "interrupted":
            yield reasons.UNFINISHED.cause(f"run {run.name} was interrupted")
        if not run.planned and not run.foreign:
            yield reasons.NO_PLAN.cause(f"no report of run {run.name} says which checks were expected")


def missing_cases(evidence: Evidence, policy: Policy) -> list[GateCase]:
    """Planned cases without an outcome and skipped ones that no plan names, as far as the policy wants them."""
    wanted = [evidence.cases.get(key, plan) for key, plan in evidence.expected.items()]
    wanted += [case for key, case in evidence.cases.items() if key not in evidence.expected and not case.foreign]
    if policy.evidence.expected == "required-suites":
        # A case whose suite nobody knows may be of a required one.
        wanted = [case for case in wanted if not case.suite or case.suite in policy.required]
    return [case for case in wanted if case.outcome is None and case.applicable and case.check not in policy.dry_run]


def unplanned(evidence: Evidence, policy: Policy) -> Iterator[Cause]:
    """Globs of the policy's manifest that no planned case of the track under test, and no foreign test, answers to."""
    planned = [case for case in evidence.expected.values() if case.role is Role.SUBJECT]
    planned += [case for case in evidence.cases.values() if case.foreign]
    names = {name for case in planned for name in (case.check, case.key)}
    if policy.manifest.expected:
        names.update(foreign.names(evidence))
    lacking = [glob for glob in policy.manifest.expected if not any(map(compiled(glob), names))]
    if lacking:
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        count = "1 entry" if len(lacking) == 1 else f"{len(lacking)} entries"
        words = f"{count} of the manifest not planned by any run: {', '.join(lacking[:_SHOWN])}{more}"
        yield reasons.UNPLANNED.cause(words)


def _missing(missing: Sequence[GateCase]) -> Iterator[Cause]:
    if not missing:
        return
    skipped = sum(case.skipped for case in missing)
    count = "1 planned check has" if len(missing) == 1 else f"{len(missing)} planned checks have"
    words = f"{count} no outcome" + (f" ({skipped} skipped)" if skipped else "")
    suites = sorted({case.suite for case in missing if case.suite})
    yield reasons.MISSING.cause(words, missing, suites=suites if all(case.suite for case in missing) else ())


def _required(evidence: Evidence, policy: Policy) -> Iterator[Cause]:
    for suite, rule in sorted(policy.required.items()):
        executed = sum(case.suite == suite and counts(case, policy) for case in evidence.cases.values())
        executed += evidence.passed.get(suite, 0)
        if executed < rule.minimum:
            words = f"suite {suite} must have executed at least {_checks(rule.minimum)}, and executed {executed}"
            yield reasons.TOO_FEW.cause(words, suites=[suite])
    passed = (c for c in evidence.cases.values() if c.outcome is Outcome.PASS and counts(c, policy))
    if evidence.cases and not any(evidence.passed.values()) and next(passed, None) is None:
        yield reasons.NOTHING_PASSED.cause("not one check that counts has passed on the track under test")


def counts(case: GateCase, policy: Policy) -> bool:
    """Whether a case counts as an executed check.

    It has an outcome and is about the track under test. What is noted and never decides does not count: otherwise a
    failure could be what completes the evidence for a promotion.
    """
    if case.outcome is None or case.role is not Role.SUBJECT or case.check in policy.dry_run:
        return False
    if case.foreign and case.run:
        return False
    return case.outcome is not Outcome.FAIL or policy.effect(case.suite, case.severity) != "note"


def _checks(count: int) -> str:
    return "1 check" if count == 1 else f"{count} checks"
