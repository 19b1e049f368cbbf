"""What a watched blue-green switch proves: pure functions of its story. Each is a check; its docstring is its page."""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import check
from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.rollout.share import share_of, users_needed
from seatrial.rollout.story import Story
from seatrial.rollout.traffic import Seen

WINDOW: Final = 5.0
"""Seconds before a switch is told that still belong to it: a deployer speaks when it has done, not before."""
IN_A_ROW: Final = 3
"""Failures one after the other of the stable version's own address before it counts as gone."""


def _blue_green(strategy: str) -> bool:
    return strategy == "blue-green"


@check("switch/idle", suite="rollout", severity="major", per="service", applies=_blue_green)
def idle(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """Until the switch, users get the stable version alone.

    Why: green is verified while nobody depends on it; a switch that has happened already has verified nothing.

    Remedy: see the selector of the Service, or the upstream of the proxy, before the switch.
    """
    step = next(iter(story.steps), None)
    first = min((one.at for one in story.seen if one.version == story.candidate), default=story.ended)
    end = step.told - WINDOW if step is not None and step.by_word else first
    before = [one for one in story.between(0.0, end) if one.version]
    early = [one for one in before if one.version == story.candidate]
    if len(before) < users_needed(0.0):
        return Assessment.inconclusive(
            f"{len(before)} answers before the switch, {users_needed(0.0)} are needed",
            n=len(before),
            remedy="begin to watch before the switch",
        )
    findings = [
        Finding(where="public", expected=story.stable, seen=f"{story.candidate} at {one.at:.0f} s") for one in early[:5]
    ]
    return Assessment.of_findings(
        findings, held=f"{len(before)} answers, all of {story.stable}", broken="users got green early", n=len(before)
    )


@check("switch/complete", suite="rollout", severity="major", per="service", applies=_blue_green)
def switch_complete(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """After the switch all users get the candidate, and both versions answer for no longer than is allowed.

    Why: a switch that was reported and never happened is found out by users; half of one is worse.

    Remedy: see the selector or upstream again, caches of the proxy, and clients that keep connections to blue.
    """
    step = next(iter(story.steps), None)
    if step is None:
        return Assessment.inconclusive(
            "nobody said that the switch was made", n=0, remedy="say `switch`, or watch longer"
        )
    after = [one for one in story.between(step.told, story.ended) if one.kind == "fresh" and one.version]
    if step.reached is None:
        share = share_of(after, story.candidate)
        words = f"the switch never happened: {story.ended - step.told:.0f} s after it, {share} of new users got green"
        if not step.by_word and not share.candidate:
            return Assessment.inconclusive(
                words, seen=str(share), n=len(after), remedy="make the switch, or say `switch`"
            )
        return Assessment.failed(words, seen=str(share), limit="all of them", remedy="see the selector or the upstream")
    got = [one.at for one in story.seen if one.version == story.candidate and one.at >= step.told - WINDOW]
    left = [one.at for one in story.seen if one.version == story.stable]
    mixed = max(max(left, default=0.0) - min(got), 0.0)
    words = f"both versions answered for {mixed:.1f} s, then {story.candidate} alone"
    if mixed > mixed_within:
        return Assessment.failed(words, seen=f"{mixed:.1f} s", limit=f"{mixed_within:g} s")
    return Assessment.passed(words, seen=f"{mixed:.1f} s", limit=f"{mixed_within:g} s", n=len(after))


@check("switch/sessions", suite="rollout", severity="major", per="service", applies=_blue_green)
def sessions(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:
    """Users who are there when the switch is made go on after it: not one of their requests fails around it.

    Why: sessions that only blue knows end for everybody at once; one refusal each is lost in any error rate.

    Remedy: keep sessions where both versions find them, under one key; drain connections to blue, do not cut them.
    """
    del objectives
    step = next(iter(story.steps), None)
    if step is None or step.reached is None:
        return Assessment.inconclusive("there was no switch after which to look", n=0)
    users: dict[int, list[Seen]] = {}
    for one in story.seen:
        if one.user:
            users.setdefault(one.user, []).append(one)
    begin, end = step.told - WINDOW, step.reached + mixed_within
    users = {user: seen for user, seen in users.items() if any(not one.error and one.at < begin for one in seen)}
    if not users:
        return Assessment.not_applicable("nobody was there before the switch: [rollout] probe_users is 0")
    findings, waited = [], 0
    for user, seen in sorted(users.items()):
        after = sorted((one for one in seen if one.end >= begin and one.at <= end), key=lambda one: one.at)
        failed = [one for one in after if one.error]
        if failed:
            told = f"{failed[0].error} at {failed[0].at:.1f} s, {len(failed)} of {len(after)} requests failed"
            findings.append(Finding(where=f"user {user}", expected="answers as before the switch", seen=told))
        waited += not any(one.at >= step.reached for one in after)
    if waited and not findings:
        return Assessment.inconclusive(f"{waited} user(s) were not seen after the switch", n=len(users) - waited)
    return Assessment.of_findings(
        findings, held=f"all of {len(users)} users went on", broken="{count} user(s) lost an answer", n=len(users)
    )


@check("switch/way-back", suite="rollout", severity="major", per="service", applies=_blue_green)
def way_back(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:  # noqa: ARG001
    """Until the all-clear, blue is still there and answers at its own address.

    Why: a rollback by switching back takes seconds while blue runs, and a deployment once it is gone.

    Remedy: keep blue scaled up until the release has settled.
    """
    step = next(iter(story.steps), None)
    if step is None or step.reached is None:
        return Assessment.inconclusive("there was no switch after which to look", n=0)
    after = sorted((one for one in story.direct if one.at >= step.told), key=lambda one: one.at)
    row = longest = 0
    lost = None
    for one in after:
        row = 0 if not one.error and one.version == story.stable else row + 1
        if row > longest:
            longest, lost = row, one
    if longest >= IN_A_ROW and lost is not None:
        words = f"blue could not take the traffic back: {longest} requests in a row to its own address failed"
        why = lost.error or f"answers with {lost.version or 'no version'}"
        return Assessment.failed(words, seen=f"{why}, until {lost.at:.0f} s", limit=f"{story.stable} answers")
    if len(after) < IN_A_ROW:
        return Assessment.inconclusive("blue was asked too seldom", n=len(after), remedy="let it settle for longer")
    return Assessment.passed(f"blue answered {len(after)} requests until the all-clear", n=len(after))
