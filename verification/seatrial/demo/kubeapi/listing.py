"""Lists: chosen by selectors, in pages that show one moment."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from seatrial.demo.kubeapi import failure, selectors
from seatrial.demo.kubeapi.resource import Object, Resource
from seatrial.demo.kubeapi.selectors import Chooser
from seatrial.demo.kubeapi.store import Store
from seatrial.demo.kubeapi.target import Target


def chooser(query: Mapping[str, str], target: Target) -> Chooser:
    """What the selectors of a request choose; a name in the path chooses too, for watches of one object."""
    by_label = selectors.labels(query.get("labelSelector", ""))
    by_field = selectors.fields(query.get("fieldSelector", ""), target.resource.kind)

    def chosen(item: Object) -> bool:
        meta = item["metadata"]
        if target.name and meta["name"] != target.name:
            return False
        if target.namespace is not None and meta.get("namespace") != target.namespace:
            return False
        return by_label(item) and by_field(item)

    return chosen


def number(query: Mapping[str, str], name: str) -> int:
    """A query parameter that is a number; 0 without it. Raises Failure 400."""
    text = query.get(name) or "0"
    if not text.isdecimal():
        raise failure.bad_request(f"{name}: expected a number of at least 0, got {text!r}")
    return int(text)


def answer(store: Store, target: Target, query: Mapping[str, str]) -> Object:
    """The list object. Raises Failure 400 and, for a page of a forgotten moment, 410."""
    limit, token = number(query, "limit"), query.get("continue")
    version, after = _read(token) if token else (store.version, None)
    if not token and query.get("resourceVersion") not in (None, "", "0"):
        asked = number(query, "resourceVersion")
        if query.get("resourceVersionMatch") == "Exact":
            version = asked
        else:
            store.since(min(asked, store.version) if asked <= store.version else asked)
    chosen = chooser(query, target)
    current = version == store.version
    found = store.all(target.resource, target.namespace) if current else _past(store, target, version)
    items = [item for item in found if chosen(item) and (after is None or _place(item) > after)]
    meta: dict[str, Any] = {"resourceVersion": str(version)}
    if limit and len(items) > limit:
        meta["continue"] = _write(version, _place(items[limit - 1]))
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            meta["remainingItemCount"] = len(items) - limit
        items = items[:limit]
    return {**head(target.resource), "metadata": meta, "items": items}


def head(resource: Resource) -> Object:
    """``kind`` and ``apiVersion`` of a list."""
    return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}


def _past(store: Store, target: Target, version: int) -> list[Object]:
    return store.snapshot(target.resource, target.namespace, version)


def _place(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _write(version: int, after: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps({"v": version, "after": after}).encode()).decode()


def _read(token: str) -> tuple[int, tuple[str, str]]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token))
        namespace, name = content["after"]
        return int(content["v"]), (str(namespace), str(name))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise failure.bad_request(f"continue key is not valid: {error}") from error
