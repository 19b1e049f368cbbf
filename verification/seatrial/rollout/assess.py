"""What a watched rollout proves: pure functions of its story. Each is a check; its docstring is its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from seatrial.checks.check import Check, check
from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule, judge_errors, percent
from seatrial.judge.proportions import Counts
from seatrial.rollout.settling import settled
from seatrial.rollout.share import share_of, users_needed
from seatrial.rollout.story import Step, Story
from seatrial.rollout.switching import idle, sessions, switch_complete, way_back
from seatrial.rollout.traffic import Seen

CONFIDENCE: Final = 0.99

Assess = Callable[[Story, Objectives, float], Assessment]
"""A story, the objectives of the service, and the seconds for which both versions may answer, make an assessment."""


def _canary(strategy: str) -> bool:
    return strategy == "canary"


def _kept_apart(strategy: str) -> bool:
    """Whether users are given to one version: behind a rolling update each request may reach either."""
    return strategy != "rolling"


def _failed(seen: Sequence[Seen]) -> list[Seen]:
    return [one for one in seen if one.error]


def _kinds(failed: Sequence[Seen], where: str) -> list[Finding]:
    counted = Counter((one.kind, one.error) for one in failed)
    return [
        Finding(where=where, path=kind, expected="an answer", seen=f"{error}, {count} times")
        for (kind, error), count in counted.most_common()
    ]


@check("traffic/versions", suite="rollout", severity="major", per="service")
def versions(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """The public address answers with the stable version or the candidate, and with no other.

    Why: replicas of a third version are left over from another rollout, or one image tag means different images.

    Remedy: list the pods behind the service with their images; finish or take back the other rollout.
    """
    counted = Counter(one.version for one in story.seen if one.version)
    known = {story.stable, story.candidate}
    findings = [
        Finding(where="public", expected=f"{story.stable} or {story.candidate}", seen=f"{version}, {count} times")
        for version, count in counted.most_common()
        if version not in known
    ]
    told = ", ".join(f"{version} {count} times" for version, count in counted.most_common())
    return Assessment.of_findings(
        findings, held=f"users got {told}", broken="{count} other version(s) answered", n=counted.total()
    )


@check("canary/share", suite="rollout", severity="major", per="service", applies=_canary)
def canary_share(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """At each step the share of new users that the candidate gets is the one asked for.

    Why: a weight that is not applied makes the next hour of watching worthless; one that is applied twice, dangerous.

    Remedy: see the weights of the balancer or mesh, and whether it splits by client address: ours all have one.
    """
    findings, told = [], []
    for step in story.steps:
        begin, end = step.told if step.reached is None else step.reached, step.ended or story.ended
        share = share_of(story.between(begin, end), story.candidate)
        told.append(f"{step.weight:g} %: {share}")
        if step.reached is None and share.total < users_needed(step.weight):
            words = f"{step.weight:g} %: only {share.total} new users were seen, {users_needed(step.weight)} are needed"
            return Assessment.inconclusive(
                words, seen=str(share), n=share.total, remedy="watch longer, or probe faster"
            )
        if step.reached is None or not share.allows(step.weight):
            late = "" if step.reached is not None else f" within {end - step.told:.0f} s"
            findings.append(
                Finding(
                    where="public", path=f"step {step.weight:g} %", expected=f"{step.weight:g} %{late}", seen=str(share)
                )
            )
    n = sum(one.kind == "fresh" and bool(one.version) for one in story.seen)
    return Assessment.of_findings(
        findings,
        held=f"the share followed every step: {'; '.join(told)}",
        broken="the share of traffic is not the one asked for at {count} step(s)",
        n=n if story.steps else 0,
    )


def _worst(story: Story, found: Sequence[tuple[Step, Assessment | None]], what: str) -> Assessment:
    if story.strategy == "rolling" and not story.compared:
        return Assessment.not_applicable("the new pods have no address of their own at which to compare them")
    known = [(step, one) for step, one in found if one is not None]
    if not known:
        return Assessment.inconclusive(
            f"{what} of the candidate was not judged at any step", n=0, remedy="reach a step while it is watched"
        )
    step, worst = max(known, key=lambda pair: pair[1].outcome.rank)
    told = "; ".join(f"{one.weight:g} %: {found.outcome.value}" for one, found in known)
    if worst.outcome is Outcome.PASS and len(known) < len(story.steps):
        return Assessment.inconclusive(f"{what} was judged at {len(known)} of {len(story.steps)} steps ({told})", n=0)
    message = f"at {step.weight:g} % of the traffic: {worst.message} (steps: {told})"
    return Assessment(
        outcome=worst.outcome,
        message=message,
        seen=worst.seen,
        limit=worst.limit,
        interval=worst.interval,
        n=worst.n,
        unit=worst.unit,
        remedy=worst.remedy,
        findings=worst.findings,
    )


@check("rollout/error-rate", suite="rollout", severity="critical", trigger="error-rate", per="service")
def error_rate(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """At each step the candidate fails no more often than the objective allows, nor clearly more than stable.

    Why: a canary is there to be judged while few users meet it; looks at it are as many as one likes, and none counts
    twice.

    Remedy: the findings count failures by class; samples of each step are in the run's folder.
    """
    return _worst(story, [(step, step.errors) for step in story.steps if not step.abort], "the error rate")


@check("rollout/latency", suite="rollout", severity="critical", trigger="latency", per="service")
def latency(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """At each step the candidate answers as fast as stable within the margin.

    Why: some releases are slow only once users are on them.

    Remedy: compare both tracks request by request in the samples of the step.
    """
    return _worst(story, [(step, step.latency) for step in story.steps if not step.abort], "the latency")


@check("rollout/sticky", suite="rollout", severity="major", per="service", applies=_kept_apart)
def sticky(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """A user who has been moved to the candidate stays there, unless the release is taken back.

    Why: who is thrown from one version to the other loses what a conversation was about, and sees two behaviours.

    Remedy: make the balancer remember users by cookie or session, and split by that.
    """
    back = next((step.told for step in story.steps if step.abort), float("inf"))
    users: dict[int, list[Seen]] = {}
    for one in story.seen:
        if one.kind == "staying" and one.version and one.at < back:
            users.setdefault(one.user, []).append(one)
    if not users:
        return Assessment.not_applicable("nobody stayed: [rollout] probe_users is 0")
    findings = []
    for user, answers in sorted(users.items()):
        answers.sort(key=lambda one: one.at)
        moves = [
            later.at
            for earlier, later in pairwise(answers)
            if earlier.version == story.candidate and later.version != story.candidate
        ]
        if moves:
            findings.append(
                Finding(
                    where=f"user {user}",
                    expected=f"{story.candidate} once it was seen",
                    seen=f"taken back {len(moves)} times, first after {moves[0]:.0f} s",
                )
            )
    return Assessment.of_findings(
        findings,
        held=f"none of {len(users)} users was taken back and forth",
        broken="{count} user(s) were thrown between versions",
        n=len(users),
    )


@check("rollout/users", suite="rollout", severity="critical", trigger="error-rate", per="service")
def users_served(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """While the release is brought out, users' requests to the public address fail no more than the objective allows.

    Why: releases that work break at the moment of a switch: connections cut, replicas gone before others are ready.

    Remedy: the findings count what users got; drain connections, raise preStop and termination grace, see readiness.
    """
    failed = _failed(story.seen)
    counts = Counts(failed=len(failed), total=len(story.seen))
    verdict = judge_errors(counts, None, ErrorRule(objective=objectives.error_rate, confidence=CONFIDENCE))
    remedy = "look at the moments in traffic.ndjson" if failed else ""
    if verdict.verdict is Outcome.INCONCLUSIVE:
        remedy = f"watch for {verdict.needed} more requests" if verdict.needed else remedy
    return Assessment(
        outcome=verdict.verdict,
        message=f"public: {verdict.sentence}",
        seen=percent(counts.rate) if counts.total else "",
        limit=percent(objectives.error_rate),
        interval=f"{percent(verdict.lower)} to {percent(verdict.upper)}",
        n=counts.total,
        remedy=remedy,
        findings=_kinds(failed, "public"),
    )


@check("rollout/conversations", suite="rollout", severity="major", per="service")
def conversations(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """No answer that is being given when traffic moves is cut.

    Why: old replicas that end before their last answer does cut users off in the middle of a sentence, seldom enough to
    hide in any error rate.

    Remedy: drain: fail readiness first, then finish what is in flight within the termination grace period.
    """
    talks = [one for one in story.seen if one.kind == "talking"]
    if not talks:
        return Assessment.not_applicable("nobody talked: load is not allowed here, or [rollout] probe_users is 0")
    cut = [one for one in talks if one.status and one.error and not one.error.startswith("http-")]
    findings = [
        Finding(where=f"user {one.user}", path=f"at {one.at:.1f} s", expected="a whole answer", seen=one.error)
        for one in cut
    ]
    return Assessment.of_findings(
        findings, held=f"all of {len(talks)} answers were whole", broken="{count} answer(s) were cut", n=len(talks)
    )


@check("rollout/taken-back", suite="rollout", severity="critical", trigger="health", per="service")
def taken_back(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """Where the release is taken back, all users get stable again.

    Why: an abort that leaves a share of users on a bad release is none.

    Remedy: see the weights; scale the candidate to nothing.
    """
    step = next((one for one in story.steps if one.abort), None)
    if step is None:
        return Assessment.not_applicable("nothing was taken back")
    after = [
        one for one in story.between(step.reached or step.told, story.ended) if one.kind == "fresh" and one.version
    ]
    share = share_of(after, story.candidate)
    if step.reached is None:
        words = f"the abort is not complete: {share} of new users still get {story.candidate}"
        return Assessment.failed(words, seen=str(share), limit="none of them")
    took = step.reached - step.told
    return Assessment.passed(f"all {share.total} new users got {story.stable} after {took:.1f} s", n=share.total)


CHECKS: Final[tuple[Check, ...]] = (
    canary_share,
    idle,
    switch_complete,
    sessions,
    error_rate,
    latency,
    users_served,
    conversations,
    sticky,
    versions,
    way_back,
    taken_back,
    settled,
)
"""Every check of a watched rollout, in the order in which people ask."""
