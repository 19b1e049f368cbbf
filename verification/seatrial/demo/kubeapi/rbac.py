"""Who may do what: tokens, and the rules of the stored roles and bindings."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from seatrial.demo.kubeapi.failure import Failure
from seatrial.demo.kubeapi.resource import BUILTIN, Object, Resource
from seatrial.demo.kubeapi.store import Store

_BY_KIND: Final[Mapping[str, Resource]] = {
    resource.kind: resource for resource in BUILTIN if resource.group == "rbac.authorization.k8s.io"
}
_PUBLIC: Final = ("/version", "/version/", "/healthz", "/livez", "/readyz")
_DISCOVERY: Final = ("/api", "/apis", "/openapi")


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who has been recognised."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)

    @property
    def unlimited(self) -> bool:
        """Whether no rule is asked."""
        return "system:masters" in self.groups


def service_account(namespace: str, name: str) -> User:
    """The user that a ServiceAccount is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(name=f"system:serviceaccount:{namespace}:{name}", groups=groups)


ADMIN: Final = User(name="kubernetes-admin", groups=("system:masters", "system:authenticated"))


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What somebody wants to do: with a resource, or with a ``path`` that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    part: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


class Gatekeeper:
    """Recognises tokens and decides on attempts, by what is stored at that moment."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens: dict[str, User] = {}

    def admit(self, user: User) -> str:
        """A new token for ``user``."""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = user
        return token

    def recognise(self, token: str) -> User | None:
        """Who has this token."""
        for known, user in self._tokens.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                return user
        return None

    def authenticate(self, header: str | None) -> User:
        """Who sends this ``Authorization`` header. Raises Failure 401."""
        scheme, _, token = (header or "").partition(" ")
        user = self.recognise(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise Failure(401, "Unauthorized", "Unauthorized")
        return user

    def demand(self, user: User, attempt: Attempt) -> None:
        """Raises Failure 403 unless ``user`` may."""
        if self.allows(user, attempt):
            return
        if attempt.path:
            message = f'User "{user.name}" cannot {attempt.verb} path "{attempt.path}"'
            raise Failure(403, "Forbidden", f"forbidden: {message}")
        what = f"{attempt.resource}/{attempt.part}" if attempt.part else attempt.resource
        where = f'in the namespace "{attempt.namespace}"' if attempt.namespace else "at the cluster scope"
        full = f"{attempt.resource}.{attempt.group}" if attempt.group else attempt.resource
        named = f' "{attempt.name}"' if attempt.name else ""
        message = (
            f'{full}{named} is forbidden: User "{user.name}" cannot {attempt.verb} resource "{what}" '
            f'in API group "{attempt.group}" {where}'
        )
        raise Failure(403, "Forbidden", message, {"kind": attempt.resource, "name": attempt.name})

    def allows(self, user: User, attempt: Attempt) -> bool:
        """Whether ``user`` may."""
        if user.unlimited:
            return True
        if attempt.path and attempt.verb == "get":
            top = "/" + attempt.path.split("/")[1]
            if attempt.path in _PUBLIC or top in (*_PUBLIC, *_DISCOVERY):
                return True
        if attempt.resource in ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"):
            return attempt.verb == "create"
        return any(_permits(rule, attempt) for rule in self.rules(user, attempt.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Object]:
        """The rules that hold for ``user`` in ``namespace``, or in the cluster as a whole if that is empty."""
        for binding in self._store.all(_BY_KIND["ClusterRoleBinding"]):
            if _concerns(binding, user):
                yield from self._role(binding["roleRef"], "")
        if namespace:
            for binding in self._store.all(_BY_KIND["RoleBinding"], namespace):
                if _concerns(binding, user):
                    yield from self._role(binding["roleRef"], namespace)

    def _role(self, reference: Object, namespace: str) -> list[Object]:
        resource = _BY_KIND[reference["kind"]]
        place = namespace if resource.namespaced else ""
        if not self._store.has(resource, place, reference["name"]):
            return []
        return self._store.get(resource, place, reference["name"]).get("rules") or []


def _concerns(binding: Object, user: User) -> bool:
    for subject in binding.get("subjects") or ():
        name, kind = subject.get("name"), subject.get("kind")
        if kind == "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            if user.name == f"system:serviceaccount:{namespace}:{name}":
                return True
        elif (kind == "User" and user.name == name) or (kind == "Group" and name in user.groups):
            return True
    return False


def _permits(rule: Object, attempt: Attempt) -> bool:
    if not {"*", attempt.verb} & set(rule.get("verbs") or ()):
        return False
    if attempt.path:
        urls = rule.get("nonResourceURLs") or ()
        return any(attempt.path == url or (url.endswith("*") and attempt.path.startswith(url[:-1])) for url in urls)
    if not {"*", attempt.group} & set(rule.get("apiGroups") or ()):
        return False
    wanted = {f"{attempt.resource}/{attempt.part}", f"*/{attempt.part}"} if attempt.part else {attempt.resource}
    if not ({"*"} | wanted) & set(rule.get("resources") or ()):
        return False
    names = rule.get("resourceNames")
    return not names or attempt.name in names
