"""What a rolling update proves, of the cluster's own objects: pure functions of a story. Each is a check.

The rules are those of the Deployment and StatefulSet controllers, looked at from outside: whoever deploys, and however.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from seatrial.checks.check import Check, check
from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import CannotLook, Outcome
from seatrial.judge.errors import ErrorRule, judge_errors
from seatrial.judge.proportions import Counts
from seatrial.rollout.replay import Batch, Moment, Rolled
from seatrial.rollout.share import share_of
from seatrial.rollout.story import Story

CERTAIN: Final = 0.001
"""Chance at which users would have missed ready pods by accident, below which it is none."""
MOST_SHOWN: Final = 10
_GUILTY: Final = frozenset({"image-pull", "crash-loop", "configuration", "gate", "unready"})
"""Troubles of pods that are the release's own; that nothing can be scheduled is not."""


def _rolling(strategy: str) -> bool:
    return strategy == "rolling"


def _rolled(story: Story) -> Rolled:
    """What the cluster showed. Raises CannotLook where it could not be followed."""
    if story.rolling_problem:
        raise CannotLook(f"the cluster could not be followed: {story.rolling_problem}")
    if story.rolled is None:
        raise CannotLook("the workload was not seen in the cluster")
    return story.rolled


def _unseen(rolled: Rolled) -> Assessment | None:
    if rolled.changed:
        return None
    words = f"no rollout of {rolled.workload.kind} {rolled.workload.name} was seen: its pods are of one revision"
    return Assessment.inconclusive(words, n=0, remedy="begin to watch before the release is deployed")


@check("rolling/progress", suite="rollout", severity="critical", trigger="health", per="service", applies=_rolling)
def progress(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """The rollout goes on until every replica is of the new revision, ready and available.

    Why: a rollout that is stuck serves two versions, and waits for somebody to notice.

    Remedy: the message names what the pods wait for; roll back, or mend the image, the configuration or the probe.
    """
    rolled = _rolled(story)
    if (unseen := _unseen(rolled)) is not None:
        return unseen
    workload, batches = rolled.workload, len(rolled.batches)
    done = f"{workload.updated} of {rolled.wanted_new} updated, {workload.available} of {workload.wanted} available"
    reasons = rolled.reasons()
    why = f": {reasons[0]}" if reasons else ""
    findings = [
        Finding(where=f"Pod {pod.name}", path=pod.trouble, expected="ready", seen=pod.words or "not ready")
        for pod in rolled.waiting()
    ]
    if workload.stuck:
        found = Assessment.failed(
            f"{workload.kind} {workload.name} exceeded its progress deadline{why} ({workload.stuck})",
            seen=done,
            limit=f"{rolled.wanted_new} of each",
            remedy="roll back; see the events and logs of these pods",
        )
        return _with(found, findings)
    if rolled.complete is not None:
        took = rolled.complete - (rolled.began or 0.0)
        kept = f", {workload.partition} kept back by the partition" if workload.partition else ""
        words = f"{workload.kind} {workload.name} was rolled out in {took:.1f} s, {batches} batch(es): {done}{kept}"
        return Assessment.passed(words, seen=done, limit=f"{rolled.wanted_new} of each", n=workload.wanted)
    if workload.paused:
        return Assessment.inconclusive(f"the rollout is paused: {done}", seen=done, n=0, remedy="resume it")
    words = f"{workload.kind} {workload.name} did not get to the end in {story.ended:.0f} s: {done}{why}"
    if any(pod.trouble in _GUILTY for pod in rolled.waiting()):
        return _with(Assessment.failed(words, seen=done, limit=f"{rolled.wanted_new} of each"), findings)
    return Assessment.inconclusive(words, seen=done, n=0, remedy="watch longer (--within, [rollout] step_within)")


def _with(found: Assessment, findings: list[Finding]) -> Assessment:
    return replace(found, findings=tuple(findings[:MOST_SHOWN]))


def _moments(
    rolled: Rolled,
    broken: Callable[[Moment], bool],
    *,
    expected: Callable[[Moment], str],
    seen: Callable[[Moment], str],
) -> list[Finding]:
    begin = rolled.began or 0.0
    # A change a moment before the workload's own: objects come by different ways, in no order among each other.
    bad = [one for one in rolled.moments if one.at >= begin - 1.0 and one.steady and broken(one)]
    return [
        Finding(where=f"at {one.at:.1f} s", path=one.cause, expected=expected(one), seen=seen(one))
        for one in bad[:MOST_SHOWN]
    ]


@check("rolling/available", suite="rollout", severity="major", per="service", applies=_rolling)
def available(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """At no moment are fewer pods available than `maxUnavailable` allows, nor more there than `maxSurge` does.

    Why: what is left carries all of the traffic.

    Remedy: see who deletes pods beside the controller, `minReadySeconds`, and probes that say ready too early.
    """
    rolled = _rolled(story)
    if (unseen := _unseen(rolled)) is not None:
        return unseen
    low = _moments(
        rolled,
        lambda one: one.available < one.floor,
        expected=lambda one: f"at least {one.floor} of {one.wanted} available",
        seen=lambda one: str(one.available),
    )
    many = _moments(
        rolled,
        lambda one: one.total > max(one.most, one.wanted),
        expected=lambda one: f"at most {one.most} pods",
        seen=lambda one: str(one.total),
    )
    least = min((one.available for one in rolled.moments if one.steady), default=0)
    floor = max((one.floor for one in rolled.moments), default=0)
    return Assessment.of_findings(
        [*low, *many],
        held=f"{least} pods were available at least, {floor} are needed, over {len(rolled.moments)} changes",
        broken="{count} time(s) the number of pods was not the allowed one",
        n=len(rolled.moments),
    )


@check("rolling/batches", suite="rollout", severity="major", per="service", applies=_rolling)
def batches(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """Each batch of new pods is available before the next one comes.

    Why: that is what keeps a bad release from reaching every replica.

    Remedy: see `maxSurge` and `maxUnavailable`; with `OnDelete` see who deletes pods before the new ones are ready.
    """
    rolled = _rolled(story)
    if (unseen := _unseen(rolled)) is not None:
        return unseen
    findings = _moments(
        rolled,
        lambda one: one.new_waiting > max(one.batch, 1),
        expected=lambda one: f"at most {max(one.batch, 1)} new pods that are not available yet",
        seen=lambda one: str(one.new_waiting),
    )
    took = [f"{one.ready - one.began:.1f} s" if one.ready is not None else "not ready" for one in rolled.batches]
    return Assessment.of_findings(
        findings,
        held=f"{len(took)} batch(es), each available before the next: {', '.join(took[:MOST_SHOWN])}",
        broken="{count} time(s) a batch came before the last one was available",
        n=len(rolled.batches),
    )


@check("rolling/answering", suite="rollout", severity="critical", trigger="health", per="service", applies=_rolling)
def answering(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:
    """Pods that say that they are ready answer: users get the new version from each batch, and no more errors.

    Why: a probe that asks the wrong thing lets a broken release through to the last replica.

    Remedy: let the readiness probe ask what users need; see whether the Service selects the new pods. With `ask_pods`
    each new pod is asked at its own address too.
    """
    del mixed_within
    rolled = _rolled(story)
    if (unseen := _unseen(rolled)) is not None:
        return unseen
    findings = _silent_pods(story, rolled)
    told = 0
    for number, batch in enumerate(rolled.batches):
        if batch.ready is None:
            continue
        following = rolled.batches[number + 1 :]
        found, known = _batch(story, rolled, batch, following[0].began if following else story.ended, objectives)
        findings += found
        told += known
    ready = sum(batch.ready is not None for batch in rolled.batches)
    if not findings and told == 0 and not any(not one.error for one in rolled.answers):
        words = f"{ready} batch(es) became ready, none for long enough that users can have met it"
        return Assessment.inconclusive(
            words, n=0, remedy="raise [rollout] probe_rate, or set `ask_pods` where it can be"
        )
    return Assessment.of_findings(
        findings,
        held=f"users got answers of {told} of {ready} batch(es) before the next one came; the others were too short",
        broken="{count} batch(es) or pod(s) were ready and did not answer",
        n=ready,
    )


def _silent_pods(story: Story, rolled: Rolled) -> list[Finding]:
    """Pods that were asked, and never gave a good answer of the new version."""
    findings = []
    for name in dict.fromkeys(one.pod for one in rolled.answers):
        mine = [one for one in rolled.answers if one.pod == name]
        if not any(not one.error and one.version == story.candidate for one in mine):
            seen = mine[-1].error or f"version {mine[-1].version}"
            expected = f"ready, and answering as {story.candidate}"
            findings.append(Finding(where=f"Pod {name}", expected=expected, seen=f"{seen}, {len(mine)} times"))
    return findings


def _batch(
    story: Story, rolled: Rolled, batch: Batch, until: float, objectives: Objectives
) -> tuple[list[Finding], bool]:
    """What is wrong with a batch that was ready, and whether it could be told."""
    assert batch.ready is not None
    seen = story.between(batch.ready, until)
    where = f"batch of {', '.join(batch.pods[:3])}{' ...' if len(batch.pods) > 3 else ''}"
    failed = Counts(failed=sum(bool(one.error) for one in seen), total=len(seen))
    verdict = judge_errors(failed, None, ErrorRule(objective=objectives.error_rate)) if seen else None
    if verdict is not None and verdict.verdict is Outcome.FAIL:
        return [Finding(where=where, expected="answers", seen=str(verdict.sentence))], True
    share = share_of(seen, story.candidate)
    if share.candidate:
        return [], True
    moment = next((one for one in reversed(rolled.moments) if one.at <= batch.ready), None)
    part = moment.new / moment.total if moment and moment.total else 0.0
    missed = (1 - part) ** share.total if part < 1 else (0.0 if share.total >= 3 else 1.0)
    if missed < CERTAIN:
        expected = f"about {part:.0%} answers of {story.candidate}"
        return [Finding(where=where, expected=expected, seen=f"none of {share.total} new users got it")], True
    return [], False


@check("rolling/restarts", suite="rollout", severity="critical", trigger="health", per="service", applies=_rolling)
def restarts(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """New pods start once, and stay ready once they are.

    Why: a container that is restarted every few minutes is ready in between, and passes every look at a moment.

    Remedy: `kubectl logs --previous`, and the reason of its last termination.
    """
    rolled = _rolled(story)
    if (unseen := _unseen(rolled)) is not None:
        return unseen
    words = {pod.name: pod.words for pod in rolled.last.values()}
    findings = [
        Finding(
            where=f"Pod {name}",
            expected=f"at most {story.max_restarts} restarts",
            seen=f"{count} {words.get(name, '')}",
        )
        for name, count in rolled.restarts.items()
        if count > story.max_restarts
    ]
    findings += [
        Finding(where=f"Pod {name}", expected="ready once it was", seen=f"not ready again at {at:.1f} s")
        for name, at in rolled.flapped.items()
        if not rolled.restarts.get(name, 0)
    ]
    return Assessment.of_findings(
        findings,
        held=f"none of {len(rolled.restarts)} new pods restarted more than {story.max_restarts} times",
        broken="{count} new pod(s) did not stay up",
        n=len(rolled.restarts),
    )


@check("rolling/budget", suite="rollout", severity="major", per="service", applies=_rolling)
def budget(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """While it is rolled out, as many pods are healthy as the PodDisruptionBudget asks for.

    Why: rolling updates do not heed budgets; one that is looser than the budget leaves no room for a drained node.

    Remedy: set `maxUnavailable` of the rollout to no more than the budget leaves.
    """
    rolled = _rolled(story)
    if (unseen := _unseen(rolled)) is not None:
        return unseen
    if reason := story.rolling_unread.get("PodDisruptionBudget"):
        raise CannotLook(f"budgets could not be read: {reason}")
    if not rolled.budgets:
        return Assessment.not_applicable("no PodDisruptionBudget is about these pods")
    findings: list[Finding] = []
    for one in rolled.budgets.values():
        findings += [
            Finding(where=f"PodDisruptionBudget {one.name}", path=found.where, expected=found.expected, seen=found.seen)
            for found in _moments(
                rolled,
                lambda moment, one=one: moment.healthy < one.needed(moment.wanted),  # type: ignore[misc]
                expected=lambda moment, one=one: f"{one.needed(moment.wanted)} healthy",  # type: ignore[misc]
                seen=lambda moment: f"{moment.healthy} ({moment.cause})",
            )
        ]
    return Assessment.of_findings(
        findings,
        held=f"budget {', '.join(rolled.budgets)} was kept over {len(rolled.moments)} changes",
        broken="{count} time(s) fewer pods were healthy than the budget asks for",
        n=len(rolled.moments),
    )


@check("rolling/ordinals", suite="rollout", severity="major", per="service", applies=_rolling)
def ordinals(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """A StatefulSet is updated from the highest ordinal down, and never below its partition.

    Why: what keeps data relies on the order; the partition is what holds a release back.

    Remedy: see `podManagementPolicy`, the partition, and who deletes pods by hand.
    """
    rolled = _rolled(story)
    if (unseen := _unseen(rolled)) is not None:
        return unseen
    workload = rolled.workload
    if workload.kind != "StatefulSet":
        return Assessment.not_applicable("the workload is no StatefulSet")
    findings, least = [], math.inf
    came: set[int] = set()
    for at, pod in rolled.order:
        if pod.ordinal < workload.partition:
            expected = f"ordinals from {workload.partition} on"
            findings.append(Finding(where=f"Pod {pod.name}", expected=expected, seen=f"updated at {at:.1f} s"))
        elif pod.ordinal > least and pod.ordinal not in came:
            expected = f"ordinal {pod.ordinal} before {least:g}"
            findings.append(Finding(where=f"Pod {pod.name}", expected=expected, seen=f"after it, at {at:.1f} s"))
        came.add(pod.ordinal)
        least = min(least, pod.ordinal)
    shown = ", ".join(str(pod.ordinal) for _, pod in rolled.order[:MOST_SHOWN])
    return Assessment.of_findings(
        findings,
        held=f"updated in the order {shown}, partition {workload.partition}",
        broken="{count} pod(s) were updated out of turn",
        n=len(rolled.order),
    )


@check("rolling/drained", suite="rollout", severity="major", per="service", applies=_rolling)
def drained(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """When it is rolled out, no pod of the old revision is left, and no user gets the old version.

    Why: what is left of the old version answers some users for ever, and nobody looks at it.

    Remedy: see finalizers and long termination grace periods; delete what is left.
    """
    rolled = _rolled(story)
    if (unseen := _unseen(rolled)) is not None:
        return unseen
    if rolled.complete is None and not (story.steps and story.steps[-1].reached is not None):
        return Assessment.inconclusive("the rollout is not complete", n=0)
    kept = rolled.workload.partition if rolled.workload.kind == "StatefulSet" else 0
    left = [pod for pod in rolled.last.values() if not rolled.new(pod) and not 0 <= pod.ordinal < kept]
    findings = [
        Finding(
            where=f"Pod {pod.name}",
            expected="gone",
            seen=f"still there at {story.ended:.0f} s{', being deleted' if pod.leaving else ''}",
        )
        for pod in left
    ]
    return Assessment.of_findings(
        findings,
        held="no pod of the old revision is left",
        broken="{count} pod(s) of the old revision are left",
        n=max(len(rolled.last), 1),
    )


CHECKS: Final[tuple[Check, ...]] = (
    progress,
    available,
    batches,
    answering,
    restarts,
    budget,
    ordinals,
    drained,
)
"""The checks of a rolling update, in the order in which people ask."""
