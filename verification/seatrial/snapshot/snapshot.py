"""The snapshot: objects by kind as they were at one time, what could not be read, and quick ways to find one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from seatrial.snapshot.objects import Item, Labels, get, labels_of, name_of, namespace_of, pairs, selects

Source = Literal["cluster", "manifests"]
T = TypeVar("T")


class Unread(Exception):
    """A check needs a kind that could not be read."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind} could not be read: {reason}")
        self.kind = kind


class Absent(Exception):
    """A check needs a kind that the cluster does not know, because its CRD is not installed."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the cluster has no kind {kind}")
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Objects of the declared namespaces, and of the cluster where a check needs them.

    Every kind that was asked for is in exactly one of ``objects``, ``unread`` (with the reason) and ``absent``.
    """

    objects: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    source: Source = "cluster"
    complete: bool = True
    """Whether an object that is not here does not exist; manifests alone are only a part, unless somebody says so."""
    namespaces: tuple[str, ...] = ()
    taken: dt.datetime | None = None
    server: str = ""
    """Address of the API."""
    version: str = ""
    """Version of the API server, ``1.36.2``."""
    problems: tuple[str, ...] = ()
    """What was seen while reading that belongs to no kind, such as a file that is no YAML."""
    digest: Callable[[Any], str] | None = field(default=None, repr=False, compare=False)
    """Gives a value the digest that it would have here; None where the key is gone, as in a snapshot from a file."""
    _cache: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)

    def of(self, kind: str, namespace: str | None = None) -> Sequence[Item]:
        """All objects of ``kind``, in ``namespace`` or everywhere. Raises Unread, and Absent."""
        if kind in self.absent:
            raise Absent(kind)
        if kind not in self.objects:
            raise Unread(kind, self.unread.get(kind, "nobody asked for it"))
        if namespace is None:
            return self.objects[kind]
        return self.once(("of", kind), lambda: _grouped(self.objects[kind], namespace_of)).get(namespace, ())

    def find(self, kind: str, namespace: str, name: str) -> Item | None:
        """One object, or None. Raises Unread, and Absent."""
        self.of(kind, namespace)

        def index() -> dict[tuple[str, str], Item]:
            return {(namespace_of(item), name_of(item)): item for item in self.objects[kind]}

        return self.once(("find", kind), index).get((namespace, name))

    def selected(self, kind: str, namespace: str, selector: Any) -> list[Item]:
        """Objects of ``kind`` whose labels match a LabelSelector. Raises Unread, and Absent."""
        items = self.of(kind, namespace)

        def index() -> dict[tuple[str, str], list[Item]]:
            return _grouped_many(items, lambda item: pairs(labels_of(item)))

        wanted = get(selector, "matchLabels", default={})
        if wanted:
            by_label = self.once(("labels", kind, namespace), index)
            items = min((by_label.get(pair, []) for pair in wanted.items()), key=len)
        return [item for item in items if selects(selector, labels_of(item))]

    def selecting(
        self, kind: str, namespace: str, labels: Labels, selector: Callable[[Item], Any], *, what: str = ""
    ) -> list[Item]:
        """Objects of ``kind`` whose own selector (told by ``selector``) matches ``labels``. Raises Unread, and Absent.

        ``what`` names the selector where a kind has more than one.
        """
        items = self.of(kind, namespace)

        def index() -> dict[tuple[str, str] | None, list[Item]]:
            # Under one pair that the labels must have; under None where the selector names no pair.
            return _grouped_many(
                items, lambda item: [next(iter((get(selector(item), "matchLabels") or {}).items()), None)]
            )

        by_pair = self.once(("selectors", kind, namespace, what), index)
        found = list(by_pair.get(None, ()))
        for pair in pairs(labels):
            found += by_pair.get(pair, ())
        return [item for item in found if selects(selector(item), labels)]

    def once(self, key: object, make: Callable[[], T]) -> T:
        """What ``make`` gives, made at most once for ``key``."""
        if key not in self._cache:
            self._cache[key] = make()
        found: T = self._cache[key]
        return found


def _grouped(items: Iterable[Item], key: Callable[[Item], str]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def _grouped_many(items: Iterable[Item], keys: Callable[[Item], Iterable[Any]]) -> dict[Any, list[Item]]:
    found: dict[Any, list[Item]] = {}
    for item in items:
        for key in keys(item):
            found.setdefault(key, []).append(item)
    return found
