"""Who may do what: tokens to users, and the RBAC objects that the store holds to a yes or a no."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from seatrial.demo.kubeapi.store import Store

_GROUP: Final = "rbac.authorization.k8s.io"
MASTERS: Final = "system:masters"
ALWAYS: Final = (
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
)
"""What `system:discovery` and `system:public-info-viewer` give to everybody who is authenticated."""


@dataclass(frozen=True, kw_only=True)
class User:
    """An authenticated user."""

    name: str
    groups: tuple[str, ...] = ()

    @classmethod
    def service_account(cls, namespace: str, name: str) -> User:
        """The user of a service account."""
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return cls(name=f"system:serviceaccount:{namespace}:{name}", groups=groups)


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What is asked: a verb on a resource, or on a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


def _matches(rule: Mapping[str, Any], asked: Attributes) -> bool:
    def has(key: str, value: str) -> bool:
        values = rule.get(key) or []
        return "*" in values or value in values

    if not has("verbs", asked.verb):
        return False
    if asked.path:
        urls = rule.get("nonResourceURLs") or []
        return any(url == asked.path or (url.endswith("*") and asked.path.startswith(url[:-1])) for url in urls)
    full = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    resources = rule.get("resources") or []
    named = "*" in resources or full in resources or bool(asked.subresource and f"*/{asked.subresource}" in resources)
    names = rule.get("resourceNames") or []
    return has("apiGroups", asked.group) and named and (not names or asked.name in names)


class Authorizer:
    """Reads Roles, ClusterRoles and their bindings from the store at every question."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def allows(self, user: User, asked: Attributes) -> bool:
        """Whether ``user`` may."""
        if MASTERS in user.groups:
            return True
        if asked.path and asked.verb == "get" and _matches({"verbs": ["get"], "nonResourceURLs": ALWAYS}, asked):
            return True
        if asked.group == "authorization.k8s.io" and asked.resource.startswith("self"):
            return asked.verb == "create"
        return any(_matches(rule, asked) for rule in self.rules(user, asked.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Mapping[str, Any]]:
        """Rules that hold for ``user`` in ``namespace``; cluster-wide ones always."""
        for binding in self._all("clusterrolebindings"):
            if _binds(binding, user):
                yield from self._role(binding, "")
        for binding in self._all("rolebindings", namespace) if namespace else ():
            if _binds(binding, user):
                yield from self._role(binding, namespace)

    def _all(self, plural: str, namespace: str | None = None) -> Iterator[Mapping[str, Any]]:
        resource = self.store.registry.find(_GROUP, "v1", plural)
        assert resource is not None
        yield from self.store.select(resource, namespace, [])

    def _role(self, binding: Mapping[str, Any], namespace: str) -> Iterator[Mapping[str, Any]]:
        reference = binding["roleRef"]
        plural = "roles" if reference["kind"] == "Role" else "clusterroles"
        for role in self._all(plural, namespace if plural == "roles" else None):
            if role["metadata"]["name"] == reference["name"]:
                yield from role.get("rules") or []


def _binds(binding: Mapping[str, Any], user: User) -> bool:
    for subject in binding.get("subjects") or []:
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return True
        if kind == "Group" and name in user.groups:
            return True
        if kind == "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            if user.name == f"system:serviceaccount:{namespace}:{name}":
                return True
    return False
