"""The rights that reading takes: a Role for each namespace and a ClusterRole, no larger than the checks need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from seatrial.cluster.reading import IDENTITY
from seatrial.snapshot.kinds import ACCOUNT_ACCESS, KINDS, Kind

NAME: Final = "seatrial-verifier"
_GROUP: Final = "rbac.authorization.k8s.io"
_VERSION: Final = f"{_GROUP}/v1"


def manifests(
    needs: Iterable[str], namespaces: Sequence[str], account: tuple[str, str], followed: Iterable[Kind] = ()
) -> list[dict[str, Any]]:
    """Role, ClusterRole and their bindings for reading the kinds ``needs`` of ``namespaces``.

    ``account`` is namespace and name of the service account that they are bound to. ``followed`` are kinds that are
    also watched, as a rollout in the cluster is.
    """
    wanted = list(dict.fromkeys(needs))
    kinds = [KINDS[name] for name in wanted if name in KINDS]
    inside: dict[str, list[str]] = {}
    around: dict[str, list[str]] = {}
    for kind in kinds:
        if not kind.by_name:
            (inside if kind.namespaced else around).setdefault(kind.group, []).append(kind.plural)
    cluster_rules = [_rule(group, plurals) for group, plurals in sorted(around.items())]
    if any(kind.by_name for kind in kinds):
        names = [*namespaces, IDENTITY]
        cluster_rules.insert(
            0, {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": names, "verbs": ["get"]}
        )
    if ACCOUNT_ACCESS in wanted:
        # Asking is a POST, and writes nothing.
        reviews = {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]}
        cluster_rules.append(reviews)
    found: list[dict[str, Any]] = []
    watched: dict[str, list[str]] = {}
    for kind in followed:
        watched.setdefault(kind.group, []).append(kind.plural)
    if inside or watched:
        rules = [_rule(group, plurals) for group, plurals in sorted(inside.items())]
        rules += [_rule(group, plurals, "get", "list", "watch") for group, plurals in sorted(watched.items())]
        for namespace in namespaces:
            found += _bound("Role", rules, account, namespace)
    if cluster_rules:
        found += _bound("ClusterRole", cluster_rules, account)
    return found


def _rule(group: str, plurals: Iterable[str], *verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": sorted(set(plurals)), "verbs": list(verbs or ("list",))}


def _bound(
    kind: str, rules: Sequence[Mapping[str, Any]], account: tuple[str, str], namespace: str = ""
) -> list[dict[str, Any]]:
    metadata = {"name": NAME, **({"namespace": namespace} if namespace else {})}
    return [
        {"apiVersion": _VERSION, "kind": kind, "metadata": metadata, "rules": list(rules)},
        {
            "apiVersion": _VERSION,
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}],
        },
    ]
