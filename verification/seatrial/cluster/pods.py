"""The pods of one workload as they are now, and the loss of one of them: all that is ever written to a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seatrial.cluster.connection import CannotRead, Connection
from seatrial.cluster.reading import another_cluster
from seatrial.environment.model import Cluster, Environment
from seatrial.environment.permission import refuse_drill
from seatrial.snapshot.kinds import KINDS
from seatrial.snapshot.objects import Item, condition, get, labels_of, name_of, selects
from seatrial.snapshot.workload import NAMED


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod. ``ready`` is False for one that is about to end."""

    name: str
    uid: str
    ready: bool


class WorkloadPods:
    """Pods of the workload ``kind/name`` of a namespace. Raises CannotRead where it cannot be found."""

    def __init__(self, connection: Connection, reference: str, namespace: str) -> None:
        self._connection = connection
        kind, _, name = reference.partition("/")
        known = NAMED.get(kind.lower())
        if known is None:
            raise CannotRead(f"workload {reference}: expected one of {', '.join(NAMED)} before the slash")
        workload = connection.get(f"{KINDS[known].path(namespace)}/{name}")
        self._selector = get(workload, "spec", "selector")
        self._folder = KINDS["Pod"].path(namespace)

    def now(self) -> Sequence[Pod]:
        """The pods as they are. Raises CannotRead."""
        labels = get(self._selector, "matchLabels", default={})
        query = [("labelSelector", ",".join(f"{key}={value}" for key, value in labels.items()))] if labels else []
        items = self._connection.get(self._folder, query).get("items") or ()
        return [_pod(item) for item in items if selects(self._selector, labels_of(item))]

    def lose(self, pod: Pod, environment: Environment) -> None:
        """Delete ``pod``, if it is still that one, where the environment allows drills. Raises CannotRead."""
        if refusal := refuse_drill(environment):
            raise CannotRead(refusal)
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": pod.uid}}
        self._connection.delete(f"{self._folder}/{pod.name}", options)


def open_connection(cluster: Cluster, *, within: float) -> Connection:
    """A connection for ``within`` seconds to the very cluster that is declared. Raises CannotRead for another one."""
    connection = Connection(cluster.model_copy(update={"read_within": within}))
    if stranger := another_cluster(connection, cluster):
        connection.close()
        raise CannotRead(stranger)
    return connection


def _pod(item: Item) -> Pod:
    ending = get(item, "metadata", "deletionTimestamp") is not None
    ready = condition(item, "Ready").get("status") == "True"
    return Pod(name=name_of(item), uid=str(get(item, "metadata", "uid")), ready=ready and not ending)
