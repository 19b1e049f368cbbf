"""Chatbots that are spoken to with one JSON document and answer with another: Rasa's REST channel, and any other."""

from __future__ import annotations

import asyncio
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from seatrial.conversation.exchange import HttpExchange
from seatrial.conversation.placeholders import fill_all
from seatrial.conversation.protocol import REQUEST_ID_HEADER, Identity, Patience, Reply, Request
from seatrial.conversation.queries import check_query, select
from seatrial.environment.selection import ServiceTarget
from seatrial.http.concurrent import AsyncClient, Response

RASA_PATH: Final = "/webhooks/rest/webhook"
"""https://rasa.com/docs/rasa/connectors/your-own-website/#rest-channels"""


def request_for(method: str, url: str, body: Mapping[str, Any], identity: Identity) -> Request:
    """A request that carries our mark and asks for JSON."""
    headers = {
        **identity.headers,
        "Accept": "application/json",
        REQUEST_ID_HEADER: f"seatrial-{uuid.uuid4().hex}",
    }
    return Request(method=method, url=url, headers=headers, body=body)


class _JsonChannel:
    """One conversation; the service keeps it, under our session id."""

    def __init__(self, client: AsyncClient, target: ServiceTarget, identity: Identity) -> None:
        self._client = client
        self._target = target
        self._identity = identity

    @abstractmethod
    def prepare(self, text: str) -> Request:
        """The request that says ``text`` next."""

    async def send(self, request: Request, patience: Patience) -> Reply:
        """Send a prepared request. Raises NoReply."""
        return await self._exchange(request, patience).reply()

    @abstractmethod
    def _exchange(self, request: Request, patience: Patience) -> HttpExchange:
        """What a request and its answer are here."""

    async def close(self) -> None:
        """Nothing is held."""


class RasaChannel(_JsonChannel):
    """Rasa's REST channel: a list of messages answers each of the user's. It reports no intent."""

    def prepare(self, text: str) -> Request:
        """The request that says ``text`` next."""
        body = {"sender": self._identity.session_id, "message": text}
        return request_for("POST", self._target.base_url + RASA_PATH, body, self._identity)

    def _exchange(self, request: Request, patience: Patience) -> HttpExchange:
        return _RasaExchange(self._client, self._target, request, patience)


class _RasaExchange(HttpExchange):
    async def _take(self, response: Response, clock: asyncio.Timeout) -> Reply:  # noqa: ARG002
        content = await self._read(response)
        latency = self._elapsed
        body = self._document(response, content, "a list of messages in JSON")
        if not isinstance(body, list) or not all(isinstance(message, dict) for message in body):
            raise self._no_reply("a list of messages", f"{type(body).__name__}")
        if not body:
            raise self._no_reply("at least one message", "an empty list: no action of the assistant answered")
        texts = [str(message["text"]) for message in body if isinstance(message.get("text"), str)]
        return Reply(
            text="\n".join(texts), latency=latency, body=body, status=self._status, request_id=self._request_id
        )


class JsonChannel(_JsonChannel):
    """Any service that takes and gives JSON, as the environment describes it in ``services.NAME.http``.

    Raises ValueError for a JSONPath that is none.
    """

    def __init__(self, client: AsyncClient, target: ServiceTarget, identity: Identity) -> None:
        super().__init__(client, target, identity)
        for query in (target.service.http.reply, target.service.http.intent):
            if query is not None:
                check_query(query)

    def prepare(self, text: str) -> Request:
        """The request that says ``text`` next."""
        described = self._target.service.http
        body = fill_all(described.body, {"text": text, "session": self._identity.session_id})
        return request_for(described.method, self._target.base_url + described.path, body, self._identity)

    def _exchange(self, request: Request, patience: Patience) -> HttpExchange:
        return _JsonExchange(self._client, self._target, request, patience)


class _JsonExchange(HttpExchange):
    async def _take(self, response: Response, clock: asyncio.Timeout) -> Reply:  # noqa: ARG002
        described = self._target.service.http
        content = await self._read(response)
        latency = self._elapsed
        body = self._document(response, content, "an answer in JSON")
        texts = [value for value in select(described.reply, body) if isinstance(value, str)]
        if not texts:
            raise self._no_reply(f"a text at {described.reply}", f"none in {content[:80].decode('utf-8', 'replace')!r}")
        return Reply(
            text="\n".join(texts),
            latency=latency,
            body=body,
            intent=intent_at(described.intent, body),
            status=self._status,
            request_id=self._request_id,
        )


def intent_at(query: str | None, body: Any) -> str | None:
    """The intent that an answer reports, where the environment says where it stands."""
    found = select(query, body) if query is not None else []
    return found[0] if found and isinstance(found[0], str) else None
