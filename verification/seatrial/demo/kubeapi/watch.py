"""Watches: what has changed since a version, as a stream of events, until the client or the time limit ends it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from typing import Final

from seatrial.demo.kubeapi import listing
from seatrial.demo.kubeapi.failure import Failure
from seatrial.demo.kubeapi.resource import Object
from seatrial.demo.kubeapi.selectors import Chooser
from seatrial.demo.kubeapi.store import Change, Store
from seatrial.demo.kubeapi.target import Target

LONGEST: Final = 3600
"""Seconds that a watch lasts without ``timeoutSeconds``."""

_INITIAL_END: Final = "k8s.io/initial-events-end"


async def events(store: Store, target: Target, query: Mapping[str, str]) -> AsyncGenerator[Object]:
    """Events as they happen. A forgotten version yields one ``ERROR`` with a 410 ``Status``, as in a cluster."""
    chosen = listing.chooser(query, target)
    bookmarks = query.get("allowWatchBookmarks") == "true"
    initial = query.get("sendInitialEvents") == "true"
    deadline = time.monotonic() + (listing.number(query, "timeoutSeconds") or LONGEST)
    seen = listing.number(query, "resourceVersion")
    if seen == 0 or initial:
        # All in one step, without a pause in which something could change.
        seen = store.version
        for item in [item for item in store.all(target.resource, target.namespace) if chosen(item)]:
            yield {"type": "ADDED", "object": item}
        if initial:
            yield _bookmark(target, seen, {_INITIAL_END: "true"})
    while True:
        try:
            changes = store.since(seen)
        except Failure as refused:
            yield {"type": "ERROR", "object": refused.status()}
            return
        for change in changes:
            seen = change.version
            if change.resource == target.resource.key and (event := _event(change, chosen)):
                yield event
        left = deadline - time.monotonic()
        # Changes during a yield are seen by `since` before we wait.
        if store.version == seen and (left <= 0 or not await store.wait(left)):
            break
    if bookmarks:
        yield _bookmark(target, seen, {})


def _event(change: Change, chosen: Chooser) -> Object | None:
    """The change as the selectors let it be seen: something that begins to match is added, and the reverse."""
    was = change.before is not None and chosen(change.before)
    is_now = change.type != "DELETED" and chosen(change.after)
    if not was and not is_now:
        return None
    kind = "MODIFIED" if was and is_now else "ADDED" if is_now else "DELETED"
    return {"type": kind, "object": change.after}


def _bookmark(target: Target, version: int, annotations: dict[str, str]) -> Object:
    meta = {"resourceVersion": str(version), **({"annotations": annotations} if annotations else {})}
    resource = target.resource
    return {
        "type": "BOOKMARK",
        "object": {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta},
    }
