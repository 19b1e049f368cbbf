"""Label and field selectors: their grammar, and whether an object is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from seatrial.demo.kubeapi import failure
from seatrial.demo.kubeapi.resource import Object

Chooser = Callable[[Object], bool]

_KEY: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_SET: Final = re.compile(rf"\s*({_KEY})\s+(in|notin)\s*\(([^()]*)\)\s*")
_EQUAL: Final = re.compile(rf"\s*({_KEY})\s*(==|=|!=)\s*((?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?)\s*")
_EXISTS: Final = re.compile(rf"\s*(!?)\s*({_KEY})\s*")

_FIELDS: Final[dict[str, frozenset[str]]] = {
    "Pod": frozenset(
        {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase"}
        | {"status.podIP", "status.nominatedNodeName", "spec.hostNetwork"}
    ),
    "Event": frozenset(
        {f"involvedObject.{name}" for name in ("kind", "name", "namespace", "uid", "apiVersion", "fieldPath")}
        | {"reason", "reportingComponent", "source", "type", "involvedObject.resourceVersion"}
    ),
    "Secret": frozenset({"type"}),
    "Namespace": frozenset({"status.phase"}),
    "ReplicaSet": frozenset({"status.replicas"}),
    "Job": frozenset({"status.successful"}),
    "Node": frozenset({"spec.unschedulable"}),
}


def labels(text: str) -> Chooser:
    """What a label selector chooses. Raises Failure 400 where it is not one."""
    tests = [_requirement(part, text) for part in filter(None, re.split(r",(?![^()]*\))", text))]
    return lambda item: all(test(item["metadata"].get("labels") or {}) for test in tests)


def _requirement(part: str, text: str) -> Callable[[dict[str, str]], bool]:
    if found := _SET.fullmatch(part):
        key, operator, inside = found.groups()
        values = {value.strip() for value in inside.split(",")}
        if operator == "in":
            return lambda held: held.get(key) in values
        # As Kubernetes has it, an object without the label is chosen.
        return lambda held: held.get(key) not in values
    if found := _EQUAL.fullmatch(part):
        key, operator, value = found.groups()
        if operator == "!=":
            return lambda held: held.get(key) != value
        return lambda held: held.get(key) == value
    if found := _EXISTS.fullmatch(part):
        negated, key = found.groups()
        return lambda held: (key not in held) if negated else (key in held)
    raise failure.bad_request(f"unable to parse requirement: {part!r} in the label selector {text!r}")


def fields(text: str, kind: str) -> Chooser:
    """What a field selector chooses among objects of ``kind``. Raises Failure 400 for a field that has none."""
    tests: list[tuple[list[str], bool, str]] = []
    known = {"metadata.name", "metadata.namespace"} | _FIELDS.get(kind, frozenset())
    for part in filter(None, text.split(",")):
        found = re.fullmatch(r"\s*([A-Za-z.]+)\s*(==|=|!=)\s*(.*?)\s*", part)
        if found is None:
            raise failure.bad_request(f"invalid selector: {part!r}; can't understand {text!r}")
        field, operator, value = found.groups()
        if field not in known:
            raise failure.bad_request(f"field label not supported: {field}")
        tests.append((field.split("."), operator != "!=", value))
    return lambda item: all((_at(item, path) == value) is wanted for path, wanted, value in tests)


def _at(item: Object, path: list[str]) -> str:
    found: Any = item
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return str(found).lower()
    return "" if found is None else str(found)


def matches(selector: Object | None, held: dict[str, str]) -> bool:
    """Whether a ``LabelSelector`` object matches labels; an absent one matches nothing, an empty one everything."""
    if selector is None:
        return False
    if any(held.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for expression in selector.get("matchExpressions") or ():
        key, values = expression["key"], expression.get("values") or []
        verdict = {
            "In": held.get(key) in values,
            "NotIn": held.get(key) not in values,
            "Exists": key in held,
            "DoesNotExist": key not in held,
        }
        if not verdict.get(expression["operator"], False):
            return False
    return True
