"""What is asked of the evidence, and whether the evidence is about that: environment, release and age."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from seatrial.gate import cause as reasons
from seatrial.gate.calendar_file import CalendarLook
from seatrial.gate.cause import Cause
from seatrial.gate.change import Change
from seatrial.gate.merging import Evidence, Run
from seatrial.gate.policy import Policy
from seatrial.gate.precedent import Precedent

CLOCK_SKEW: Final = dt.timedelta(minutes=5)
"""Evidence from further in the future than this is not believed."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of the evidence. Empty strings leave it to the evidence itself.

    ``now`` is taken to the whole second, which is how the record keeps it. Raises ValueError for a time without a zone.
    """

    now: dt.datetime
    environment: str = ""
    release: str = ""
    digests: tuple[str, ...] = ()
    """Image digests, `sha256:...`; all of the release, in any order."""
    no_policy: str = ""
    """Why there is no policy for the environment of the evidence, where nobody named one."""
    change: Change = field(default_factory=Change)
    approvals: tuple[str, ...] = ()
    """The texts of the approvals that were given, as they are in their files."""
    precedents: tuple[Precedent, ...] = ()
    """Decisions about the release in the environments that must have promoted it before."""
    calendars: tuple[CalendarLook, ...] = ()
    """What the calendars that the policy names say of ``now``; one that is not among them cannot be relied on."""

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError(f"now: expected a time with its zone, seen {self.now.isoformat()}")
        object.__setattr__(self, "now", self.now.astimezone(dt.UTC).replace(microsecond=0))


def answers(evidence: Evidence, policy: Policy, question: Question) -> list[Cause]:
    """What keeps the evidence from being about what is asked."""
    causes = [reasons.NO_POLICY.cause(question.no_policy)] if question.no_policy else []
    causes += _environment(evidence, policy, question)
    causes += _release(evidence, policy, question)
    causes += _digests(evidence, policy, question)
    causes += _age(evidence, policy, question)
    return causes


def _environment(evidence: Evidence, policy: Policy, question: Question) -> Iterator[Cause]:
    if policy.environment and question.environment and policy.environment != question.environment:
        words = f"the policy is for {policy.environment}, the question about {question.environment}"
        yield reasons.OTHER_ENVIRONMENT.cause(words)
    if policy.evidence.identity == "required":
        silent = [run.name for run in evidence.runs if not run.get("environment")]
        if silent:
            words = f"{_list(silent)}: does not say which environment and release it is about"
            yield reasons.NO_IDENTITY.cause(words)
    found = evidence.facts("environment")
    asked = question.environment or policy.environment
    others = [name for name in found if name != asked] if asked else list(found[1:])
    if others:
        about = f"asked about {asked}, the evidence is about {_list(found)}" if asked else f"it is about {_list(found)}"
        yield reasons.OTHER_ENVIRONMENT.cause(about)


def _release(evidence: Evidence, policy: Policy, question: Question) -> Iterator[Cause]:
    own = [run for run in evidence.runs if not run.foreign]
    wanted = evidence.facts("release-wanted")
    target = question.release or (wanted[0] if wanted else "")
    strict = policy.evidence.release == "same"
    if not own or not (strict or question.release):
        return
    if not target:
        words = "no release was asked for, so it is not known what was verified: give --release"
        yield reasons.NO_RELEASE.cause(words)
        return
    others = [version for version in wanted if version != target]
    if others:
        words = f"the evidence is about another release: asked for {target}, the run was to verify {_list(others)}"
        yield reasons.OTHER_RELEASE.cause(words)
    seen = [version.strip() for run in own for version in run.get("release-seen").split(",")]
    running = [version for version in dict.fromkeys(seen) if version and version != target]
    if running:
        words = f"the evidence is about another release: asked for {target}, seen running {_list(running)}"
        yield reasons.OTHER_RELEASE.cause(words)
    unseen = [run.name for run in own if not run.get("release-seen")]
    if unseen:
        yield reasons.NO_RELEASE.cause(f"{_list(unseen)}: did not see which release is running; asked for {target}")


def _digests(evidence: Evidence, policy: Policy, question: Question) -> Iterator[Cause]:
    own = [run for run in evidence.runs if not run.foreign]
    if not own or not (policy.evidence.digests == "same" or question.digests):
        return
    told = {run.name: _digests_of(run) for run in own}
    silent = [name for name, digests in told.items() if not digests]
    if silent:
        yield reasons.NO_DIGESTS.cause(f"{_list(silent)}: does not say which image digests it was to verify")
    said = [digests for digests in told.values() if digests]
    wanted = frozenset(question.digests) or next(iter(said), frozenset())
    for name, digests in told.items():
        if digests and digests != wanted:
            parts = [
                f"{words} {_list(_short(digest) for digest in sorted(those))}"
                for words, those in (("not of", wanted - digests), ("of others:", digests - wanted))
                if those
            ]
            asked = "asked" if question.digests else "another run"
            yield reasons.OTHER_DIGESTS.cause(f"run {name} is {', and '.join(parts)}; {asked} about {len(wanted)}")


def _digests_of(run: Run) -> frozenset[str]:
    return frozenset(filter(None, (digest.strip() for digest in run.get("digests").split(","))))


def _short(digest: str) -> str:
    return digest[:19]


def _age(evidence: Evidence, policy: Policy, question: Question) -> Iterator[Cause]:
    allowed = policy.evidence.max_age_seconds
    for run in evidence.runs:
        moment = _moment(run, "finished") or _moment(run, "started")
        if moment is None:
            if allowed is not None:
                words = f"{run.name} does not say when it was; allowed is {policy.evidence.max_age} ago"
                yield reasons.NO_TIME.cause(words)
            continue
        age = question.now - moment
        if age < -CLOCK_SKEW:
            yield reasons.STALE.cause(f"{run.name} ends in the future, at {_utc(moment)}: a clock is wrong")
        elif allowed is not None and age.total_seconds() > allowed:
            words = f"{run.name} ended {_span(age)} ago, at {_utc(moment)}; allowed is {policy.evidence.max_age}"
            yield reasons.STALE.cause(f"the evidence is stale: {words}")


def _moment(run: Run, name: str) -> dt.datetime | None:
    """A time that the run tells. Ours have a zone; one without, as foreign reports have it, is read as UTC."""
    try:
        moment = dt.datetime.fromisoformat(run.get(name))
        if moment.tzinfo is None and not run.foreign:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _utc(moment: dt.datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _span(age: dt.timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def _list(names: Iterable[str], most: int = 5) -> str:
    known = list(dict.fromkeys(names))
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more


def track_of(runs: Iterable[Run]) -> str:
    """The tracks that the runs had under test."""
    return _list(run.get("track") for run in runs if run.get("track"))
