"""From the API to a snapshot: paged, bounded, kind by kind, and honest about what could not be read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from seatrial.cluster import reviews
from seatrial.cluster.connection import POOL, CannotRead, Connection
from seatrial.environment.model import Cluster
from seatrial.snapshot.intake import Intake
from seatrial.snapshot.kinds import ACCOUNT_ACCESS, KINDS, REVIEWS, SELF_ACCESS, Kind
from seatrial.snapshot.memory import undisturbed
from seatrial.snapshot.objects import Item, get
from seatrial.snapshot.snapshot import Snapshot

PAGE: Final = 500
"""Objects asked for at a time, as kubectl does."""
RESTARTS: Final = 3
"""Times that a list is begun anew because its pages expired."""
IDENTITY: Final = "kube-system"
"""The namespace whose UID tells one cluster from another; every cluster has it as long as it lives."""
_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
"""What the name of a version may be, and with it a part of a path."""


@undisturbed()
def read(cluster: Cluster | None, kinds: Iterable[str]) -> Snapshot:
    """Read ``kinds`` in the declared namespaces. What cannot be read is in ``unread``; nothing is raised."""
    wanted = list(dict.fromkeys(kinds))
    if cluster is None or not cluster.namespaces:
        return Snapshot(unread=dict.fromkeys(wanted, "the environment declares no [cluster] with namespaces"))
    try:
        connection = Connection(cluster)
    except CannotRead as problem:
        return Snapshot(unread=dict.fromkeys(wanted, str(problem)), namespaces=cluster.namespaces)
    try:
        # Whoever does not answer this will not answer the rest; each kind would cost a timeout.
        version = str(get(connection.get("/version"), "gitVersion", default="")).removeprefix("v")
    except CannotRead as problem:
        if problem.status in (0, 401):
            connection.close()
            reasons = dict.fromkeys(wanted, str(problem))
            return Snapshot(unread=reasons, namespaces=cluster.namespaces, server=connection.server)
        version = ""
    objects: dict[str, tuple[Item, ...]] = {}
    unread: dict[str, str] = {}
    absent: set[str] = set()
    intake = Intake()
    stranger = another_cluster(connection, cluster)
    if stranger:
        # Nothing is said about a cluster that is not meant, but which one it is.
        unread = dict.fromkeys((kind for kind in wanted if kind != "Namespace"), stranger)
        wanted = [kind for kind in wanted if kind == "Namespace"]
    try:
        with ThreadPoolExecutor(POOL) as pool:
            listed = [kind for kind in wanted if kind not in REVIEWS]
            for kind, found in zip(
                listed, pool.map(lambda kind: _kind(connection, KINDS[kind], cluster, intake), listed), strict=True
            ):
                if isinstance(found, CannotRead):
                    if KINDS[kind].custom and found.status == 404:
                        absent.add(kind)
                    else:
                        unread[kind] = str(found)
                else:
                    objects[kind] = found
        for kind in REVIEWS:
            if kind in wanted:
                try:
                    objects[kind] = _reviews(kind, connection, cluster, objects, listed)
                except CannotRead as problem:
                    unread[kind] = str(problem)
    finally:
        connection.close()
    return Snapshot(
        objects=objects,
        unread=unread,
        absent=frozenset(absent),
        namespaces=cluster.namespaces,
        taken=dt.datetime.now(dt.UTC),
        server=connection.server,
        version=version,
        digest=intake.digest,
    )


def another_cluster(connection: Connection, cluster: Cluster) -> str:
    """Why this is not the cluster that the environment names; empty where it is, or where it names none."""
    if cluster.server is not None and connection.server.rstrip("/") != cluster.server.rstrip("/"):
        return f"another cluster was reached: expected {cluster.server}, seen {connection.server} (cluster.server)"
    if cluster.uid is None:
        return ""
    try:
        known = _one(connection, f"{KINDS['Namespace'].path()}/{IDENTITY}")
    except CannotRead as problem:
        return f"which cluster was reached cannot be told: {problem} (cluster.uid)"
    seen = get(known, "metadata", "uid")
    if seen != cluster.uid:
        return f"another cluster was reached: expected the UID {cluster.uid} of {IDENTITY}, seen {seen} (cluster.uid)"
    return ""


def _reviews(
    kind: str, connection: Connection, cluster: Cluster, objects: dict[str, tuple[Item, ...]], listed: Sequence[str]
) -> tuple[Item, ...]:
    if kind == SELF_ACCESS:
        return reviews.of_self(connection, cluster.namespaces, [KINDS[name] for name in listed])
    assert kind == ACCOUNT_ACCESS
    accounts = objects.get("ServiceAccount")
    if accounts is None:
        raise CannotRead("the service accounts could not be read")
    return reviews.of_accounts(connection, accounts)


def _kind(connection: Connection, kind: Kind, cluster: Cluster, intake: Intake) -> tuple[Item, ...] | CannotRead:
    try:
        if kind.by_name:
            names = (*cluster.namespaces, IDENTITY)
            found = [item for name in names if (item := _one(connection, f"{kind.path()}/{name}")) is not None]
            return intake.take(kind.name, found)
        try:
            return _listed(connection, kind, cluster, intake)
        except CannotRead as problem:
            served = _served(connection, kind) if kind.custom and problem.status == 404 else None
            if served is None:
                raise
            return _listed(connection, served, cluster, intake)
    except CannotRead as problem:
        return problem


def _listed(connection: Connection, kind: Kind, cluster: Cluster, intake: Intake) -> tuple[Item, ...]:
    taken: list[Item] = []
    for namespace in cluster.namespaces if kind.namespaced else ("",):
        taken += _whole(connection, kind, namespace, cluster.max_objects, intake)
    return tuple(taken)


def _served(connection: Connection, kind: Kind) -> Kind | None:
    """The kind in the version that this cluster prefers of it, where that is another one; None where it has none."""
    try:
        group = connection.get(f"/apis/{kind.group}")
    except CannotRead as problem:
        if problem.status == 404:
            return None
        raise
    version = str(get(group, "preferredVersion", "version", default=""))
    return replace(kind, version=version) if _LABEL.fullmatch(version) and version != kind.version else None


def _one(connection: Connection, path: str) -> dict[str, Any] | None:
    try:
        return connection.get(path)
    except CannotRead as problem:
        if problem.status == 404:
            return None
        raise


def _whole(connection: Connection, kind: Kind, namespace: str, most: int, intake: Intake) -> list[Item]:
    for attempt in range(RESTARTS + 1):
        taken: list[Item] = []
        raw: list[Any] = []
        try:
            for page in _pages(connection, kind.path(namespace)):
                # Helm's records are told apart over the whole list; all else is narrowed page by page.
                if kind.name == "Secret":
                    raw += page
                else:
                    taken += intake.take(kind.name, page, namespace)
                if len(taken) + len(raw) > most:
                    raise CannotRead(f"more than {most} objects in {namespace or 'the cluster'} (cluster.max_objects)")
            return [*taken, *intake.take(kind.name, raw, namespace)]
        except CannotRead as problem:
            if problem.status != 410 or attempt == RESTARTS:
                raise
    raise AssertionError("unreachable")


def _pages(connection: Connection, path: str) -> Iterator[list[Any]]:
    token = ""
    while True:
        query = [("limit", str(PAGE)), *([("continue", token)] if token else [])]
        page = connection.get(path, query)
        items = page.get("items")
        if items is not None and not isinstance(items, list):
            raise CannotRead("the answer's items are no list")
        yield items or []
        metadata = page.get("metadata")
        following = get(metadata, "continue", default="")
        if not isinstance(metadata, dict | None) or not isinstance(following, str):
            raise CannotRead("whether there are more pages cannot be read in the answer's metadata")
        if following == token and token:
            raise CannotRead("the API gives the same page for ever")
        token = following
        if not token:
            return
