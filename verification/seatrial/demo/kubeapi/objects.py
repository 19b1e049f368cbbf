"""Reads and writes of single objects, as the verbs of the API have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.demo.kubeapi import failure, listing, patch, scale, validation
from seatrial.demo.kubeapi.catalogue import Catalogue
from seatrial.demo.kubeapi.resource import DEFINITIONS, NAMESPACES, Object, Resource
from seatrial.demo.kubeapi.store import Store, now
from seatrial.demo.kubeapi.target import Target


class Objects:
    """The verbs. ``dry`` (``dryRun=All``) checks everything and stores nothing."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    def get(self, target: Target) -> Object:
        """The object, or its scale. Raises Failure 404."""
        found = self._store.get(target.resource, *target.place)
        return scale.of(found) if target.part == "scale" else found

    def create(self, target: Target, content: Any, *, dry: bool) -> Object:
        """Store a new object. Raises Failure 400, 404, 409 or 422."""
        content = validation.admitted(content, target)
        name = content["metadata"]["name"]
        namespace = target.namespace or ""
        if namespace:
            self._store.get(NAMESPACES, "", namespace)
        if self._store.has(target.resource, namespace, name):
            raise failure.already_exists(target.resource.full_name, name)
        content = _begun(target.resource, content)
        return content if dry else self._store.create(target.resource, content)

    def replace(self, target: Target, content: Any, *, dry: bool) -> Object:
        """Store a new state. Raises Failure 400, 404, 409 or 422."""
        before = self._store.get(target.resource, *target.place)
        if target.part == "scale":
            content = scale.applied(before, content)
        return self._stored(target, before, validation.admitted(content, target), dry=dry)

    def patch(self, target: Target, kind: str, change: Any, *, dry: bool) -> Object:
        """Patch; ``kind`` is the content type. Raises Failure 400, 404, 409, 415 or 422."""
        apply = patch.PATCHES.get(kind)
        if apply is None:
            expected = ", ".join(patch.PATCHES)
            message = f"the body of the request was in an unknown format - accepted media types include: {expected}"
            raise failure.Failure(415, "UnsupportedMediaType", message)
        if kind == patch.APPLY and not self._store.has(target.resource, *target.place) and not target.part:
            return self.create(target, change, dry=dry)
        before = self._store.get(target.resource, *target.place)
        if target.part == "scale":
            content = scale.applied(before, apply(scale.of(before), change))
        else:
            content = apply(before, change)
        return self._stored(target, before, validation.admitted(content, target), dry=dry)

    def delete(self, target: Target, options: Mapping[str, Any], *, dry: bool) -> Object:
        """Delete, and unless ``propagationPolicy`` is ``Orphan`` also what it owns. Raises Failure 404 or 409."""
        found = self._store.get(target.resource, *target.place)
        for key, value in (options.get("preconditions") or {}).items():
            if found["metadata"].get(key) != value:
                why = (
                    f"Precondition failed: {key} in precondition: {value}, in object meta: {found['metadata'].get(key)}"
                )
                raise failure.conflict(target.resource.full_name, target.name, why)
        if not dry:
            found = self._remove(target.resource, found, cascade=options.get("propagationPolicy") != "Orphan")
        return found

    def delete_all(self, target: Target, query: Mapping[str, str], *, dry: bool) -> Object:
        """Delete what the selectors choose; the list of it."""
        chosen = listing.chooser(query, target)
        found = [item for item in self._store.all(target.resource, target.namespace) if chosen(item)]
        for item in [] if dry else found:
            self._remove(target.resource, item, cascade=True)
        return {
            **listing.head(target.resource),
            "metadata": {"resourceVersion": str(self._store.version)},
            "items": found,
        }

    def _stored(self, target: Target, before: Object, content: Object, *, dry: bool) -> Object:
        asked = content["metadata"].get("resourceVersion")
        if asked and asked != before["metadata"]["resourceVersion"]:
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise failure.conflict(target.resource.full_name, target.name, why)
        uid = content["metadata"].get("uid")
        if uid and uid != before["metadata"]["uid"]:
            raise failure.conflict(target.resource.full_name, target.name, "the UID in the object is another one")
        if target.part == "status":
            content = {**before, "status": content.get("status", {})}
        elif "status" in target.resource.parts:
            content = {key: value for key, value in content.items() if key != "status"}
            content |= {"status": before["status"]} if "status" in before else {}
        validation.unchanged(target.resource, before, content)
        result = content if dry else self._store.replace(target.resource, content)
        if result["metadata"].get("deletionTimestamp") and not result["metadata"].get("finalizers") and not dry:
            result = self._remove(target.resource, result, cascade=True)
        return scale.of(result) if target.part == "scale" else result

    def _remove(self, resource: Resource, item: Object, *, cascade: bool) -> Object:
        meta = item["metadata"]
        place = (meta.get("namespace", ""), meta["name"])
        if meta.get("finalizers"):
            if meta.get("deletionTimestamp"):
                return item
            return self._store.replace(resource, {**item, "metadata": {**meta, "deletionTimestamp": now()}})
        # Asked before: a definition takes its resource with it, whose objects must go too.
        holders = {each.key: each for each in self._catalogue}
        removed = self._store.delete(resource, *place)
        for key, other in list(self._store.every()):
            theirs = other["metadata"]
            inside = (resource == NAMESPACES and theirs.get("namespace") == meta["name"]) or (
                resource == DEFINITIONS and key == (item["spec"]["group"], item["spec"]["names"]["plural"])
            )
            owned = cascade and any(owner.get("uid") == meta["uid"] for owner in theirs.get("ownerReferences") or ())
            # One that was gone before, with its own owner, is passed over.
            there = key in holders and self._store.has(holders[key], theirs.get("namespace", ""), theirs["name"])
            if there and (inside or owned):
                self._remove(holders[key], other, cascade=cascade)
        return removed


def _begun(resource: Resource, content: Object) -> Object:
    """A new object: without a status of the client's, with the one that it has at once in a cluster."""
    meta = {key: value for key, value in content["metadata"].items() if key not in ("uid", "resourceVersion")}
    meta = {key: value for key, value in meta.items() if key not in ("creationTimestamp", "generation")}
    content = {**content, "metadata": meta}
    if "status" in resource.parts:
        content["status"] = {}
    if resource == NAMESPACES:
        return {**content, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    if resource == DEFINITIONS:
        since = now()
        conditions = [
            {"type": kind, "status": "True", "reason": reason, "message": "accepted", "lastTransitionTime": since}
            for kind, reason in (("NamesAccepted", "NoConflicts"), ("Established", "InitialNamesAccepted"))
        ]
        accepted = {"conditions": conditions, "acceptedNames": content["spec"]["names"], "storedVersions": []}
        return {**content, "status": accepted}
    if resource.kind == "Pod":
        return {**content, "status": {"phase": "Pending"}}
    return content
