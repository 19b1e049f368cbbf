"""The policy: which evidence a promotion needs, and what follows from each outcome. `policy_file` reads it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from seatrial.gate.promotion_rules import ActingRules, ApprovalRules, AuditRules, PromotionRules
from seatrial.gate.section import AGE, Section, seconds

Effect = Literal["rollback", "hold", "note"]
TRIGGERS: Final = ("health", "error-rate", "latency")
"""Triggers of which a policy may say what a rollback takes."""
ROLLING_BACK: Final = (*TRIGGERS, "other")
"""What may roll back; `other` stands for checks that feed no trigger."""

Glob = Annotated[str, Meta(min_length=1, max_length=300)]

SUITES: Final = ("smoke", "synthetic", "config", "latency", "rollout", "recovery", "compliance", "foreign")
"""Suites that a policy may name; `foreign` holds the cases of reports that are none of ours."""

ANY_AGE: Final = "any"
_DAY: Final = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"


class Required(Section, frozen=True):
    """`[required.SUITE]`: what a required suite must bring."""

    minimum: Annotated[int, Meta(ge=1, description="executed checks on the track under test")] = 1


class EvidenceRules(Section, frozen=True):
    """`[evidence]`: when evidence counts."""

    identity: Annotated[
        Literal["required", "optional"],
        Meta(description="whether every report must say which environment, release and time it is about"),
    ] = "required"
    max_age: Annotated[str, Meta(pattern=AGE, description="from the end of the run to the decision, or `any`")] = "4h"
    release: Annotated[
        Literal["same", "any"],
        Meta(description="whether a release must have been asked for, and be the one seen running"),
    ] = "same"
    digests: Annotated[
        Literal["same", "any"],
        Meta(description="whether every run must say which image digests it was to verify, and all the same"),
    ] = "any"
    expected: Annotated[
        Literal["all", "required-suites"],
        Meta(description="which of the planned checks must have an outcome"),
    ] = "all"

    @property
    def max_age_seconds(self) -> int | None:
        """``max_age`` in seconds; None where any age will do."""
        return seconds(self.max_age)


class Effects(Section, frozen=True):
    """`[effects]`: what follows from a failed check. `[effects.SUITE]` says otherwise for a suite, key by key."""

    critical: Annotated[
        Effect | None, Meta(description="a failure without which the release cannot be used; `rollback` where unsaid")
    ] = None
    major: Annotated[
        Effect | None, Meta(description="one that must be mended before promotion; `hold` where unsaid")
    ] = None
    minor: Annotated[Effect | None, Meta(description="one that people should know of; `note` where unsaid")] = None


DEFAULT_EFFECTS: Final[dict[str, Effect]] = {"critical": "rollback", "major": "hold", "minor": "note"}
"""Where no policy says otherwise: what breaks users is taken back, what does not is not promoted."""


class Triggers(Section, frozen=True):
    """`[triggers]`: which triggers may roll back at all."""

    rollback: Annotated[
        tuple[Literal["health", "error-rate", "latency", "other"], ...],
        Meta(description="where a failed check feeds none of these, `rollback` is `hold`; `other` feeds no trigger"),
    ] = ROLLING_BACK


class Budgets(Section, frozen=True):
    """`[budgets]`: how much that decides nothing is tolerated. There is none for errors: an error always holds."""

    inconclusive: Annotated[int, Meta(ge=0, description="inconclusive checks on the track under test")] = 0
    flaky: Annotated[
        int, Meta(ge=0, description="checks on the track under test that passed after an attempt that did not")
    ] = 0


class RollbackRules(Section, frozen=True):
    """`[rollback]`: what must hold for a rollback to be possible."""

    requires: Annotated[tuple[str, ...], Meta(description="ids of checks that must have passed")] = ()


class TriggerRules(Section, frozen=True):
    """`[rollback.TRIGGER]`: what must hold for failures of that trigger to roll back; else they hold. Triggers are
    `health`, `error-rate` and `latency`.
    """

    requires: Annotated[
        tuple[str, ...],
        Meta(description="ids of checks that must have passed: of the same suite on the same object, of others all"),
    ] = ()


class Manifest(Section, frozen=True):
    """`[manifest]`: which checks there must be, whatever the run planned, so that one that was deleted is noticed."""

    expected: Annotated[
        tuple[Glob, ...],
        Meta(description="ids of checks or keys of cases, with `*` and `?`; each must have been planned at least once"),
    ] = ()


class Waivable(Section, frozen=True):
    """`[waivable]`: which waivers a policy may hold."""

    never: Annotated[
        tuple[Glob, ...], Meta(description="ids of checks or keys of cases, with `*` and `?`, that none may waive")
    ] = ()


class Exemption(Section, frozen=True):
    """An entry that sets checks aside for a while. Without an owner, a reason and a last day there is none."""

    match: Annotated[Glob, Meta(description="id of a check or key of a case; `*` is any text, `?` one character")]
    owner: Annotated[str, Meta(min_length=1, description="who sees to it that the entry can go")]
    reason: Annotated[str, Meta(min_length=1, description="why, and where it is followed up")]
    expires: Annotated[dt.date, Meta(description="the last day, in UTC, that it holds: `2026-12-01`")]


class Quarantine(Exemption, frozen=True):
    """`[[quarantine]]`: checks known to be unreliable. What of them does not pass is noted, and decides nothing.

    It cannot count as executed, and proves no way back. After the last day it counts again, and the entry holds.
    """


class Waiver(Exemption, frozen=True):
    """`[[waivers]]`: failures that somebody answers for. A failed or undecided check that is waived is noted.

    It cannot count as executed, and proves no way back. An error and what is missing are never waived. After the last
    day the failure counts again, and the entry holds.
    """


class Foreign(Section, frozen=True):
    """`[[foreign]]`: which tests that are none of ours count to which suite; the first entry that fits.

    A test can satisfy a required suite so, and roll back where it is critical. It never stands for a check of ours.
    """

    match: Annotated[Glob, Meta(description="`classname::name` of a test, or its file; `*` is any text, `/` too")] = "*"
    report: Annotated[
        Glob, Meta(description="name of the report below the folder that is read, of Allure the folder with a `/`")
    ] = "*"
    suite: Annotated[
        Literal["smoke", "synthetic", "config", "latency", "rollout", "recovery", "compliance", "foreign"],
        Meta(description="suite that it counts to"),
    ] = "foreign"
    severity: Annotated[Literal["critical", "major", "minor"], Meta(description="what its failure weighs")] = "major"
    trigger: Annotated[
        Literal["health", "error-rate", "latency", ""], Meta(description="rollback trigger that it feeds")
    ] = ""


class Freeze(Section, frozen=True):
    """`[[freeze]]`: when nothing is promoted: `from` a time `until` another, weekly, or during events of a calendar.

    Policies add to the freezes of those that they extend, and cannot take one away.
    """

    reason: Annotated[str, Meta(min_length=1, description="why")]
    since: Annotated[dt.datetime | None, Meta(description="its begin: `2026-12-18T16:00:00Z`")] = msgspec.field(
        default=None, name="from"
    )
    until: Annotated[dt.datetime | None, Meta(description="its end")] = None
    weekly: Annotated[
        str,
        Meta(
            pattern=rf"^({_DAY} {_CLOCK} to {_DAY} {_CLOCK})?$",
            description="begin and end by the clocks of `zone`: `Fri 16:00 to Mon 06:00`",
        ),
    ] = ""
    calendar: Annotated[
        str,
        Meta(description="iCalendar file, from where the gate is run: nothing is promoted while an event in it lasts"),
    ] = ""
    zone: Annotated[str, Meta(description="IANA time zone, `Europe/Berlin`, of `weekly` and of times without one")] = ""
    allow_rollback: Annotated[bool, Meta(description="whether a release may be taken back meanwhile")] = True

    def contradictions(self) -> Iterator[str]:
        """None or several kinds of window, an end before its begin, or no such time zone."""
        # Time zones cost the start-up of every decision, and few policies freeze.
        from seatrial.gate import freeze

        return freeze.contradictions(self)


class Policy(Section, frozen=True):
    """How evidence about one environment becomes a decision."""

    name: str = ""
    environment: Annotated[str, Meta(description="environment that it is for; any where empty")] = ""
    evidence: EvidenceRules = EvidenceRules()
    required: dict[str, Required] = msgspec.field(default_factory=dict)
    effects: Effects = Effects()
    suite_effects: dict[str, Effects] = msgspec.field(default_factory=dict)
    budgets: Budgets = Budgets()
    triggers: Triggers = Triggers()
    rollback: RollbackRules = RollbackRules()
    approval: ApprovalRules = ApprovalRules()
    promotion: PromotionRules = PromotionRules()
    audit: AuditRules = AuditRules()
    acting: ActingRules = ActingRules()
    manifest: Manifest = Manifest()
    freeze: tuple[Freeze, ...] = ()
    waivable: Waivable = Waivable()
    waivers: tuple[Waiver, ...] = ()
    quarantine: tuple[Quarantine, ...] = ()
    foreign: tuple[Foreign, ...] = ()
    trigger_rules: dict[str, TriggerRules] = msgspec.field(default_factory=dict)
    dry_run: Annotated[tuple[str, ...], Meta(description="ids of checks that are shown and never decide")] = ()

    def effect(self, suite: str, severity: str, trigger: str = "other") -> Effect:
        """What a failure calls for, where a trigger that may not roll back holds."""
        effect = self.severity_effect(suite, severity)
        known = trigger if trigger in ROLLING_BACK else "other"
        return "hold" if effect == "rollback" and known not in self.triggers.rollback else effect

    def severity_effect(self, suite: str, severity: str) -> Effect:
        """What this severity calls for, whatever the trigger: of the suite, else in general, else the default."""
        special = self.suite_effects.get(suite, Effects())
        for effects in (special, self.effects):
            effect: Effect | None = getattr(effects, severity)
            if effect is not None:
                return effect
        return DEFAULT_EFFECTS[severity]

    def sha256(self) -> str:
        """Over the canonical JSON of the policy as it comes out of all files that it extends, whatever its name."""
        values = {key: value for key, value in msgspec.to_builtins(self).items() if key != "name"}
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
