"""Holds a conversation with a service and says how it went."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from seatrial.conversation.curl import curl_line
from seatrial.conversation.expectation import Check, capture, evaluate, shown
from seatrial.conversation.openai import OpenAIChannel
from seatrial.conversation.placeholders import fill
from seatrial.conversation.protocol import Channel, Identity, NoReply, Patience
from seatrial.conversation.script import Script, Turn
from seatrial.conversation.transcript import Exchange, Transcript
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome
from seatrial.http import AsyncClient, ExchangeError, open_async_client

STREAM_FACTOR: Final = 6.0
"""A stream may take this many times the service's timeout in all; each silence in it only the timeout itself."""


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """How a conversation went, and what follows from it."""

    transcript: Transcript
    assessment: Assessment


OpenChannel = Callable[[AsyncClient, ServiceTarget, Identity, Script], Channel]


def _open_openai(client: AsyncClient, target: ServiceTarget, identity: Identity, script: Script) -> Channel:
    return OpenAIChannel(client, target, identity, stream=script.stream, memory=script.memory)


CHANNELS: Final[Mapping[str, OpenChannel]] = {"openai": _open_openai}
"""How each ``protocol`` of an environment's service is spoken."""


def new_session_id(run_id: str, script_id: str, track: str) -> str:
    """Names run, conversation and track, and is used once: at most 128 printable ASCII characters."""
    readable = f"seatrial-{run_id}-{script_id}-{track}"
    return f"{''.join(c if '!' <= c <= '~' else '-' for c in readable)[:119]}-{secrets.token_hex(4)}"


async def converse(script: Script, target: ServiceTarget, *, run_id: str, bearer: str | None = None) -> Conclusion:
    """Hold the conversation and judge it; it ends with the first turn that does not hold.

    Safe to await many at a time: nothing is shared but the event loop. Never raises for what service, network or
    environment do.
    """
    identity = Identity(run_id=run_id, session_id=new_session_id(run_id, script.id, target.track))
    exchanges: list[Exchange] = []

    def conclude(assessment: Assessment | None = None) -> Conclusion:
        transcript = Transcript(
            conversation=script.id,
            title=script.title,
            service=target.name,
            track=target.track,
            url=target.base_url,
            run_id=run_id,
            session_id=identity.session_id,
            planned=len(script.turns),
            exchanges=tuple(exchanges),
            keeps_session=script.memory == "session",
        )
        return Conclusion(transcript=transcript, assessment=assessment or assess(transcript))

    open_channel = CHANNELS.get(target.service.protocol)
    if open_channel is None:
        message = f"conversations do not speak the protocol {target.service.protocol!r} of the service {target.name}"
        return conclude(Assessment.error(message, remedy=f"they speak: {', '.join(CHANNELS)}"))
    try:
        client = open_async_client(target, run_id=run_id, bearer=bearer)
    except (OSError, ValueError, *ExchangeError) as error:
        where = f"services.{target.name}"
        return conclude(
            Assessment.error(
                f"no client for {target.base_url}: {error}", remedy=f"check url and tls.ca_file of {where}"
            )
        )
    values = {"run.id": run_id, "session.id": identity.session_id}
    values |= {name: fill(text, values) for name, text in script.values.items()}
    async with client:
        channel = open_channel(client, target, identity, script)
        for turn in script.turns:
            exchange = await _exchange(turn, script, target, channel, values, run_id)
            exchanges.append(exchange)
            if exchange.outcome is not Outcome.PASS:
                break
    return conclude()


def run(script: Script, target: ServiceTarget, *, run_id: str, bearer: str | None = None) -> Conclusion:
    """:func:`converse`, for callers without an event loop."""
    return asyncio.run(converse(script, target, run_id=run_id, bearer=bearer))


def _patience(turn: Turn, target: ServiceTarget) -> Patience:
    timeout = target.service.timeout
    # Who expects no pause above 2 s need not wait 10 s to see that there is one.
    silence = timeout if turn.expect.max_pause is None else min(timeout, turn.expect.max_pause)
    return Patience(answer=timeout, silence=silence, stream=timeout * STREAM_FACTOR)


async def _exchange(
    turn: Turn, script: Script, target: ServiceTarget, channel: Channel, values: dict[str, str], run_id: str
) -> Exchange:
    said = fill(turn.say, values)
    request = channel.prepare(said)
    curl = curl_line(request, target, run_id)
    try:
        reply = await channel.send(request, _patience(turn, target))
    except NoReply as trouble:
        missing = Check(expectation="answer", expected=trouble.expected, seen=trouble.seen, held=False)
        return Exchange(said=said, reply=None, trouble=trouble, checks=(missing,), curl=curl)
    checks = evaluate(turn.expect, reply, values, script.fallback_phrases)
    for name, source in turn.capture.items():
        value, check = capture(name, source, reply, values)
        checks.append(check)
        values[name] = value
    return Exchange(said=said, reply=reply, trouble=None, checks=tuple(checks), curl=curl)


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
    verb = "could not be said" if last.outcome is Outcome.ERROR else "failed"
    message = f"{place}, {shown(last.said)}, {verb}: {first.expectation}: expected {first.expected}, seen {first.seen}"
    trouble = last.trouble
    request_id = trouble.request_id if trouble else last.reply.request_id if last.reply else ""
    remedy = trouble.remedy if trouble and trouble.remedy else "the transcript ends with the curl line that repeats it"
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
