"""Network policies: who may talk to whom."""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import Check
from seatrial.checks.config.services import selects_pods
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.snapshot.kinds import POD_TEMPLATES
from seatrial.snapshot.objects import Item, get, namespace_of
from seatrial.snapshot.workload import Workload


def _policies(view: View, workload: Workload, direction: str) -> list[Item]:
    found = view.snapshot.selecting(
        "NetworkPolicy", workload.namespace, workload.labels, lambda item: get(item, "spec", "podSelector", default={})
    )
    return [item for item in found if direction in _directions(item)]


def _directions(item: Item) -> list[str]:
    types = get(item, "spec", "policyTypes")
    if types is not None:
        return list(types)
    return ["Ingress", "Egress"] if get(item, "spec", "egress") else ["Ingress"]


@rule("netpol/missing", severity="major", per="workload", needs=("NetworkPolicy",), whole=True)
def netpol_missing(workload: Workload, view: View) -> Findings:
    """The workload's pods are selected by a network policy for what comes in.

    Why: without one everything in the cluster may talk to them.

    Remedy: add a default-deny policy to the namespace, and one that lets in who must.
    """
    if not _policies(view, workload, "Ingress"):
        yield finding(workload, "metadata.labels", "a NetworkPolicy for ingress", "none", view=view)


@rule("netpol/egress-missing", severity="minor", per="workload", needs=("NetworkPolicy",), whole=True)
def egress_missing(workload: Workload, view: View) -> Findings:
    """The workload's pods are selected by a network policy for what goes out.

    Why: whoever breaks in can otherwise send everything anywhere.

    Remedy: add a default-deny policy for egress, and one that lets out what is needed, DNS among it.
    """
    if not _policies(view, workload, "Egress"):
        yield finding(workload, "metadata.labels", "a NetworkPolicy for egress", "none", view=view)


@rule(
    "netpol/dangling", severity="minor", per="object", kinds=("NetworkPolicy",), needs=tuple(POD_TEMPLATES), whole=True
)
def netpol_dangling(item: Item, view: View) -> Findings:
    """Every network policy selects pods, and so do its peers in the same namespace.

    Why: a policy with a wrong label protects nothing, or lets nobody in.

    Remedy: make its selectors and the labels of the pods agree.
    """
    namespace = namespace_of(item)
    selector = get(item, "spec", "podSelector", default={})
    if selector and not selects_pods(view, namespace, selector):
        yield finding(item, "spec.podSelector", "the labels of pods", selector, view=view)
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for index, one in enumerate(get(item, "spec", direction, default=())):
            for place, peer in enumerate(one.get(side) or ()):
                # With a namespaceSelector the pods are somebody else's, and were not read.
                wanted = peer.get("podSelector")
                if wanted and "namespaceSelector" not in peer and not selects_pods(view, namespace, wanted):
                    path = f"spec.{direction}[{index}].{side}[{place}].podSelector"
                    yield finding(item, path, "the labels of pods", wanted, view=view)


@rule("netpol/allow-all", severity="major", per="object", kinds=("NetworkPolicy",))
def allow_all(item: Item, view: View) -> Findings:
    """No network policy lets everything in or out.

    Why: policies add up: one that allows all undoes every other.

    Remedy: name the peers; `ingress: [{}]` is everybody.
    """
    for direction, side in (("ingress", "from"), ("egress", "to")):
        if direction.capitalize() not in _directions(item):
            continue
        for index, one in enumerate(get(item, "spec", direction, default=())):
            if not one.get(side) and not one.get("ports"):
                yield finding(item, f"spec.{direction}[{index}]", "named peers", "everybody", view=view)
            for place, peer in enumerate(one.get(side) or ()):
                if get(peer, "ipBlock", "cidr") in ("0.0.0.0/0", "::/0") and not get(peer, "ipBlock", "except"):
                    path = f"spec.{direction}[{index}].{side}[{place}].ipBlock.cidr"
                    yield finding(item, path, "named networks", peer["ipBlock"]["cidr"], view=view)


@rule("netpol/default-deny", severity="major", per="namespace", needs=("NetworkPolicy",), whole=True)
def default_deny(namespace: str, view: View) -> Findings:
    """The namespace denies what comes in unless a policy allows it.

    Why: without it a pod that no policy selects, such as the one that is added tomorrow, is open to all.

    Remedy: add a NetworkPolicy with an empty `podSelector`, the type `Ingress` and no rule.
    """
    for item in view.snapshot.of("NetworkPolicy", namespace):
        everything = not get(item, "spec", "podSelector", default={})
        if everything and "Ingress" in _directions(item) and not get(item, "spec", "ingress", default=()):
            return
    subject = view.snapshot.find("Namespace", "", namespace) if "Namespace" in view.snapshot.objects else None
    item = subject or {"kind": "Namespace", "metadata": {"name": namespace}}
    yield finding(item, "NetworkPolicy", "one that denies by default", "none", view=view)


CHECKS: Final[tuple[Check, ...]] = (
    netpol_missing,
    egress_missing,
    netpol_dangling,
    allow_all,
    default_deny,
)
