"""Objects in memory with versions, generations and a log of events: the API server's storage without a disk."""

from __future__ import annotations

import asyncio
import base64
import copy
import datetime as dt
import json
import re
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from seatrial.demo.kubeapi.errors import ApiError
from seatrial.demo.kubeapi.resources import Registry, Resource
from seatrial.demo.kubeapi.selectors import Predicate

KEPT_EVENTS: Final = 2_000
"""Changes that a watch can go back to; an older resourceVersion is `410 Gone`."""
KEPT_PAGES: Final = 64
"""Lists that are being paged through at a time; the oldest expires."""

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_RBAC_NAME: Final = re.compile(r"[^/%]+")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change. ``before`` is the object as it was, for watches that select."""

    version: int
    type: str
    resource: tuple[str, str]
    item: Mapping[str, Any]
    before: Mapping[str, Any] | None


def now() -> str:
    """RFC 3339 in UTC, to the second, as metadata carries it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """All objects. Belongs to one event loop; nothing here awaits, so every call is atomic."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.version = 1
        self.events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self.changed = asyncio.Event()
        self._oldest = 1
        self._objects: dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]] = {}
        self._pages: OrderedDict[str, tuple[int, list[dict[str, Any]]]] = OrderedDict()

    def _of(self, resource: Resource) -> dict[tuple[str, str], dict[str, Any]]:
        return self._objects.setdefault((resource.group, resource.plural), {})

    def expire(self) -> None:
        """Forget the log and all pages, as a compaction does."""
        self.events.clear()
        self._oldest = self.version + 1
        self._pages.clear()

    def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        """The object. Raises ApiError NotFound."""
        found = self._of(resource).get((namespace, name))
        if found is None:
            words = f'{resource.name} "{name}" not found'
            raise ApiError("NotFound", words, name=name, group=resource.group, kind=resource.plural)
        return found

    def select(self, resource: Resource, namespace: str | None, tests: list[Predicate]) -> Iterator[dict[str, Any]]:
        """Objects in the order of namespace and name; of all namespaces where it is None."""
        for (own, _), item in sorted(self._of(resource).items()):
            if (namespace is None or own == namespace) and all(test(item) for test in tests):
                yield item

    def page(
        self, resource: Resource, namespace: str | None, tests: list[Predicate], limit: int, token: str | None
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Items and list metadata. All pages show the state of the first. Raises ApiError Expired."""
        if token:
            try:
                key, start = json.loads(base64.urlsafe_b64decode(token))
            except ValueError:
                raise ApiError("BadRequest", "continue key is not valid") from None
            if key not in self._pages:
                words = "The provided continue parameter is too old to display a consistent list result."
                raise ApiError("Expired", words)
            version, items = self._pages[key]
        else:
            key, start, version = uuid.uuid4().hex, 0, self.version
            items = list(self.select(resource, namespace, tests))
            if limit and len(items) > limit:
                self._pages[key] = (version, [copy.deepcopy(item) for item in items])
                while len(self._pages) > KEPT_PAGES:
                    self._pages.popitem(last=False)
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        end = start + limit if limit else len(items)
        if end < len(items):
            metadata["continue"] = base64.urlsafe_b64encode(json.dumps([key, end]).encode()).decode()
            metadata["remainingItemCount"] = len(items) - end
        else:
            self._pages.pop(key, None)
        return items[start:end], metadata

    def create(self, resource: Resource, namespace: str, item: dict[str, Any]) -> dict[str, Any]:
        """Add an object. Raises ApiError: AlreadyExists, NotFound for its namespace, Invalid."""
        item = _typed(resource, item)
        metadata = item["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        self._check(resource, namespace, item)
        name = metadata["name"]
        if (namespace, name) in self._of(resource):
            words = f'{resource.name} "{name}" already exists'
            raise ApiError("AlreadyExists", words, name=name, group=resource.group, kind=resource.plural)
        if resource.namespaced:
            metadata["namespace"] = namespace
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", now())
        if "spec" in item:
            metadata.setdefault("generation", 1)
        _convert(resource, item)
        return self._put(resource, namespace, item, None)

    def update(
        self, resource: Resource, namespace: str, name: str, item: dict[str, Any], *, subresource: str = ""
    ) -> dict[str, Any]:
        """Replace an object, or only its status, or only what is not its status. Raises ApiError: Conflict, Invalid."""
        old = self.get(resource, namespace, name)
        item = _typed(resource, item)
        asked = item["metadata"].get("resourceVersion")
        if asked and asked != old["metadata"]["resourceVersion"]:
            words = (
                f'Operation cannot be fulfilled on {resource.name} "{name}": the object has been modified; '
                "please apply your changes to the latest version and try again"
            )
            raise ApiError("Conflict", words, name=name, group=resource.group, kind=resource.plural)
        if subresource == "status":
            new = {**copy.deepcopy(old), "status": item.get("status", {})}
        else:
            new = item
            if resource.status and "status" in old:
                new["status"] = copy.deepcopy(old["status"])
            elif resource.status:
                new.pop("status", None)
        metadata = {**new["metadata"], "name": name}
        for key in ("namespace", "uid", "creationTimestamp", "generation"):
            if key in old["metadata"]:
                metadata[key] = old["metadata"][key]
        new["metadata"] = metadata
        self._check(resource, namespace, new)
        _convert(resource, new)
        if new.get("spec") != old.get("spec"):
            metadata["generation"] = old["metadata"].get("generation", 1) + 1
        if {**new, "metadata": {**metadata, "resourceVersion": ""}} == {
            **old,
            "metadata": {**old["metadata"], "resourceVersion": ""},
        }:
            return old
        return self._put(resource, namespace, new, old)

    def delete(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        """Remove an object and, with it, what a namespace holds or an owner owns. Raises ApiError NotFound."""
        old = self.get(resource, namespace, name)
        self.version += 1
        gone = copy.deepcopy(old)
        gone["metadata"]["resourceVersion"] = str(self.version)
        del self._of(resource)[namespace, name]
        self._log(
            Event(
                version=self.version, type="DELETED", resource=(resource.group, resource.plural), item=gone, before=old
            )
        )
        if resource.plural == "customresourcedefinitions":
            self.registry.remove(old)
        self._collect(lambda other, item: _belongs(resource, old, other, item))
        return gone

    def _collect(self, doomed: Callable[[tuple[str, str], Mapping[str, Any]], bool]) -> None:
        for resource in list(self.registry):
            key = (resource.group, resource.plural)
            for namespace, name in [k for k, item in self._of(resource).items() if doomed(k, item)]:
                if (namespace, name) in self._objects.get(key, {}):
                    self.delete(resource, namespace, name)

    def _check(self, resource: Resource, namespace: str, item: Mapping[str, Any]) -> None:
        name = item["metadata"].get("name")
        pattern = _RBAC_NAME if resource.group == "rbac.authorization.k8s.io" else _NAME
        if not isinstance(name, str) or len(name) > 253 or not pattern.fullmatch(name):
            words = f'{resource.kind}.{resource.group} "{name}" is invalid: metadata.name: expected a DNS subdomain'
            raise ApiError("Invalid", words, name=str(name), group=resource.group, kind=resource.kind)
        own = item["metadata"].get("namespace")
        if resource.namespaced and own and own != namespace:
            words = f"the namespace of the provided object does not match the namespace sent on the request: {own}"
            raise ApiError("BadRequest", words)
        if resource.namespaced:
            spaces = next(r for r in self.registry if r.plural == "namespaces" and not r.group)
            self.get(spaces, "", namespace)

    def _put(
        self, resource: Resource, namespace: str, item: dict[str, Any], old: dict[str, Any] | None
    ) -> dict[str, Any]:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self._of(resource)[namespace, item["metadata"]["name"]] = item
        if resource.plural == "customresourcedefinitions":
            self.registry.add(item)
        kind = "MODIFIED" if old is not None else "ADDED"
        self._log(
            Event(version=self.version, type=kind, resource=(resource.group, resource.plural), item=item, before=old)
        )
        return item

    def _log(self, event: Event) -> None:
        if len(self.events) == self.events.maxlen:
            self._oldest = self.events[0].version + 1
        self.events.append(event)
        self.changed.set()
        self.changed = asyncio.Event()

    def since(self, version: int) -> list[Event]:
        """Changes after ``version``. Raises ApiError Expired where they are no longer known."""
        if version + 1 < self._oldest:
            raise ApiError("Expired", f"too old resource version: {version} ({self._oldest})")
        return [event for event in self.events if event.version > version]


def _typed(resource: Resource, item: dict[str, Any]) -> dict[str, Any]:
    item = copy.deepcopy(item)
    told = (item.get("apiVersion", resource.api_version), item.get("kind", resource.kind))
    if told != (resource.api_version, resource.kind):
        words = f"the object is {told[0]} {told[1]}, the path is for {resource.api_version} {resource.kind}"
        raise ApiError("BadRequest", words)
    if not isinstance(item.setdefault("metadata", {}), dict):
        raise ApiError("BadRequest", "metadata: expected an object")
    return {"apiVersion": resource.api_version, "kind": resource.kind, **item}


def _convert(resource: Resource, item: dict[str, Any]) -> None:
    """What the API does to some kinds as it takes them."""
    if resource.kind == "Secret" and not resource.group:
        data = dict(item.get("data") or {})
        for key, text in (item.pop("stringData", None) or {}).items():
            data[key] = base64.b64encode(str(text).encode()).decode()
        if data:
            item["data"] = data
        item.setdefault("type", "Opaque")
    if resource.kind == "Namespace":
        item.setdefault("status", {"phase": "Active"})
        labels = item["metadata"].setdefault("labels", {})
        labels.setdefault("kubernetes.io/metadata.name", item["metadata"]["name"])


def _belongs(resource: Resource, gone: Mapping[str, Any], key: tuple[str, str], item: Mapping[str, Any]) -> bool:
    if resource.kind == "Namespace" and not resource.group and key[0] == gone["metadata"]["name"]:
        return True
    owners = item.get("metadata", {}).get("ownerReferences") or []
    return any(owner.get("uid") == gone["metadata"]["uid"] for owner in owners)
