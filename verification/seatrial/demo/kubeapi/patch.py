"""Patches of objects: JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386) and Kubernetes' strategic merge patch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from seatrial.demo.kubeapi import failure

_MERGE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "containerStatuses": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Lists that are merged by a key of their items; of several, the first that the patch's items have."""

_MERGED_SETS: Final = frozenset({"finalizers"})

JSON: Final = "application/json-patch+json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"


def merge(target: Any, change: Any) -> Any:
    """RFC 7386: null removes, objects are merged, anything else replaces."""
    if not isinstance(change, dict):
        return change
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(target: Any, change: Any) -> Any:
    """Like :func:`merge`, but lists with a merge key are merged item by item, and ``$`` directives are obeyed."""
    if not isinstance(change, dict):
        return change
    directive = change.get("$patch")
    if directive == "replace":
        return {key: value for key, value in change.items() if key != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise failure.bad_request(f"unknown $patch directive {directive!r}: expected replace, delete or merge")
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if key.startswith("$"):
            _obey(result, key, value)
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, list):
            result[key] = _merge_list(key, result.get(key) or [], value)
        else:
            result[key] = strategic(result.get(key), value)
    if "$retainKeys" in change:
        result = {key: value for key, value in result.items() if key in change["$retainKeys"]}
    for key, order in change.items():
        if key.startswith("$setElementOrder/"):
            _reorder(result, key.partition("/")[2], order)
    return result


def _obey(result: dict[str, Any], key: str, value: Any) -> None:
    directive, _, field = key.partition("/")
    if directive == "$deleteFromPrimitiveList":
        result[field] = [item for item in result.get(field) or [] if item not in value]
    elif directive not in ("$patch", "$retainKeys", "$setElementOrder"):
        raise failure.bad_request(f"unknown directive {key!r} in the strategic merge patch")


def _key_of(field: str, items: list[Any]) -> str | None:
    for key in _MERGE_KEYS.get(field, ()):
        if all(isinstance(item, dict) and (key in item or "$patch" in item) for item in items):
            return key
    return None


def _merge_list(field: str, old: list[Any], new: list[Any]) -> list[Any]:
    if field in _MERGED_SETS:
        return [*old, *(item for item in new if item not in old)]
    key = _key_of(field, new)
    if key is None or any(item == {"$patch": "replace"} for item in new):
        return [item for item in new if item != {"$patch": "replace"}]
    result = list(old)
    for item in new:
        at = next((index for index, held in enumerate(result) if held.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(strategic({}, item))
        else:
            result[at] = strategic(result[at], item)
    return result


def _reorder(result: dict[str, Any], field: str, order: list[Any]) -> None:
    if not isinstance(result.get(field), list):
        return
    key = _key_of(field, order)
    wanted = [item[key] if key else item for item in order]

    def place(item: Any) -> int:
        value = item.get(key) if key else item
        return wanted.index(value) if value in wanted else len(wanted)

    result[field] = sorted(result[field], key=place)


def json_patch(target: Any, operations: Any) -> Any:
    """RFC 6902. Raises Failure 422 for an operation that cannot be done, 400 for one that is none."""
    if not isinstance(operations, list):
        raise failure.bad_request("a JSON patch is a list of operations")
    result = copy.deepcopy(target)
    for operation in operations:
        try:
            result = _apply(result, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            message = f"the JSON patch operation {operation!r} cannot be done: {error}"
            raise failure.Failure(422, "Invalid", message) from error
    return result


def _apply(target: Any, operation: Mapping[str, Any]) -> Any:
    name, path = operation["op"], _pointer(operation["path"])
    if name == "test":
        if _find(target, path) != operation["value"]:
            raise ValueError(f"testing path {operation['path']} value failed")
        return target
    if name == "remove":
        return _remove(target, path)
    if name == "add":
        return _add(target, path, copy.deepcopy(operation["value"]))
    if name == "replace":
        return _replace(target, path, copy.deepcopy(operation["value"]))
    if name in ("move", "copy"):
        source = _pointer(operation["from"])
        value = copy.deepcopy(_find(target, source))
        return _add(_remove(target, source) if name == "move" else target, path, value)
    raise ValueError(f"unknown operation {name!r}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(f"{text!r} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _step(target: Any, part: str) -> Any:
    return target[_index(part)] if isinstance(target, list) else target[part]


def _index(part: str) -> int:
    if not part.isdecimal():
        raise ValueError(f"{part!r} is no index")
    return int(part)


def _find(target: Any, path: list[str]) -> Any:
    for part in path:
        target = _step(target, part)
    return target


def _add(target: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _find(target, path[:-1]), path[-1]
    if isinstance(parent, list):
        at = len(parent) if last == "-" else _index(last)
        if at > len(parent):
            raise IndexError(f"index {at} is beyond the list")
        parent.insert(at, value)
    else:
        parent[last] = value
    return target


def _replace(target: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    _find(target, path)
    parent, last = _find(target, path[:-1]), path[-1]
    parent[_index(last) if isinstance(parent, list) else last] = value
    return target


def _remove(target: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent, last = _find(target, path[:-1]), path[-1]
    del parent[_index(last) if isinstance(parent, list) else last]
    return target


PATCHES: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    JSON: json_patch,
    MERGE: merge,
    STRATEGIC: strategic,
    # An approximation: who owns which field is not kept.
    APPLY: strategic,
}
"""What applies a patch, by its content type."""
