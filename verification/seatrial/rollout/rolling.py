"""What a rolling update proves, of the cluster's own objects: pure functions of a story. Each is a check.

The rules are those of the Deployment and StatefulSet controllers, looked at from outside: whoever deploys, and however.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from seatrial.checks.check import Check, check
from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.rollout.answering import answering
from seatrial.rollout.counting import available, batches, budget
from seatrial.rollout.followed import MOST_SHOWN, rolled_of, rolling, unseen_of
from seatrial.rollout.story import Story

_GUILTY: Final = frozenset({"image-pull", "crash-loop", "configuration", "gate", "unready"})
"""Troubles of pods that are the release's own; that nothing can be scheduled is not."""


@check("rolling/progress", suite="rollout", severity="critical", trigger="health", per="service", applies=rolling)
def progress(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """The rollout goes on until every replica is of the new revision, ready and available.

    Why: a rollout that is stuck serves two versions, and waits for somebody to notice.

    Remedy: the message names what the pods wait for; roll back, or mend the image, the configuration or the probe.
    """
    rolled = rolled_of(story)
    if (unseen := unseen_of(rolled)) is not None:
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


@check("rolling/restarts", suite="rollout", severity="critical", trigger="health", per="service", applies=rolling)
def restarts(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """New pods start once, and stay ready once they are.

    Why: a container that is restarted every few minutes is ready in between, and passes every look at a moment.

    Remedy: `kubectl logs --previous`, and the reason of its last termination.
    """
    rolled = rolled_of(story)
    if (unseen := unseen_of(rolled)) is not None:
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


@check("rolling/ordinals", suite="rollout", severity="major", per="service", applies=rolling)
def ordinals(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """A StatefulSet is updated from the highest ordinal down, and never below its partition.

    Why: what keeps data relies on the order; the partition is what holds a release back.

    Remedy: see `podManagementPolicy`, the partition, and who deletes pods by hand.
    """
    rolled = rolled_of(story)
    if (unseen := unseen_of(rolled)) is not None:
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


@check("rolling/drained", suite="rollout", severity="major", per="service", applies=rolling)
def drained(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """When it is rolled out, no pod of the old revision is left, and no user gets the old version.

    Why: what is left of the old version answers some users for ever, and nobody looks at it.

    Remedy: see finalizers and long termination grace periods; delete what is left.
    """
    rolled = rolled_of(story)
    if (unseen := unseen_of(rolled)) is not None:
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
