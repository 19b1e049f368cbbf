"""How many pods there were at each moment of a rolling update: pure functions of a story. Each is a check."""

from __future__ import annotations

from seatrial.checks.check import check
from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import CannotLook
from seatrial.rollout.followed import MOST_SHOWN, moments_when, rolled_of, rolling, unseen_of
from seatrial.rollout.story import Story


@check("rolling/available", suite="rollout", severity="major", per="service", applies=rolling)
def available(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """At no moment are fewer pods available than `maxUnavailable` allows, nor more there than `maxSurge` does.

    Why: what is left carries all of the traffic.

    Remedy: see who deletes pods beside the controller, `minReadySeconds`, and probes that say ready too early.
    """
    rolled = rolled_of(story)
    if (unseen := unseen_of(rolled)) is not None:
        return unseen
    low = moments_when(
        rolled,
        lambda one: one.available < one.floor,
        expected=lambda one: f"at least {one.floor} of {one.wanted} available",
        seen=lambda one: str(one.available),
    )
    many = moments_when(
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


@check("rolling/batches", suite="rollout", severity="major", per="service", applies=rolling)
def batches(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """Each batch of new pods is available before the next one comes.

    Why: that is what keeps a bad release from reaching every replica.

    Remedy: see `maxSurge` and `maxUnavailable`; with `OnDelete` see who deletes pods before the new ones are ready.
    """
    rolled = rolled_of(story)
    if (unseen := unseen_of(rolled)) is not None:
        return unseen
    findings = moments_when(
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


@check("rolling/budget", suite="rollout", severity="major", per="service", applies=rolling)
def budget(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """While it is rolled out, as many pods are healthy as the PodDisruptionBudget asks for.

    Why: rolling updates do not heed budgets; one that is looser than the budget leaves no room for a drained node.

    Remedy: set `maxUnavailable` of the rollout to no more than the budget leaves.
    """
    rolled = rolled_of(story)
    if (unseen := unseen_of(rolled)) is not None:
        return unseen
    if reason := story.rolling_unread.get("PodDisruptionBudget"):
        raise CannotLook(f"budgets could not be read: {reason}")
    if not rolled.budgets:
        return Assessment.not_applicable("no PodDisruptionBudget is about these pods")
    findings: list[Finding] = []
    for one in rolled.budgets.values():
        findings += [
            Finding(where=f"PodDisruptionBudget {one.name}", path=found.where, expected=found.expected, seen=found.seen)
            for found in moments_when(
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
