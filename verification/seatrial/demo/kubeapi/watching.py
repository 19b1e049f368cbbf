"""Watches: changes as a stream of JSON lines, from a version on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from seatrial.demo.kubeapi.errors import ApiError
from seatrial.demo.kubeapi.resources import Resource
from seatrial.demo.kubeapi.selectors import fields, labels
from seatrial.demo.kubeapi.store import Event, Store
from seatrial.demo.kubeapi.tables import table

LONGEST: Final = 1800.0
"""Seconds after which a watch without ``timeoutSeconds`` ends; the real API takes between 30 and 60 minutes."""
BOOKMARK_EVERY: Final = 30.0
"""Seconds between bookmarks where nothing happens."""


async def serve(request: web.Request, store: Store, resource: Resource, namespace: str | None) -> web.StreamResponse:
    """Stream what matches until the time is over or the client leaves."""
    tests = [labels(request.query.get("labelSelector")), fields(request.query.get("fieldSelector"))]
    bookmarks = request.query.get("allowWatchBookmarks") in ("true", "1")
    seconds = request.query.get("timeoutSeconds", "")
    deadline = asyncio.get_running_loop().time() + (float(seconds) if seconds.isdigit() else LONGEST)
    asked = request.query.get("resourceVersion", "")
    scope = namespace if resource.namespaced else None
    as_table = "as=Table" in request.headers.get("Accept", "")

    def line(kind: str, item: Mapping[str, Any]) -> bytes:
        if as_table and kind not in ("ERROR", "BOOKMARK"):
            item = table([item], {"resourceVersion": item["metadata"]["resourceVersion"]}, resource.kind)
        return json.dumps({"type": kind, "object": item}).encode() + b"\n"

    def bookmark() -> bytes:
        item = {"kind": resource.kind, "apiVersion": resource.api_version}
        return line("BOOKMARK", {**item, "metadata": {"resourceVersion": str(seen), "creationTimestamp": None}})

    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        if asked in ("", "0"):
            seen = store.version
            for item in list(store.select(resource, scope, tests)):
                await response.write(line("ADDED", item))
        elif asked.isdigit():
            seen = int(asked)
        else:
            raise ApiError("BadRequest", f"resourceVersion: expected a number, seen {asked!r}")
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            changed = store.changed
            for event in store.since(seen):
                seen = event.version
                if (told := _told(event, resource, scope, tests)) is not None:
                    await response.write(line(told, event.item))
            try:
                await asyncio.wait_for(changed.wait(), min(left, BOOKMARK_EVERY))
            except TimeoutError:
                if bookmarks:
                    await response.write(bookmark())
    except ApiError as error:
        await response.write(line("ERROR", error.status()))
    except ConnectionResetError:
        return response
    await response.write_eof()
    return response


def _told(event: Event, resource: Resource, namespace: str | None, tests: list[Any]) -> str | None:
    """What a watch that selects is told of a change: an object may enter or leave what it selects."""
    if event.resource != (resource.group, resource.plural):
        return None
    if namespace is not None and event.item["metadata"].get("namespace") != namespace:
        return None
    matched = event.before is not None and all(test(event.before) for test in tests)
    matches = all(test(event.item) for test in tests)
    if event.type == "DELETED":
        return "DELETED" if matched or matches else None
    if matches:
        return "MODIFIED" if matched else "ADDED"
    return "DELETED" if matched else None
