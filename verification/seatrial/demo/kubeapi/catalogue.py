"""What is served now: the built-in resources and those of stored CustomResourceDefinitions."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.demo.kubeapi.resource import BUILTIN, DEFINITIONS, Resource, defined
from seatrial.demo.kubeapi.store import Store


class Catalogue:
    """Finds resources; definitions that are created or deleted count at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __iter__(self) -> Iterator[Resource]:
        yield from BUILTIN
        for definition in self._store.all(DEFINITIONS):
            yield from defined(definition)

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource under a path."""
        wanted = (group, version, plural)
        return next((item for item in self if (item.group, item.version, item.plural) == wanted), None)

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource in which objects of a kind are stored."""
        return next((item for item in self if (item.api_version, item.kind) == (api_version, kind)), None)

    def of_key(self, key: tuple[str, str]) -> Resource:
        """The resource of something that is stored. Raises StopIteration where it is no longer served."""
        return next(item for item in self if item.key == key)
