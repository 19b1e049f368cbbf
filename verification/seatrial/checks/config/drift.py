"""Drift: what runs against what was deployed, without the noise of what the cluster itself fills in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from seatrial.snapshot.objects import Item, get, quantity

Difference = tuple[str, Any, Any]
"""JSON path, what was deployed, what is live; `ABSENT` where there is nothing."""
ABSENT: Final = "absent"

_MERGE_KEYS: Final = ("name", "containerPort", "port", "mountPath", "topologyKey", "key", "ip")
"""Fields by which Kubernetes merges lists of objects, in the order in which they are tried."""
_SERVER_OWNED: Final = frozenset(
    {
        *("metadata.uid", "metadata.resourceVersion", "metadata.generation", "metadata.creationTimestamp"),
        *("metadata.selfLink", "metadata.managedFields", "metadata.ownerReferences", "metadata.namespace"),
        *("metadata.annotations.deployment.kubernetes.io/revision", "status", "apiVersion", "stringData"),
    }
)
_SCALERS: Final = ("kube-controller-manager", "vpa-recommender", "keda", "keda-operator")
_BY_HAND: Final = ("kubectl-edit", "kubectl-patch", "kubectl-set", "kubectl-label", "kubectl-annotate", "kubectl-scale")
"""Managers that kubectl names after the command with which somebody changed an object."""


def differences(wanted: Any, live: Any, path: str = "") -> Iterator[Difference]:
    """Where ``live`` does not have what ``wanted`` says; what it has beyond that was filled in by somebody."""
    if path in _SERVER_OWNED:
        return
    if isinstance(wanted, dict):
        if not isinstance(live, dict):
            if wanted:
                yield path, "an object", ABSENT if live is None else live
            return
        for key, value in wanted.items():
            inner = f"{path}.{key}" if path else str(key)
            # Null in a manifest means: leave it to the default.
            if value is not None:
                yield from differences(value, live.get(key), inner)
    elif isinstance(wanted, list):
        yield from _lists(wanted, live, path)
    elif not _same(wanted, live):
        yield path, wanted, ABSENT if live is None else live


def _lists(wanted: list[Any], live: Any, path: str) -> Iterator[Difference]:
    if not isinstance(live, list):
        if wanted:
            yield path, f"{len(wanted)} entries", ABSENT if live is None else live
        return
    if all(isinstance(one, dict) for one in wanted):
        key = next((name for name in _MERGE_KEYS if all(name in one for one in wanted)), None)
        if key is not None and len({str(one[key]) for one in wanted}) == len(wanted):
            # Entries that are live alone are injected sidecars, or somebody's by hand; `by_hand` tells those.
            known = {str(one.get(key)): one for one in live if isinstance(one, dict)}
            for one in wanted:
                name = str(one[key])
                if name not in known:
                    yield f"{path}[{key}={name}]", "there", ABSENT
                else:
                    yield from differences(one, known[name], f"{path}[{key}={name}]")
            return
    if len(wanted) != len(live):
        yield path, f"{len(wanted)} entries", f"{len(live)} entries"
        return
    for index, (one, other) in enumerate(zip(wanted, live, strict=True)):
        yield from differences(one, other, f"{path}[{index}]")


def _same(wanted: Any, live: Any) -> bool:
    if wanted == live:
        return True
    if live is None:
        # The API drops what is false, zero or empty.
        return wanted in (False, 0, "")
    try:
        return quantity(wanted) == quantity(live)
    except ValueError:
        return str(wanted) == str(live)


def _managed(item: Item) -> list[Item]:
    found: list[Item] = get(item, "metadata", "managedFields", default=[])
    return found


def owned_by_scaler(item: Item) -> bool:
    """Whether an autoscaler, and no manifest, sets the number of replicas."""
    return any(
        '"f:replicas"' in entry.get("fields", "")
        and (entry.get("subresource") == "scale" or entry.get("manager") in _SCALERS)
        for entry in _managed(item)
    )


def by_hand(item: Item) -> Iterator[tuple[str, str, str]]:
    """Paths that somebody changed with kubectl since the deploy, with the command and the time."""
    for entry in _managed(item):
        manager = str(entry.get("manager", ""))
        if manager not in _BY_HAND or entry.get("subresource"):
            continue
        try:
            fields = msgspec.json.decode(entry.get("fields", "{}"))
        except msgspec.DecodeError:
            continue
        for path in _paths(fields):
            if "kubectl.kubernetes.io/restartedAt" not in path:
                yield path, manager, str(entry.get("time", ""))


def _paths(fields: Any, path: str = "") -> Iterator[str]:
    inner = {key: value for key, value in fields.items() if key != "."} if isinstance(fields, dict) else {}
    if not inner:
        if path:
            yield path
        return
    for key, value in inner.items():
        sort, _, name = key.partition(":")
        step = f".{name}" if sort == "f" else f"[{name}]"
        yield from _paths(value, f"{path}{step}".lstrip("."))
