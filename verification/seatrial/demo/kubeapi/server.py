"""The HTTP side: from a request to an object, a list, a stream or a ``Status``."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

import yaml
from aiohttp import web

from seatrial.demo.kubeapi import discovery, failure, listing, patch, protobuf, reviews, tables, target, watch
from seatrial.demo.kubeapi.catalogue import Catalogue
from seatrial.demo.kubeapi.failure import Failure
from seatrial.demo.kubeapi.objects import Objects
from seatrial.demo.kubeapi.rbac import Attempt, Gatekeeper, User
from seatrial.demo.kubeapi.resource import Object
from seatrial.demo.kubeapi.store import Store
from seatrial.demo.kubeapi.target import Target

_LOG = logging.getLogger(__name__)

_HEALTH: Final = ("/healthz", "/livez", "/readyz")
_BODY: Final = 3 * 1024 * 1024
"""Bytes of the largest body, as in a cluster."""

_WRITES: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Server:
    """Answers requests from a store."""

    def __init__(self, store: Store, catalogue: Catalogue, gatekeeper: Gatekeeper) -> None:
        self._store = store
        self._catalogue = catalogue
        self._gatekeeper = gatekeeper
        self._objects = Objects(store, catalogue)

    def application(self) -> web.Application:
        """What aiohttp serves."""
        app = web.Application(client_max_size=_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._respond(request)
        except Failure as refused:
            status = refused.status()
        except failure.NoSuchPath as nowhere:
            return web.Response(text=nowhere.text, status=404)
        except web.HTTPException as refused:
            status = Failure(refused.status, "BadRequest", refused.reason).status()
        except Exception as error:  # noqa: BLE001 - logged, and told to the client
            _LOG.exception("%s %s", request.method, request.path)
            status = Failure(500, "InternalError", f"Internal error occurred: {error!r}").status()
        return web.json_response(status, status=status["code"])

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path in _HEALTH:
            return web.Response(text="ok")
        user = self._user(request)
        found = target.parse(path, self._catalogue)
        if found is None:
            return self._discover(request, user)
        verb = _verb(request, found)
        self._gatekeeper.demand(user, found.attempt(verb))
        if verb == "watch":
            return await self._watch(request, found)
        if verb == "list":
            return _send(request, listing.answer(self._store, found, request.query), found)
        if verb == "get":
            answer = self._objects.get(found)
            if found.part == "log":
                return web.Response(text=f"{found.name}: the demo's pods are objects only and write no logs\n")
            return _send(request, answer, found)
        return await self._write(request, user, found, verb)

    def _user(self, request: web.Request) -> User:
        """Who asks, or whom they ask as. Raises Failure 401 or 403."""
        user = self._gatekeeper.authenticate(request.headers.get("Authorization"))
        other = request.headers.get("Impersonate-User")
        if other is None:
            return user
        self._gatekeeper.demand(user, Attempt(verb="impersonate", resource="users", name=other))
        groups = request.headers.getall("Impersonate-Group", [])
        return User(name=other, groups=(*groups, "system:authenticated"))

    async def _write(self, request: web.Request, user: User, found: Target, verb: str) -> web.Response:
        body = await _body(request, found)
        dry = request.query.get("dryRun") == "All"
        if verb == "create" and not found.resource.stored:
            return web.json_response(reviews.answer(self._gatekeeper, user, found, body), status=201)
        if verb == "create":
            return _send(request, self._objects.create(found, body, dry=dry), found, 201)
        if verb == "update":
            return _send(request, self._objects.replace(found, body, dry=dry), found)
        if verb == "patch":
            answer = self._objects.patch(found, request.content_type, body, dry=dry)
            return _send(request, answer, found)
        if verb == "delete":
            options = {"propagationPolicy": request.query.get("propagationPolicy"), **(body or {})}
            gone = self._objects.delete(found, options, dry=dry)
            details = {"name": found.name, "kind": found.resource.plural, "uid": gone["metadata"].get("uid")}
            if gone["metadata"].get("deletionTimestamp") or found.resource.kind == "Pod":
                return _send(request, gone, found)
            done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
            return web.json_response(done)
        return _send(request, self._objects.delete_all(found, request.query, dry=dry), found)

    def _discover(self, request: web.Request, user: User) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            raise failure.method_not_allowed(request.method)
        self._gatekeeper.demand(user, Attempt(verb="get", path=request.path))
        document = discovery.answer(request.path, self._catalogue)
        if document is None:
            raise failure.NoSuchPath
        return web.json_response(document)

    async def _watch(self, request: web.Request, found: Target) -> web.StreamResponse:
        events = watch.events(self._store, found, request.query)
        as_table = tables.wanted(request.headers.get("Accept", ""))
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache"})
        # At once: clients wait for the header, and there may be nothing to tell for long.
        await response.prepare(request)
        try:
            async for event in events:
                if as_table and event["type"] != "ERROR":
                    event = {**event, "object": tables.table(event["object"], found.resource)}
                await response.write(json.dumps(event).encode() + b"\n")
        finally:
            await events.aclose()
        await response.write_eof()
        return response


def _verb(request: web.Request, found: Target) -> str:
    """The verb that rules name. Raises Failure 405."""
    method = request.method
    if method in ("GET", "HEAD") and found.resource.stored:
        if request.query.get("watch") in ("true", "1") and not found.part:
            return "watch"
        return "get" if found.name else "list"
    verb = _WRITES.get(method)
    usual = (method == "POST") != bool(found.name) and (found.resource.stored or method == "POST")
    if verb == "delete" and not found.name and found.resource.stored:
        return "deletecollection"
    if verb is None or not usual or found.part == "log" or (found.part and verb == "delete"):
        raise failure.method_not_allowed(method)
    if verb == "create" and found.resource.namespaced and found.namespace is None:
        raise failure.method_not_allowed(method)
    return verb


async def _body(request: web.Request, found: Target) -> Any:
    raw = await request.read()
    if not raw:
        return None
    if request.content_type == protobuf.TYPE:
        return protobuf.review(raw, found.resource.kind)
    try:
        text = raw.decode()
        return yaml.safe_load(text) if request.content_type in (patch.APPLY, "application/yaml") else json.loads(text)
    except (ValueError, yaml.YAMLError) as error:
        raise failure.bad_request(f"the body cannot be decoded as {request.content_type}: {error}") from error


def _send(request: web.Request, answer: Object, found: Target, code: int = 200) -> web.Response:
    if tables.wanted(request.headers.get("Accept", "")) and found.part != "scale":
        answer = tables.table(answer, found.resource)
    return web.json_response(answer, status=code)
