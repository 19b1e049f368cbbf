"""From the reference in an environment file to the workload in a snapshot."""

from __future__ import annotations

from seatrial.evidence.assessment import Assessment
from seatrial.snapshot.snapshot import Snapshot, Unread
from seatrial.snapshot.workload import NAMED, Workload


def locate(snapshot: Snapshot, reference: str, namespace: str) -> Workload | Assessment:
    """The workload ``kind/name``, or the assessment that it cannot be looked at."""
    kind, _, name = reference.partition("/")
    known = NAMED.get(kind.lower())
    if known is None:
        return Assessment.error(f"workload {reference}: expected one of {', '.join(NAMED)} before the slash")
    try:
        item = snapshot.find(known, namespace, name)
    except Unread as error:
        return Assessment.error(str(error), remedy="see the context, the network and the rights of the verifier")
    if item is not None:
        return Workload(kind=known, item=item, snapshot=snapshot)
    words = f"there is no {known} {name} in the namespace {namespace}"
    if not snapshot.complete:
        remedy = "render everything that is deployed together"
        return Assessment.inconclusive(f"{words} of the manifests", n=0, remedy=remedy)
    return Assessment.failed(words, seen="absent", limit=f"{known} {namespace}/{name}")
