"""Holds a conversation with a service and says how it went."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Final

from seatrial.conversation import language
from seatrial.conversation.curl import curl_line
from seatrial.conversation.expectation import Check, capture, evaluate
from seatrial.conversation.journal import Debt, Journal
from seatrial.conversation.openai import OpenAIChannel
from seatrial.conversation.placeholders import Values, fill
from seatrial.conversation.plain import JsonChannel, RasaChannel
from seatrial.conversation.protocol import Channel, Identity, NoReply, Patience, Reply, Request
from seatrial.conversation.pulse import Pulse
from seatrial.conversation.script import Script, Turn
from seatrial.conversation.steps import StepProblem, run_steps
from seatrial.conversation.transcript import Exchange, Transcript
from seatrial.conversation.verdict import Conclusion, assess, judge_repeated
from seatrial.conversation.websocket import WebSocketChannel
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.http.concurrent import AsyncClient, Connections

STREAM_FACTOR: Final = 6.0
"""A stream may take this many times the service's timeout in all; each silence in it only the timeout itself."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a channel is opened with."""

    client: AsyncClient
    target: ServiceTarget
    identity: Identity
    script: Script
    bearer: str | None


def _open_openai(opening: Opening) -> Channel:
    script = opening.script
    return OpenAIChannel(opening.client, opening.target, opening.identity, stream=script.stream, memory=script.memory)


CHANNELS: Final[Mapping[str, Callable[[Opening], Channel]]] = {
    "openai": _open_openai,
    "rasa": lambda opening: RasaChannel(opening.client, opening.target, opening.identity),
    "http": lambda opening: JsonChannel(opening.client, opening.target, opening.identity),
    "websocket": lambda opening: WebSocketChannel(opening.target, opening.identity, opening.bearer),
}
"""How each ``protocol`` of an environment's service is spoken."""


def new_session_id(run_id: str, script_id: str, track: str) -> str:
    """Names run, conversation and track, and is used once: at most 128 printable ASCII characters."""
    readable = f"seatrial-{run_id}-{script_id}-{track}"
    return f"{''.join(c if '!' <= c <= '~' else '-' for c in readable)[:119]}-{secrets.token_hex(4)}"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a conversation is held with, beside the script and the target."""

    run_id: str
    environment: str = ""
    bearer: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    """Texts of the environment, for ``${env.name}``."""
    row: Mapping[str, str] = field(default_factory=dict)
    """Texts of one row of the script."""
    row_name: str = ""
    connections: Connections | None = None
    """Connections to the target that other conversations use too; it opens its own where this is None."""
    journal: Journal | None = None
    """Where is written down what the conversation must remove."""


async def converse(script: Script, target: ServiceTarget, setting: Setting) -> Conclusion:
    """Hold the conversation, as often as the script says, and judge it.

    Safe to await many at a time: nothing is shared but the event loop, and connections where they are given. Never
    raises for what service, network or environment do.
    """
    if script.repeat is None:
        return await _Conversation(script, target, setting).hold()
    held = [_Conversation(script, target, setting).hold() for _ in range(script.repeat.times)]
    return judge_repeated(script.repeat, await asyncio.gather(*held))


def prepare(scripts: Iterable[Script]) -> None:
    """Load what would make the event loop stand still at the first use, before anybody waits for an answer."""
    all_of_them = tuple(scripts)
    if any(turn.expect.language is not None for script in all_of_them for turn in script.turns):
        language.load()
    if any(script.repeat for script in all_of_them):
        import_module("seatrial.judge.proportions")


def run(script: Script, target: ServiceTarget, setting: Setting) -> Conclusion:
    """:func:`converse`, for callers without an event loop."""
    prepare([script])
    return asyncio.run(converse(script, target, setting))


class _Conversation:
    """One conversation, held once."""

    def __init__(self, script: Script, target: ServiceTarget, setting: Setting) -> None:
        self._script = script
        self._target = target
        self._setting = setting
        session = new_session_id(setting.run_id, script.id, target.track)
        self._identity = Identity(run_id=setting.run_id, session_id=session)
        self._exchanges: list[Exchange] = []
        self._waited = 0.0
        self._limited = 0
        self._pulse = Pulse()
        self._values = Values({"run.id": setting.run_id, "session.id": session})
        self._values |= {f"env.{name}": text for name, text in setting.variables.items()}

    async def hold(self) -> Conclusion:
        """Set up, talk, and clean up whatever happened."""
        async with self._pulse:
            return await self._hold()

    async def _hold(self) -> Conclusion:
        script, target, setting = self._script, self._target, self._setting
        open_channel = CHANNELS.get(target.service.protocol)
        if open_channel is None:
            message = (
                f"conversations do not speak the protocol {target.service.protocol!r} of the service {target.name}"
            )
            return self._conclude(Assessment.error(message, remedy=f"they speak: {', '.join(CHANNELS)}"))
        try:
            for texts in (script.values, setting.row):
                self._values |= {name: fill(text, self._values) for name, text in texts.items()}
        except KeyError as error:
            return self._conclude(_unknown(error))
        try:
            client = AsyncClient(target, run_id=setting.run_id, bearer=setting.bearer, connections=setting.connections)
        except (OSError, ValueError) as error:
            remedy = f"check url and tls.ca_file of services.{target.name}"
            return self._conclude(Assessment.error(f"no client for {target.base_url}: {error}", remedy=remedy))
        async with client:
            try:
                opening = Opening(
                    client=client, target=target, identity=self._identity, script=script, bearer=setting.bearer
                )
                channel = open_channel(opening)
            except ValueError as error:
                return self._conclude(Assessment.error(str(error), remedy=f"see services.{target.name}"))
            try:
                return await self._between(client, channel)
            finally:
                await channel.close()

    async def _between(self, client: AsyncClient, channel: Channel) -> Conclusion:
        """Setup, turns and cleanup. Cancelled in the middle, it still cleans up."""
        script = self._script
        self._owe()
        try:
            problems = await run_steps("setup", script.setup, client, self._values, to_the_end=False)
            if script.setup:
                self._owe()
            if problems:
                assessment = Assessment.error(
                    str(problems[0]), remedy="see the service, and what the script needs of it"
                )
            else:
                assessment = await self._talk(channel)
        except asyncio.CancelledError:
            await asyncio.shield(self._clean(client))
            raise
        left = await self._clean(client)
        if left and assessment.outcome is Outcome.PASS:
            message = f"every turn held, and something was left behind: {left[0]}"
            assessment = Assessment.error(message, remedy="remove it by hand, and mend the cleanup of the script")
        elif left:
            assessment = replace(assessment, remedy=f"{assessment.remedy}; left behind: {left[0]}".lstrip("; "))
        return self._conclude(assessment)

    async def _talk(self, channel: Channel) -> Assessment:
        for turn in self._script.turns:
            try:
                exchange = await self._exchange(turn, channel)
            except KeyError as error:
                return _unknown(error)
            self._exchanges.append(exchange)
            if turn.capture and self._script.cleanup:
                self._owe()
            if exchange.outcome is not Outcome.PASS:
                break
        return assess(self._transcript())

    def _owe(self) -> None:
        journal, steps = self._setting.journal, self._script.cleanup
        if journal is not None and steps:
            listed = tuple(step.model_dump(mode="json") for step in steps)
            journal.owe(
                Debt(
                    session=self._identity.session_id,
                    environment=self._setting.environment,
                    service=self._target.name,
                    track=self._target.track,
                    steps=listed,
                    values=dict(self._values),
                )
            )

    async def _clean(self, client: AsyncClient) -> list[StepProblem]:
        problems = await run_steps("cleanup", self._script.cleanup, client, self._values, to_the_end=True)
        if self._setting.journal is not None and self._script.cleanup and not problems:
            self._setting.journal.paid(self._identity.session_id)
        return problems

    async def _exchange(self, turn: Turn, channel: Channel) -> Exchange:
        script, target, values = self._script, self._target, self._values
        said = fill(turn.say, values)
        request = channel.prepare(said)
        curl = curl_line(request, target, self._setting.run_id)
        since = self._pulse.now()
        try:
            reply = await self._send(channel, request, _patience(turn, target))
        except NoReply as trouble:
            missing = Check(expectation="answer", expected=trouble.expected, seen=trouble.seen, held=False)
            lost = self._pulse.just_lost()
            return Exchange(said=said, reply=None, trouble=trouble, checks=(missing,), curl=curl, lost=lost)
        lost = self._pulse.lost(since)
        checks = evaluate(
            turn.expect,
            reply,
            values,
            script.fallback_phrases,
            refusal_phrases=script.refusal_phrases,
            earlier=[exchange.reply.text for exchange in self._exchanges if exchange.reply is not None],
        )
        for name, source in turn.capture.items():
            value, check = capture(name, source, reply, values)
            checks.append(check)
            values[name] = value
        return Exchange(said=said, reply=reply, trouble=None, checks=tuple(checks), curl=curl, lost=lost)

    async def _send(self, channel: Channel, request: Request, patience: Patience) -> Reply:
        """Send, and come again when the service asks for that with 429, as long as the environment allows."""
        while True:
            try:
                return await channel.send(request, patience)
            except NoReply as trouble:
                pause = trouble.retry_after
                if pause is None or self._waited + pause > self._target.service.rate_limit_wait:
                    raise
                self._waited += pause
                self._limited += 1
                await asyncio.sleep(pause)

    def _transcript(self) -> Transcript:
        row = self._setting.row_name
        return Transcript(
            conversation=f"{self._script.id} ({row})" if row else self._script.id,
            title=self._script.title,
            service=self._target.name,
            track=self._target.track,
            url=self._target.base_url,
            run_id=self._setting.run_id,
            session_id=self._identity.session_id,
            planned=len(self._script.turns),
            exchanges=tuple(self._exchanges),
            keeps_session=self._script.memory == "session",
        )

    def _conclude(self, assessment: Assessment) -> Conclusion:
        if self._limited:
            times = "once" if self._limited == 1 else f"{self._limited} times"
            words = f"asked to wait by the rate limit {times}, {self._waited:g} s in all"
            assessment = replace(assessment, message=f"{assessment.message}; {words}")
        return Conclusion(transcript=self._transcript(), assessment=assessment)


def _unknown(error: KeyError) -> Assessment:
    name = str(error.args[0])
    place = "the table [variables] of the environment" if name.startswith("env.") else "the script"
    message = f"expected a value for ${{{name}}} in {place}, seen none"
    return Assessment.error(message, remedy=f"add it to {place}")


def _patience(turn: Turn, target: ServiceTarget) -> Patience:
    timeout = target.service.timeout
    # Who expects no pause above 2 s need not wait 10 s to see that there is one.
    silence = timeout if turn.expect.max_pause is None else min(timeout, turn.expect.max_pause)
    return Patience(answer=timeout, silence=silence, stream=timeout * STREAM_FACTOR)
