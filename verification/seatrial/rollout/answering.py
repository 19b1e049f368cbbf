"""Whether new pods of a rolling update that say that they are ready answer: a pure function of a story, and a check."""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import check
from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule, judge_errors
from seatrial.judge.proportions import Counts
from seatrial.rollout.followed import rolled_of, rolling, unseen_of
from seatrial.rollout.replay import Batch, Rolled
from seatrial.rollout.share import share_of
from seatrial.rollout.story import Story

CERTAIN: Final = 0.001
"""Chance at which users would have missed ready pods by accident, below which it is none."""


@check("rolling/answering", suite="rollout", severity="critical", trigger="health", per="service", applies=rolling)
def answering(story: Story, objectives: Objectives, mixed_within: float) -> Assessment:
    """Pods that say that they are ready answer: users get the new version from each batch, and no more errors.

    Why: a probe that asks the wrong thing lets a broken release through to the last replica.

    Remedy: let the readiness probe ask what users need; see whether the Service selects the new pods. With `ask_pods`
    each new pod is asked at its own address too.
    """
    del mixed_within
    rolled = rolled_of(story)
    if (unseen := unseen_of(rolled)) is not None:
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
    # New users alone: an answer that is cut was begun by an old pod, and is told by `rollout/conversations`.
    seen = [one for one in story.between(batch.ready, until) if one.kind == "fresh"]
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
