"""Reading plain objects: fields that may be missing, labels, selectors, conditions, quantities, times."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final

Item = Mapping[str, Any]
Labels = Mapping[str, str]

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?")
_SCALE: Final = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    **{unit: 1024.0 ** (power + 1) for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))},
}


def get(item: Any, *path: str, default: Any = None) -> Any:
    """The value at a path of keys; ``default`` where a key is missing or null."""
    for key in path:
        item = item.get(key) if isinstance(item, dict) else None
    return default if item is None else item


def name_of(item: Item) -> str:
    """``metadata.name``."""
    return str(get(item, "metadata", "name", default=""))


def namespace_of(item: Item) -> str:
    """``metadata.namespace``, empty where there is none."""
    return str(get(item, "metadata", "namespace", default=""))


def labels_of(item: Item) -> Labels:
    """``metadata.labels``; what is no mapping has none."""
    found = get(item, "metadata", "labels")
    return found if isinstance(found, dict) else {}


def pairs(labels: Labels) -> list[tuple[str, str]]:
    """Labels that something can be looked up by; a list in the place of a text is none of them."""
    return [pair for pair in labels.items() if isinstance(pair[1], Hashable)]


def annotations_of(item: Item) -> Labels:
    """``metadata.annotations``; what is no mapping has none."""
    found = get(item, "metadata", "annotations")
    return found if isinstance(found, dict) else {}


def owners_of(item: Item) -> list[Item]:
    """``metadata.ownerReferences``, those that are objects."""
    found = get(item, "metadata", "ownerReferences")
    return [owner for owner in found if isinstance(owner, dict)] if isinstance(found, list) else []


def members(value: Any) -> list[Any]:
    """The objects of a ``List`` and of lists in it; anything else is its own only member."""
    kind, items = str(get(value, "kind", default="")), get(value, "items")
    if not kind.endswith("List") or not isinstance(items, list):
        return [value]
    found = []
    for item in items:
        if isinstance(item, dict) and kind != "List":
            item.setdefault("kind", kind.removesuffix("List"))
        found += members(item)
    return found


def controlled(item: Item) -> bool:
    """Whether another object makes this one, and is to be judged in its place."""
    return any(owner.get("controller") is True for owner in owners_of(item))


def condition(item: Item, kind: str) -> Item:
    """The condition of that type in the status, or an empty object."""
    found = get(item, "status", "conditions", default=[])
    return next((one for one in found if one.get("type") == kind), {})


def selects(selector: Any, labels: Labels) -> bool:
    """Whether a LabelSelector matches; an empty one matches everything, an absent one nothing."""
    if not isinstance(selector, dict):
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(_expression(expression, labels) for expression in selector.get("matchExpressions") or ())


def _expression(expression: Item, labels: Labels) -> bool:
    key, values = expression.get("key", ""), expression.get("values") or []
    operator = expression.get("operator")
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator == "Exists":
        return key in labels
    return operator == "DoesNotExist" and key not in labels


def quantity(value: Any) -> float:
    """A Kubernetes quantity (``100m``, ``1.5Gi``, ``2e3``) as a number. Raises ValueError for anything else."""
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"no quantity: {value!r}")
    digits, exponent, unit = match.groups()
    return float(digits + (exponent or "")) * _SCALE.get(unit, 1.0)


def moment(text: Any) -> dt.datetime | None:
    """A time of the API (RFC 3339), or None where there is none or it cannot be read."""
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def names(items: Iterable[Item], most: int = 5) -> str:
    """Names of objects, for a message."""
    found = sorted({name_of(item) for item in items})
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
