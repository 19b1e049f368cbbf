"""What a conversation comes to: from transcripts to assessments, and from many of the same to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seatrial.conversation.expectation import duration, shown
from seatrial.conversation.script import Repeat
from seatrial.conversation.transcript import Exchange, Transcript
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """How a conversation went, and what follows from it."""

    transcript: Transcript
    assessment: Assessment


def assess(transcript: Transcript) -> Assessment:
    """What a transcript comes to: the first turn that did not hold decides, and is named."""
    looked_at = len(transcript.exchanges)
    last = transcript.exchanges[-1]
    turns = f"{transcript.planned} turn{'' if transcript.planned == 1 else 's'}"
    if last.outcome is Outcome.PASS:
        count = sum(len(exchange.checks) for exchange in transcript.exchanges)
        slowest = max((exchange.reply.latency for exchange in transcript.exchanges if exchange.reply), default=0.0)
        held = f"{turns} held, {count} expectations, slowest answer {slowest * 1000:.0f} ms"
        return Assessment.passed(held, seen="every turn held", limit="every turn holds", n=looked_at)
    place = f"turn {looked_at} of {transcript.planned}"
    first = last.broken[0]
    message = (
        f"{place}, {shown(last.said)}, {_verb(last)}: {first.expectation}: expected {first.expected}, seen {first.seen}"
    )
    trouble = last.trouble
    request_id = trouble.request_id if trouble else last.reply.request_id if last.reply else ""
    remedy = trouble.remedy if trouble and trouble.remedy else "the transcript ends with the curl line that repeats it"
    if last.untimed:
        remedy = "run it again from a machine that is less busy"
    where = f"{transcript.service} {transcript.track} {place}"
    return Assessment(
        outcome=last.outcome,
        message=message,
        seen=first.seen,
        limit=first.expected,
        n=looked_at,
        remedy=f"{remedy}; request {request_id}" if request_id else remedy,
        findings=tuple(
            Finding(where=where, path=check.expectation, expected=check.expected, seen=check.seen)
            for check in last.broken
        ),
    )


def _verb(exchange: Exchange) -> str:
    if exchange.untimed:
        return f"could not be timed, since our own process stood still for {duration(exchange.lost)} of it"
    return "could not be said" if exchange.outcome is Outcome.ERROR else "failed"


def judge_repeated(rule: Repeat, conclusions: Sequence[Conclusion]) -> Conclusion:
    """What repeated conversations come to, by Clopper and Pearson's exact bounds; never by the best of several.

    It passes where the lower bound of the share that held reaches ``at_least``, fails where the upper bound stays below
    it, and is inconclusive in between, saying how many more would decide it if all of them held.
    """
    # Imported where it is needed: the distributions take most of a second to load, and few scripts repeat.
    from seatrial.judge.proportions import Counts, clean_needed, rate_interval

    counted = [one for one in conclusions if one.assessment.outcome in (Outcome.PASS, Outcome.FAIL)]
    shown_first = next((one for one in conclusions if one.assessment.outcome is Outcome.FAIL), conclusions[0])
    if len(counted) < len(conclusions):
        return next(one for one in conclusions if one not in counted)
    counts = Counts(failed=sum(one.assessment.outcome is Outcome.FAIL for one in counted), total=len(counted))
    low, high = rate_interval(counts, alpha=1 - rule.confidence)
    held = counts.total - counts.failed
    words = f"held {held} of {counts.total} times, {1 - high:.1%} to {1 - low:.1%} at {rule.confidence:.0%} confidence"
    limit = f"at least {rule.at_least:.0%}"
    told = Assessment(
        outcome=Outcome.PASS,
        message=f"{words}: {limit} is proved",
        seen=f"{held / counts.total:.1%}",
        limit=limit,
        interval=f"{1 - high:.1%} to {1 - low:.1%}",
        n=counts.total,
    )
    if 1 - low < rule.at_least:
        first = shown_first.assessment
        message = f"{words}: {limit} is out of reach; first {first.message}"
        told = replace(told, outcome=first.outcome, message=message, remedy=first.remedy, findings=first.findings)
    elif 1 - high < rule.at_least:
        more = clean_needed(counts, 1 - rule.at_least, alpha=1 - rule.confidence)
        remedy = f"repeat it {counts.total + more} times: {more} more, if all of them hold, would prove it"
        told = replace(told, outcome=Outcome.INCONCLUSIVE, message=f"{words}: {limit} is not proved", remedy=remedy)
    return Conclusion(transcript=shown_first.transcript, assessment=told)
