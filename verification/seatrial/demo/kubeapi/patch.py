"""JSON patch (RFC 6902), merge patch (RFC 7386) and Kubernetes' strategic merge patch."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from seatrial.demo.kubeapi.errors import ApiError

MERGE_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "conditions": "type",
    "ownerReferences": "uid",
    "secrets": "name",
}
"""`patchMergeKey` of the lists that merge, from the API's types; other lists are replaced."""


def apply(kind: str, original: Mapping[str, Any], change: Any) -> dict[str, Any]:
    """``original`` with the change of a content type's ``kind``: `json`, `merge` or `strategic`. Raises ApiError."""
    if kind == "json":
        return _json(copy.deepcopy(dict(original)), change)
    if not isinstance(change, dict):
        raise ApiError("BadRequest", "expected an object as patch")
    result: dict[str, Any] = merge(original, change) if kind == "merge" else strategic(original, change)
    return result


def merge(original: Any, change: Any) -> Any:
    """RFC 7386."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    result = dict(copy.deepcopy(original)) if isinstance(original, Mapping) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(original: Any, change: Mapping[str, Any]) -> dict[str, Any]:
    """Kubernetes' own: lists of objects merge by key, `$patch` and `$deleteFromPrimitiveList` direct."""
    if change.get("$patch") == "replace":
        return {key: copy.deepcopy(value) for key, value in change.items() if key != "$patch"}
    result = dict(copy.deepcopy(original)) if isinstance(original, Mapping) else {}
    if change.get("$patch") == "delete":
        return {}
    for key, value in change.items():
        if key.startswith("$setElementOrder/") or key in ("$retainKeys", "$patch"):
            continue
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [item for item in result.get(name) or [] if item not in value]
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = strategic(result.get(key), value)
        elif isinstance(value, list):
            result[key] = _list(key, result.get(key), value)
        else:
            result[key] = value
    return result


def _key(name: str, items: list[Any]) -> str | None:
    if name == "ports":
        # A container's ports merge by containerPort, a service's by port.
        return "containerPort" if any("containerPort" in item for item in items if isinstance(item, dict)) else "port"
    return MERGE_KEYS.get(name)


def _list(name: str, original: Any, change: list[Any]) -> list[Any]:
    key = _key(name, change)
    if name == "finalizers":
        return list(dict.fromkeys([*(original or []), *change]))
    if key is None or not all(isinstance(item, dict) for item in change):
        return copy.deepcopy(change)
    if any(item.get("$patch") == "replace" for item in change):
        return [copy.deepcopy(item) for item in change if "$patch" not in item]
    result = [copy.deepcopy(item) for item in original or []]
    for item in change:
        place = next((index for index, own in enumerate(result) if own.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            if place is not None:
                del result[place]
        elif place is None:
            result.append(strategic({}, item))
        else:
            result[place] = strategic(result[place], item)
    return result


def _json(document: dict[str, Any], operations: Any) -> dict[str, Any]:
    if not isinstance(operations, list):
        raise ApiError("BadRequest", "expected a list of operations as JSON patch")
    for operation in operations:
        try:
            _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            words = f"the operation {operation!r} cannot be applied: {type(error).__name__}: {error}"
            raise ApiError("Invalid", words) from None
    return document


def _operate(document: Any, operation: Mapping[str, Any]) -> None:
    name, path = operation["op"], _pointer(operation["path"])
    if name in ("move", "copy"):
        value = copy.deepcopy(_at(document, _pointer(operation["from"])))
        if name == "move":
            _remove(document, _pointer(operation["from"]))
        _add(document, path, value)
    elif name == "add":
        _add(document, path, copy.deepcopy(operation["value"]))
    elif name == "remove":
        _remove(document, path)
    elif name == "replace":
        _at(document, path)
        parent, last = _at(document, path[:-1]), path[-1]
        parent[int(last) if isinstance(parent, list) else last] = copy.deepcopy(operation["value"])
    elif name == "test":
        if _at(document, path) != operation["value"]:
            raise ValueError(f"test of {operation['path']} failed")
    else:
        raise ValueError(f"unknown operation {name!r}")


def _pointer(text: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _at(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _add(document: Any, path: list[str], value: Any) -> None:
    parent, last = _at(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else int(last), value)
    else:
        parent[last] = value


def _remove(document: Any, path: list[str]) -> None:
    parent, last = _at(document, path[:-1]), path[-1]
    del parent[int(last) if isinstance(parent, list) else last]
