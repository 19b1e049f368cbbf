"""What a request is about: the resource, the namespace, the name and the subresource that its path names."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.demo.kubeapi import failure
from seatrial.demo.kubeapi.catalogue import Catalogue
from seatrial.demo.kubeapi.rbac import Attempt
from seatrial.demo.kubeapi.resource import Resource


@dataclass(frozen=True, kw_only=True)
class Target:
    """``namespace`` is None for all namespaces and for what is of the cluster; ``name`` is empty for a collection."""

    resource: Resource
    namespace: str | None
    name: str
    part: str

    @property
    def place(self) -> tuple[str, str]:
        """Where the store has the object."""
        return self.namespace or "", self.name

    def attempt(self, verb: str) -> Attempt:
        """What to ask the gatekeeper."""
        return Attempt(
            verb=verb,
            group=self.resource.group,
            resource=self.resource.plural,
            part=self.part,
            # A namespace is looked up in itself, as rules of its own roles may permit it.
            namespace=self.namespace or (self.name if self.resource.kind == "Namespace" else ""),
            name=self.name,
        )


def parse(path: str, catalogue: Catalogue) -> Target | None:
    """The target of ``path``; None where it lies outside of all groups. Raises NoSuchPath for an unknown resource."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if not rest:
        return None
    namespace = None
    # `namespaces/NAME/status` is a subresource, `namespaces/NAME/pods` a collection.
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    resource = catalogue.find(group, version, rest[0])
    if resource is None or len(rest) > 3 or (namespace is not None and not resource.namespaced):
        raise failure.NoSuchPath
    name = rest[1] if len(rest) > 1 else ""
    part = rest[2] if len(rest) > 2 else ""
    if (part and part not in resource.parts) or (name and resource.namespaced and namespace is None):
        raise failure.NoSuchPath
    return Target(resource=resource, namespace=namespace, name=name, part=part)
