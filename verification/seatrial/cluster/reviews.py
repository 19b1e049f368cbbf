"""Who may do what, from the API's own access reviews: the verifier itself, and the accounts of the workloads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from seatrial.cluster.connection import POOL, Connection
from seatrial.snapshot.kinds import Kind
from seatrial.snapshot.objects import Item, get, name_of, namespace_of

_SELF: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_OTHER: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
MAX_ACCOUNTS: Final = 50
"""Service accounts that are asked about; each costs as many reviews as there are rows in `DANGEROUS`."""

DANGEROUS: Final = (
    ("get", "", "secrets"),
    ("list", "", "secrets"),
    ("create", "", "pods"),
    ("create", "", "pods/exec"),
    ("create", "apps", "deployments"),
    ("patch", "apps", "deployments"),
    ("delete", "apps", "deployments"),
    ("create", "", "serviceaccounts/token"),
    ("escalate", "rbac.authorization.k8s.io", "roles"),
    ("bind", "rbac.authorization.k8s.io", "roles"),
    ("impersonate", "", "serviceaccounts"),
    ("*", "*", "*"),
)
"""What an account can take over the namespace with: verb, group, resource."""

WRITES: Final = (
    ("create", "", "pods"),
    ("create", "", "pods/exec"),
    ("patch", "apps", "deployments"),
    ("delete", "apps", "deployments"),
    ("update", "", "configmaps"),
    ("update", "", "secrets"),
    ("delete", "", "namespaces"),
)
"""What the verifier must not be able to do: verb, group, resource."""


def _attributes(verb: str, group: str, resource: str, namespace: str) -> dict[str, str]:
    name, _, sub = resource.partition("/")
    found = {"verb": verb, "group": group, "resource": name, "namespace": namespace}
    return {**found, "subresource": sub} if sub else found


def of_self(connection: Connection, namespaces: Sequence[str], kinds: Sequence[Kind]) -> tuple[Item, ...]:
    """What the verifier may read and write in each namespace. Raises CannotRead."""
    asked = [
        (verb, group, resource, namespace, need)
        for namespace in namespaces
        for verb, group, resource, need in (
            *(("list", kind.group, kind.plural, "read") for kind in kinds if kind.namespaced and not kind.custom),
            *((verb, group, resource, "write") for verb, group, resource in WRITES),
        )
    ]

    def ask(row: tuple[str, str, str, str, str]) -> Item:
        verb, group, resource, namespace, need = row
        spec = {"resourceAttributes": _attributes(verb, group, resource, namespace)}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
        return _row(connection.post(_SELF, review), "the verifier", need, row[:4])

    with ThreadPoolExecutor(POOL) as pool:
        return tuple(pool.map(ask, asked))


def of_accounts(connection: Connection, accounts: Iterable[Item]) -> tuple[Item, ...]:
    """Which of the dangerous things each service account may do in its namespace. Raises CannotRead."""
    asked = [(account, row) for account in list(accounts)[:MAX_ACCOUNTS] for row in DANGEROUS]

    def ask(one: tuple[Item, tuple[str, str, str]]) -> Item:
        account, (verb, group, resource) = one
        namespace, name = namespace_of(account), name_of(account)
        spec = {
            "resourceAttributes": _attributes(verb, group, resource, namespace),
            "user": f"system:serviceaccount:{namespace}:{name}",
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        }
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        return _row(connection.post(_OTHER, review), name, "", (verb, group, resource, namespace))

    with ThreadPoolExecutor(POOL) as pool:
        return tuple(pool.map(ask, asked))


def _row(answer: Any, subject: str, need: str, row: tuple[str, str, str, str]) -> Item:
    verb, group, resource, namespace = row
    return {
        "metadata": {"name": subject, "namespace": namespace},
        "verb": verb,
        "group": group,
        "resource": resource,
        "need": need,
        "allowed": get(answer, "status", "allowed") is True,
        "reason": str(get(answer, "status", "reason") or get(answer, "status", "evaluationError") or ""),
    }
