"""Follows objects as they change: a list, then a watch from where the list ended, begun anew where it breaks.

As clients of Kubernetes do it ("Efficient detection of changes", API concepts): bookmarks move the place to begin anew
from; 410 Gone means that the place is forgotten, and everything is listed again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from seatrial.cluster.connection import CannotRead, Connection
from seatrial.snapshot.kinds import Kind
from seatrial.snapshot.objects import Item, get

PAGE: Final = 500
WATCH_FOR: Final = 10.0
"""Seconds after which a watch is asked for again; nothing is lost in between, and so long its end may take."""
GRACE: Final = 5.0
"""Seconds beyond that before a silent connection is given up."""
TIRED: Final = 5
"""Failures one after the other, each after a longer pause, before it is given up."""
POLL: Final = 1.0
"""Seconds between two lists where the right to watch is missing."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One object as it is now, or as it was last where it is ``gone``. ``first`` ones were there at the beginning."""

    kind: str
    item: Item
    gone: bool = False
    first: bool = False


@dataclass(kw_only=True)
class Follower:
    """Follows one kind in one namespace. ``take`` is called with each change, in the order of the API, in one thread.

    ``problem`` says why it has ended before it was told to; ``polled`` that it may list and not watch, so that what
    was between two looks was not seen. ``relists`` counts how often its place was forgotten.
    """

    connection: Connection
    kind: Kind
    namespace: str
    take: Callable[[Change], None]
    query: Sequence[tuple[str, str]] = ()
    watch_for: float = WATCH_FOR
    problem: str = ""
    polled: bool = False
    relists: int = 0
    listed: threading.Event = field(default_factory=threading.Event)
    """Set when what was there at the beginning has been taken, or cannot be."""
    _known: dict[str, Item] = field(default_factory=dict)

    def run(self, over: threading.Event) -> None:
        """Follow until ``over`` is set, or it can no longer be done."""
        try:
            self._follow(over)
        except CannotRead as problem:
            self.problem = str(problem)
        finally:
            self.listed.set()

    def _follow(self, over: threading.Event) -> None:
        version, failures = "", 0
        while not over.is_set():
            try:
                if not version or self.polled:
                    version = self._list()
                if self.polled:
                    over.wait(POLL)
                    continue
                version = self._watch(version, over)
                failures = 0
            except CannotRead as problem:
                if problem.status == 410:
                    version = ""
                    self.relists += 1
                    continue
                if problem.status == 403 and self.listed.is_set():
                    self.polled = True
                    continue
                failures += 1
                if problem.status in (401, 403, 404) or failures > TIRED:
                    raise
                over.wait(min(0.1 * 2**failures, 5.0))

    def _list(self) -> str:
        path, token, version = self.kind.path(self.namespace), "", ""
        seen: dict[str, Item] = {}
        while True:
            more = [("continue", token)] if token else []
            page = self.connection.get(path, [*self.query, ("limit", str(PAGE)), *more])
            for item in get(page, "items", default=[]):
                seen[_uid(item)] = item
            version = str(get(page, "metadata", "resourceVersion", default=""))
            token = str(get(page, "metadata", "continue", default=""))
            if not token:
                break
        if not version:
            raise CannotRead("the list has no resourceVersion to watch from")
        for uid in [uid for uid in self._known if uid not in seen]:
            self.take(Change(kind=self.kind.name, item=self._known.pop(uid), gone=True))
        for uid, item in seen.items():
            if _version(self._known.get(uid)) != _version(item):
                self._known[uid] = item
                self.take(Change(kind=self.kind.name, item=item, first=not self.listed.is_set()))
        self.listed.set()
        return version

    def _watch(self, version: str, over: threading.Event) -> str:
        asked = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(max(round(self.watch_for), 1))),
        ]
        began = time.monotonic()
        path = self.kind.path(self.namespace)
        for event in self.connection.stream(path, [*self.query, *asked], self.watch_for + GRACE):
            sort, item = event.get("type"), event.get("object")
            if sort == "ERROR":
                code = get(item, "code", default=0)
                raise CannotRead(str(get(item, "message", default="the watch failed")), code if code in _CODES else 0)
            if not isinstance(item, dict):
                raise CannotRead("an event of the watch has no object")
            version = _version(item) or version
            if sort in ("ADDED", "MODIFIED", "DELETED"):
                self._note(item, gone=sort == "DELETED")
            if over.is_set():
                break
        else:
            # An end at once, again and again, must not become a storm of requests.
            if time.monotonic() - began < 0.1:
                over.wait(0.2)
        return version

    def _note(self, item: Item, *, gone: bool) -> None:
        uid = _uid(item)
        if gone:
            self._known.pop(uid, None)
        elif _version(self._known.get(uid)) == _version(item):
            return
        else:
            self._known[uid] = item
        self.take(Change(kind=self.kind.name, item=item, gone=gone))


_CODES: Final = frozenset({401, 403, 404, 410})


def _uid(item: Any) -> str:
    return str(get(item, "metadata", "uid") or get(item, "metadata", "name", default=""))


def _version(item: Any) -> str:
    return str(get(item, "metadata", "resourceVersion", default=""))
