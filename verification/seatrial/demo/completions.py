"""``POST /v1/chat/completions``: reads a request, lets the bot answer, and writes the answer whole or as a stream."""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from typing import Final

from aiohttp import web

from seatrial.demo import intents
from seatrial.demo.answer import Answer, error_object, pieces
from seatrial.demo.behaviour import Behaviour
from seatrial.demo.intents import Memory
from seatrial.demo.pace import Pace, Tempo
from seatrial.demo.request import CompletionRequest, parse
from seatrial.demo.sessions import Sessions
from seatrial.demo.spoiling import spoiled, tokens_kept
from seatrial.demo.strain import Strain
from seatrial.demo.telemetry import Telemetry, json_response

SESSION_HEADER: Final = "X-Session-Id"
INTENT_HEADER: Final = "X-Chatbot-Intent"
REQUEST_ID_HEADER: Final = "X-Request-Id"
_REQUEST_ID: Final = re.compile(r"[\w.:-]{1,128}", re.ASCII)


class Completions:
    """Chat completions of one process.

    A conversation is remembered in two ways that may be mixed. By the messages sent: earlier user messages of the
    request are read again, as OpenAI's API is used. By session: where the request names one (header ``X-Session-Id``,
    else ``metadata.session_id``, else ``user``) what an earlier request of the session told is still known, so that a
    client may send its last message only.
    """

    def __init__(
        self,
        *,
        behaviour: Behaviour,
        sessions: Sessions,
        telemetry: Telemetry,
        fingerprint: str,
        seed: str,
        stall: float,
        strain: Strain,
    ) -> None:
        """``stall`` is how many seconds a stalled stream is kept open before it is cut."""
        self._behaviour = behaviour
        self._sessions = sessions
        self._telemetry = telemetry
        self._fingerprint = fingerprint
        self._pace = Pace(seed=seed, behaviour=behaviour)
        # Its own sequence, so that switching errors on does not shift the latencies.
        self._errors = random.Random(f"{seed}/errors")  # noqa: S311 -- a simulation, no secret
        self._cuts = random.Random(f"{seed}/cuts")  # noqa: S311 -- a simulation, no secret
        self._stall = stall
        self._strain = strain

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        started = time.perf_counter()
        wanted = parse(await request.read(), request.headers.get(SESSION_HEADER))
        try:
            return await self._answer(request, wanted, started)
        finally:
            self._telemetry.duration.observe(time.perf_counter() - started)

    async def end_session(self, request: web.Request) -> web.Response:
        """``DELETE /v1/sessions/{session}``: forget what a conversation told. 404 where nothing is known of it."""
        if self._sessions.end(request.match_info["session"]):
            return web.Response(status=204)
        return json_response(error_object("There is no such session.", param="session"), 404)

    async def _answer(self, request: web.Request, wanted: CompletionRequest, started: float) -> web.StreamResponse:
        request_id = request.headers.get(REQUEST_ID_HEADER, "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = f"req_{uuid.uuid4().hex}"
        tempo = self._pace.tempo(self._strain.factor())
        if self._errors.random() < self._strain.error_share():
            await asyncio.sleep(tempo.first_token())
            response: web.StreamResponse = self._broken()
            response.headers[REQUEST_ID_HEADER] = request_id
            return response
        allowed = self._behaviour.turns_allowed
        if allowed is not None and len(wanted.user_texts) > allowed:
            limited = json_response(error_object("Too many requests.", kind="rate_limit_error"), 429)
            limited.headers.update({"Retry-After": "60", REQUEST_ID_HEADER: request_id})
            return limited
        answer = self._converse(wanted)
        headers = {INTENT_HEADER: answer.intent, REQUEST_ID_HEADER: request_id}
        await asyncio.sleep(tempo.first_token())
        if wanted.stream:
            return await self._stream(request, wanted, answer, headers, started, tempo)
        response = json_response(answer.whole())
        response.headers.update(headers)
        return response

    def _converse(self, wanted: CompletionRequest) -> Answer:
        lost = self._behaviour.lost_intents
        memory = Memory()
        if self._behaviour.remembers:
            if wanted.session:
                memory = self._sessions.recall(wanted.session)
            memory = intents.replay(wanted.user_texts[:-1], memory, lost=lost)
        said = wanted.user_texts[-1]
        reply, memory = intents.respond(said, memory, lost=lost)
        reply = spoiled(reply, said, self._behaviour)
        if wanted.session:
            self._sessions.keep(wanted.session, memory)
        self._telemetry.intents.increment(reply.intent)
        tokens = pieces(reply.text)
        kept = tokens[: wanted.max_tokens][: tokens_kept(reply, len(tokens), self._behaviour)]
        return Answer(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=wanted.model,
            fingerprint=self._fingerprint,
            intent=reply.intent,
            tokens=kept,
            finish_reason="stop" if len(kept) == len(tokens) else "length",
            prompt_tokens=wanted.prompt_tokens,
        )

    async def _stream(
        self,
        request: web.Request,
        wanted: CompletionRequest,
        answer: Answer,
        headers: dict[str, str],
        started: float,
        tempo: Tempo,
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={**headers, "X-Accel-Buffering": "no"})
        response.content_type = "text/event-stream"
        response.charset = "utf-8"
        await response.prepare(request)
        chunks = answer.chunks(include_usage=wanted.include_usage)
        last_token = len(answer.tokens)
        cut = self._cuts.random() < self._behaviour.cut_share
        for index, chunk in enumerate(chunks):
            if (cut or self._behaviour.stalls) and index == 1 + last_token // 2:
                if self._behaviour.stalls:
                    await asyncio.sleep(self._stall)
                # Cut, not ended: the client must not take half an answer for a whole one.
                if request.transport is not None:
                    request.transport.abort()
                return response
            if 1 < index <= last_token:
                await asyncio.sleep(tempo.gap())
            await response.write(chunk)
            if index == 1:
                self._telemetry.first_token.observe(time.perf_counter() - started)
        await response.write_eof()
        return response

    def _broken(self) -> web.Response:
        status = self._behaviour.error_status
        if status == 503:
            return json_response(error_object("The model backend is unavailable.", kind="server_error"), status)
        message = "The server had an error while processing your request."
        return json_response(error_object(message, kind="server_error", code="internal_error"), status)
