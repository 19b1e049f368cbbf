"""Why a decision is what it is: the reasons that there are, and one of them applied to this evidence."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from seatrial.gate.evidence import STRICTNESS, GateCase
from seatrial.gate.policy import SUITES, Effect


class Kind(enum.StrEnum):
    """The four causes. Only a product failure can roll back."""

    PRODUCT = "product failure"
    ENVIRONMENT = "environment or tool error"
    EVIDENCE = "no evidence"
    POLICY = "policy violation"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A kind of cause, with a stable code that a pipeline may look for."""

    code: str
    kind: Kind
    meaning: str
    effect: Effect | None = "hold"
    """What it calls for; None where the policy says."""
    blocks: bool = False
    """Whether it also forbids a rollback: the evidence is not about this release, or cannot be believed."""

    def cause(
        self,
        sentence: str,
        cases: Iterable[GateCase] = (),
        *,
        effect: Effect | None = None,
        suites: Iterable[str] = (),
        commands: Iterable[str] = (),
    ) -> Cause:
        """A cause for this reason. ``effect`` is needed where the reason leaves it to the policy."""
        chosen = effect or self.effect
        assert chosen is not None
        telling = tuple(sorted(cases, key=_telling))
        return Cause(
            reason=self,
            effect=chosen,
            sentence=sentence,
            cases=telling,
            suites=tuple(suites),
            commands=tuple(commands),
        )


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One reason for the decision. ``effect`` is what it calls for; a `note` calls for nothing."""

    reason: Reason
    effect: Effect
    sentence: str
    cases: tuple[GateCase, ...] = ()
    suites: tuple[str, ...] = ()
    """Suites that would have to run for it to go away."""
    commands: tuple[str, ...] = ()
    """Commands that would answer it."""
    withheld: bool = False
    """Whether it called for a rollback that another cause forbids."""

    @property
    def kind(self) -> Kind:
        """Which of the four causes it is."""
        return self.reason.kind

    def held(self) -> Cause:
        """The same cause with its rollback turned into a hold."""
        if self.effect != "rollback":
            return self
        return replace(self, effect="hold", withheld=True, sentence=f"{self.sentence}, which is withheld")


def _telling(case: GateCase) -> tuple[int, int, str]:
    """The gravest cases first, then those of the suites that are cheap and telling."""
    suite = SUITES.index(case.suite) if case.suite in SUITES else len(SUITES)
    return -STRICTNESS[case.severity], suite, case.key


def _reason(code: str, kind: Kind, meaning: str, *, blocks: bool = False) -> Reason:
    return Reason(code=code, kind=kind, meaning=meaning, blocks=blocks)


NO_REPORT: Final = _reason("no-report", Kind.EVIDENCE, "There is no report, or no test case in it.")
UNREADABLE: Final = _reason(
    "unreadable-report", Kind.EVIDENCE, "A report is missing, truncated, malformed, or a link out of the folder."
)
UNTRUSTED: Final = _reason(
    "untrusted-report",
    Kind.EVIDENCE,
    "A report is hostile, written under another table of properties, or contradicts itself or another of its run.",
    blocks=True,
)
NO_IDENTITY: Final = _reason(
    "no-identity",
    Kind.POLICY,
    "A report does not say which environment it is about, and the policy wants to know.",
    blocks=True,
)
OTHER_ENVIRONMENT: Final = _reason(
    "other-environment",
    Kind.POLICY,
    "The evidence, the policy and the question are not about one and the same environment.",
    blocks=True,
)
NO_POLICY: Final = _reason(
    "no-policy", Kind.POLICY, "There is no policy for the environment that the evidence is about.", blocks=True
)
OTHER_RELEASE: Final = _reason(
    "other-release",
    Kind.POLICY,
    "The run was to verify another release than the one asked for, or another one was seen running.",
    blocks=True,
)
NO_RELEASE: Final = _reason(
    "no-release", Kind.EVIDENCE, "No release was asked for, or it was not seen which one is running."
)
OTHER_DIGESTS: Final = _reason(
    "other-digests",
    Kind.POLICY,
    "A run was to verify other image digests than those asked for, or than another run.",
    blocks=True,
)
NO_DIGESTS: Final = _reason(
    "no-digests", Kind.EVIDENCE, "A run does not say which image digests it was to verify, and they are wanted."
)
STALE: Final = _reason(
    "stale-evidence", Kind.POLICY, "The run ended longer ago than the policy allows, or in the future.", blocks=True
)
NO_TIME: Final = _reason("no-time", Kind.EVIDENCE, "A report does not say when its run was.", blocks=True)
UNFINISHED: Final = _reason("unfinished-run", Kind.EVIDENCE, "A run was killed or interrupted, or is still going on.")
NO_PLAN: Final = _reason("no-plan", Kind.EVIDENCE, "No report of a run says which checks were expected.")
UNPLANNED: Final = _reason(
    "unplanned-checks", Kind.EVIDENCE, "Checks of the policy's manifest were not even planned: somebody removed them."
)
MISSING: Final = _reason("missing-checks", Kind.EVIDENCE, "Planned checks were skipped or have no outcome.")
TOO_FEW: Final = _reason("too-few-checks", Kind.EVIDENCE, "A required suite executed fewer checks than required.")
NOTHING_PASSED: Final = _reason(
    "nothing-passed", Kind.EVIDENCE, "No check that counts has passed on the track under test."
)
ERRORS: Final = _reason("check-errors", Kind.ENVIRONMENT, "A check could not look, or crashed.")
INCONCLUSIVE: Final = Reason(
    code="inconclusive-checks",
    kind=Kind.EVIDENCE,
    effect=None,
    meaning="Checks looked and could not decide: `hold` above the budget of the policy, else `note`.",
)
FLAKY: Final = Reason(
    code="flaky-checks",
    kind=Kind.EVIDENCE,
    effect=None,
    meaning="Checks passed after an attempt that did not: `hold` above the budget of the policy, else `note`.",
)
FAILED: Final = Reason(
    code="failed-checks",
    kind=Kind.PRODUCT,
    effect=None,
    meaning="Checks failed: `rollback`, `hold` or `note`, as the policy says for their suite and severity.",
)
SHARED: Final = Reason(
    code="shared-failures",
    kind=Kind.ENVIRONMENT,
    effect=None,
    meaning=(
        "The stable track does not pass the same checks: rolling back cannot help. "
        "`hold`, or `note` where the policy notes."
    ),
)
CONTROL: Final = Reason(
    code="control-only",
    kind=Kind.ENVIRONMENT,
    effect="note",
    meaning="Checks did not pass on the stable track alone, which is not what is being judged.",
)
DRY_RUN: Final = Reason(
    code="dry-run", kind=Kind.PRODUCT, effect="note", meaning="Checks that the policy only tries out did not pass."
)
QUARANTINED: Final = Reason(
    code="quarantined",
    kind=Kind.PRODUCT,
    effect="note",
    meaning="Checks that the policy has in quarantine did not pass.",
)
QUARANTINE_EXPIRED: Final = _reason(
    "expired-quarantine",
    Kind.POLICY,
    "The last day of a quarantine is over, and what it covers still does not pass: it counts again.",
)
QUARANTINE_UNUSED: Final = Reason(
    code="unused-quarantine",
    kind=Kind.POLICY,
    effect="note",
    meaning="What a quarantine covers passed, or is not in the evidence: the entry can go.",
)
WAIVED: Final = Reason(
    code="waived", kind=Kind.PRODUCT, effect="note", meaning="Checks that failed or could not decide are waived."
)
WAIVER_EXPIRED: Final = _reason(
    "expired-waiver",
    Kind.POLICY,
    "The last day of a waiver is over, and what it covers still does not pass: it counts again.",
)
WAIVER_FORBIDDEN: Final = _reason(
    "forbidden-waiver", Kind.POLICY, "A waiver is for a check that the policy says none may waive: it counts."
)
WAIVER_UNUSED: Final = Reason(
    code="unused-waiver", kind=Kind.POLICY, effect="note", meaning="A waiver waives nothing in the evidence."
)
NO_CALENDAR: Final = _reason(
    "no-calendar",
    Kind.POLICY,
    "A calendar that says when nothing is promoted is not there, cannot be read, or has no event in it.",
)
FROZEN: Final = _reason("frozen", Kind.POLICY, "Nothing is promoted now: the policy has a freeze.")
FROZEN_WHOLE: Final = _reason(
    "frozen-whole", Kind.POLICY, "Nothing is promoted now, and nothing taken back either.", blocks=True
)
FOREIGN_SKIPPED: Final = Reason(
    code="foreign-skipped", kind=Kind.EVIDENCE, effect="note", meaning="Tests that are none of ours were skipped."
)
EXPECTED_FAILURES: Final = Reason(
    code="expected-failures",
    kind=Kind.PRODUCT,
    effect="note",
    meaning="Tests that are none of ours failed as they were expected to, or passed where the report says so.",
)
NO_WAY_BACK: Final = _reason(
    "no-way-back",
    Kind.POLICY,
    "A rollback is called for, and a check that proves that there is something to roll back to has not passed.",
)
UNCALIBRATED: Final = _reason(
    "uncalibrated",
    Kind.POLICY,
    "Failures of a trigger call for a rollback, and a check that its rollbacks rest on has not passed: they hold.",
)
NO_PROMOTION: Final = _reason(
    "no-promotion", Kind.POLICY, "An environment before this one has not promoted the same images, or took them back."
)
NO_APPROVAL: Final = _reason(
    "no-approval", Kind.POLICY, "Fewer people have approved than the policy asks for. Told where nothing else holds."
)
VOID_APPROVAL: Final = Reason(
    code="void-approval",
    kind=Kind.POLICY,
    effect=None,
    meaning=(
        "An approval does not count: changed, expired, of somebody who may not, or given for other evidence. "
        "`hold`, or `note` where others are enough."
    ),
)
NO_DEPLOYER: Final = _reason(
    "no-deployer", Kind.POLICY, "An approval is needed, and it is not known who deploys, who may not give it."
)

REASONS: Final = (
    *(FAILED, SHARED, NO_WAY_BACK, UNCALIBRATED, ERRORS),
    *(UNTRUSTED, UNREADABLE, NO_REPORT),
    *(NO_POLICY, NO_IDENTITY, OTHER_ENVIRONMENT, OTHER_RELEASE, NO_RELEASE),
    *(OTHER_DIGESTS, NO_DIGESTS, STALE, NO_TIME, FROZEN_WHOLE, NO_CALENDAR, FROZEN),
    *(UNFINISHED, NO_PLAN, UNPLANNED, MISSING, TOO_FEW, NOTHING_PASSED, INCONCLUSIVE, FLAKY),
    *(WAIVER_FORBIDDEN, WAIVER_EXPIRED, QUARANTINE_EXPIRED),
    *(NO_PROMOTION, VOID_APPROVAL, NO_APPROVAL, NO_DEPLOYER),
    *(CONTROL, DRY_RUN, WAIVED, WAIVER_UNUSED, QUARANTINED, QUARANTINE_UNUSED, EXPECTED_FAILURES, FOREIGN_SKIPPED),
)
"""All of them, in the order in which a reader wants to know."""
