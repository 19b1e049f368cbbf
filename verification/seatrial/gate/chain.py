"""The chain of promotions: an environment takes a release only after those before it took the same images."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator, Sequence

from seatrial.evidence.run import timestamp
from seatrial.gate import cause as reasons
from seatrial.gate.approval import Subject
from seatrial.gate.cause import Cause
from seatrial.gate.precedent import Precedent
from seatrial.gate.promotion_rules import PromotionRules
from seatrial.gate.question import CLOCK_SKEW
from seatrial.gate.section import seconds


def answers(
    rules: PromotionRules, subject: Subject, precedents: Sequence[Precedent], now: dt.datetime
) -> Iterator[Cause]:
    """What keeps the environments before this one from vouching for the release."""
    if rules.after and rules.same == "digests" and not subject.digests:
        words = "the image digests are not known, so no environment before can have promoted the same images"
        hint = "give them as [release] digests in the environment file, or say [promotion] same = 'release'"
        yield reasons.NO_PROMOTION.cause(f"{words}: {hint}")
        return
    for environment in rules.after:
        if problem := _of_environment(environment, rules, subject, precedents, now):
            words = f"{environment} does not vouch for {subject.release or 'the release'}: {problem}"
            yield reasons.NO_PROMOTION.cause(words, commands=_commands(environment, subject.release))


def _of_environment(
    environment: str, rules: PromotionRules, subject: Subject, precedents: Sequence[Precedent], now: dt.datetime
) -> str:
    """Why the environment does not vouch; empty where it does."""
    about = [p for p in precedents if p.environment == environment or p.problem]
    if not about:
        return "no decision of it is known; --promoted names its decision.json, or --audit a log that has it"
    newest = sorted(about, key=lambda p: p.decided, reverse=True)
    refused = [(p, _refusal(p, rules, subject, now)) for p in newest]
    accepted = [p for p, problem in refused if not problem]
    if not accepted:
        # A promotion that falls short tells more than a hold that nobody expected to count.
        first, problem = min(refused, key=lambda pair: pair[0].verdict != "promote")
        return f"{problem} ({first.source})"
    taken_back = [p for p in newest if _takes_back(p, subject) and p.decided >= accepted[0].decided]
    if taken_back:
        words = f"it was promoted at {accepted[0].decided}, and taken back at {taken_back[0].decided}"
        return f"{words} ({taken_back[0].source})"
    return ""


def _refusal(precedent: Precedent, rules: PromotionRules, subject: Subject, now: dt.datetime) -> str:
    """Why this decision does not count; empty where it does."""
    if precedent.problem:
        return precedent.problem
    if precedent.verdict != "promote":
        return f"it decided {precedent.verdict} at {precedent.decided}"
    if precedent.shadow:
        return "it was a decision in shadow, which only tries a policy out"
    if not subject.release or precedent.release != subject.release:
        return f"it promoted another release: {precedent.release or 'unknown'}, asked is {subject.release or 'unknown'}"
    if rules.same == "digests" and sorted(precedent.digests) != sorted(subject.digests):
        return f"it promoted other images: {_digests(precedent.digests)} there, {_digests(subject.digests)} here"
    return _age(precedent, rules, now)


def _age(precedent: Precedent, rules: PromotionRules, now: dt.datetime) -> str:
    try:
        decided = dt.datetime.fromisoformat(precedent.decided)
        age = now - decided
    except (TypeError, ValueError):
        return "it does not say when it was decided"
    if age < -CLOCK_SKEW:
        return f"it was decided in the future, at {precedent.decided}: a clock is wrong"
    allowed = seconds(rules.max_age)
    if allowed is not None and age.total_seconds() > allowed:
        return f"it was decided at {precedent.decided}, longer ago than {rules.max_age} at {timestamp(now)}"
    return ""


def _takes_back(precedent: Precedent, subject: Subject) -> bool:
    return precedent.verdict == "rollback" and not precedent.shadow and precedent.release == subject.release


def _digests(digests: Sequence[str]) -> str:
    return ", ".join(sorted(digests)) or "none are known"


def _commands(environment: str, release: str) -> tuple[str, ...]:
    asked = [f"--env={environment}", *([f"--release={release}"] if release and release.isprintable() else [])]
    return shlex.join(["pytest", *asked]), shlex.join(["seatrial", "gate", *asked])
