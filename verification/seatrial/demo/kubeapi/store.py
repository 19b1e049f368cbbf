"""Objects with versions, and the recent changes to them, from which watches and older snapshots are served."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from seatrial.demo.kubeapi import failure
from seatrial.demo.kubeapi.resource import Object, Resource

HISTORY: Final = 1000
"""Changes that are remembered; a watch from before them is answered 410."""

Place = tuple[str, str]
"""Namespace, empty for what is of the cluster, and name: sorted by it, as lists are."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change; ``before`` is None for a creation, ``after`` is the last state of what was deleted."""

    version: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: tuple[str, str]
    place: Place
    before: Object | None
    after: Object


class Store:
    """All objects. Versions are counted for the store as a whole, as etcd does."""

    def __init__(self, *, history: int = HISTORY) -> None:
        self.version = 1
        self._objects: dict[tuple[str, str], dict[Place, Object]] = {}
        self._changes: deque[Change] = deque(maxlen=history)
        self._changed = asyncio.Event()

    def all(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        """Objects by namespace and name; of every namespace without ``namespace``."""
        return self._sorted(self._objects.get(resource.key, {}), namespace)

    def every(self) -> Iterator[tuple[tuple[str, str], Object]]:
        """All objects of all resources, each with the key of its resource."""
        for key, objects in list(self._objects.items()):
            for found in list(objects.values()):
                yield key, found

    def snapshot(self, resource: Resource, namespace: str | None, version: int) -> list[Object]:
        """Objects as they were at ``version``. Raises Failure 410 when that is forgotten."""
        objects = dict(self._objects.get(resource.key, {}))
        for change in reversed(self.since(version)):
            if change.resource == resource.key:
                if change.before is None:
                    del objects[change.place]
                else:
                    objects[change.place] = change.before
        return self._sorted(objects, namespace)

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """One object. Raises Failure 404."""
        try:
            return self._objects[resource.key][namespace, name]
        except KeyError:
            raise failure.not_found(resource.full_name, name, resource.group) from None

    def has(self, resource: Resource, namespace: str, name: str) -> bool:
        """Whether there is such an object."""
        return (namespace, name) in self._objects.get(resource.key, {})

    def create(self, resource: Resource, content: Object) -> Object:
        """Store a new object and give it a uid, a creation time, a version and a generation. Raises Failure 409."""
        meta = content["metadata"]
        place = (meta.get("namespace", ""), meta["name"])
        if self.has(resource, *place):
            raise failure.already_exists(resource.full_name, meta["name"])
        given = {
            "uid": meta.get("uid") or str(uuid.uuid4()),
            "creationTimestamp": meta.get("creationTimestamp") or now(),
        }
        generation = {"generation": meta.get("generation", 1)} if "spec" in content else {}
        return self._commit("ADDED", resource, place, None, {**content, "metadata": {**meta, **given, **generation}})

    def replace(self, resource: Resource, content: Object) -> Object:
        """Store a new state of an object; one that changes nothing gets no new version."""
        meta = content["metadata"]
        before = self.get(resource, meta.get("namespace", ""), meta["name"])
        old = before["metadata"]
        kept = {key: old[key] for key in ("uid", "creationTimestamp", "resourceVersion", "generation") if key in old}
        content = {**content, "metadata": {**meta, **kept}}
        if content == before:
            return before
        if "generation" in old and content.get("spec") != before.get("spec"):
            content["metadata"]["generation"] = old["generation"] + 1
        return self._commit("MODIFIED", resource, (meta.get("namespace", ""), meta["name"]), before, content)

    def delete(self, resource: Resource, namespace: str, name: str) -> Object:
        """Remove an object and return its last state. Raises Failure 404."""
        before = self.get(resource, namespace, name)
        return self._commit("DELETED", resource, (namespace, name), before, before)

    def since(self, version: int) -> list[Change]:
        """Changes after ``version``, oldest first. Raises Failure 410 when some are forgotten, 504 for the future."""
        if version > self.version:
            message = f"Too large resource version: {version}, current: {self.version}"
            raise failure.Failure(504, "Timeout", message, {"retryAfterSeconds": 1})
        oldest = self._changes[0].version - 1 if self._changes else self.version
        if version < oldest:
            raise failure.expired(oldest, version)
        newer = []
        for change in reversed(self._changes):
            if change.version <= version:
                break
            newer.append(change)
        return newer[::-1]

    async def wait(self, timeout: float) -> bool:
        """Wait for the next change, at most ``timeout`` seconds; whether there was one."""
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def forget(self) -> None:
        """Drop the history: what was loaded at the start is where watches begin."""
        self._changes.clear()

    @staticmethod
    def _sorted(objects: dict[Place, Object], namespace: str | None) -> list[Object]:
        places: Iterable[Place] = sorted(objects)
        return [objects[place] for place in places if namespace is None or place[0] == namespace]

    def _commit(
        self,
        kind: Literal["ADDED", "MODIFIED", "DELETED"],
        resource: Resource,
        place: Place,
        before: Object | None,
        after: Object,
    ) -> Object:
        self.version += 1
        after = {**after, "metadata": {**after["metadata"], "resourceVersion": str(self.version)}}
        objects = self._objects.setdefault(resource.key, {})
        if kind == "DELETED":
            del objects[place]
        else:
            objects[place] = after
        change = Change(version=self.version, type=kind, resource=resource.key, place=place, before=before, after=after)
        self._changes.append(change)
        self._changed.set()
        self._changed = asyncio.Event()
        return after


def now() -> str:
    """The time as Kubernetes writes it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
