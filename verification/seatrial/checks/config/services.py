"""Services: how traffic inside the cluster gets to the pods."""

from __future__ import annotations

from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.snapshot.kinds import POD_TEMPLATES
from seatrial.snapshot.objects import Item, get, name_of, namespace_of
from seatrial.snapshot.workload import selected_workloads


def selects_pods(view: View, namespace: str, selector: Any) -> bool:
    """Whether a LabelSelector matches a workload's pods, or pods that run. Raises Unread."""
    return bool(selected_workloads(view.snapshot, namespace, selector)) or (
        "Pod" in view.snapshot.objects and bool(view.snapshot.selected("Pod", namespace, selector))
    )


@rule(
    "svc/no-matching-pods",
    severity="critical",
    per="object",
    kinds=("Service",),
    needs=tuple(POD_TEMPLATES),
    whole=True,
)
def no_matching_pods(item: Item, view: View) -> Findings:
    """Every Service with a selector selects the pods of some workload.

    Why: a Service without pods refuses every connection.

    Remedy: make its selector and the labels of the pod template agree.
    """
    selector = get(item, "spec", "selector", default={})
    if selector and not selects_pods(view, namespace_of(item), {"matchLabels": selector}):
        yield finding(item, "spec.selector", "the labels of a workload", selector, view=view)


@rule(
    "svc/no-endpoints",
    severity="critical",
    per="object",
    kinds=("Service",),
    needs=("EndpointSlice",),
    live=True,
    trigger="health",
)
def no_endpoints(item: Item, view: View) -> Findings:
    """Every Service has at least one ready endpoint.

    Why: its pods may be there and not be ready; to users that is an outage.

    Remedy: see why the pods are not ready; see the Service's `targetPort`.
    """
    if not get(item, "spec", "selector", default={}) or get(item, "spec", "type") == "ExternalName":
        return
    slices = view.snapshot.selected(
        "EndpointSlice", namespace_of(item), {"matchLabels": {"kubernetes.io/service-name": name_of(item)}}
    )
    # A missing condition means ready.
    ready = [
        endpoint
        for one in slices
        for endpoint in one.get("endpoints") or ()
        if get(endpoint, "conditions", "ready", default=True)
    ]
    if not ready:
        yield finding(item, "endpoints", "at least 1 ready", "0", view=view)


@rule("svc/target-port", severity="critical", per="object", kinds=("Service",), needs=tuple(POD_TEMPLATES))
def target_port(item: Item, view: View) -> Findings:
    """Every port of a Service leads to a port that its pods declare.

    Why: a named port that no container has leads nowhere, and a number is not checked by anybody.

    Remedy: mend `targetPort`, or declare the port in the container.
    """
    selector = get(item, "spec", "selector", default={})
    targets = selected_workloads(view.snapshot, namespace_of(item), {"matchLabels": selector}) if selector else []
    if not targets:
        return
    declared: set[Any] = set()
    for workload in targets:
        for container in workload.containers:
            for port in container.item.get("ports") or ():
                declared |= {port.get("name"), port.get("containerPort")}
    for index, port in enumerate(get(item, "spec", "ports", default=())):
        wanted = port.get("targetPort") if port.get("targetPort") not in (None, "") else port.get("port")
        if wanted not in declared:
            shown = ", ".join(sorted(str(one) for one in declared if one is not None)) or "no declared port"
            yield finding(item, f"spec.ports[{index}].targetPort", shown, wanted, view=view)


@rule("svc/type", severity="major", per="object", kinds=("Service",))
def service_type(item: Item, view: View) -> Findings:
    """Services have none but the types that are allowed here.

    Why: a NodePort or a load balancer is a way in beside the ingress, without its TLS, limits and logs.

    Remedy: use ClusterIP behind the ingress, or allow the type under `config.service_types`.
    """
    seen = get(item, "spec", "type", default="ClusterIP")
    if seen not in view.rules.service_types:
        yield finding(item, "spec.type", f"one of {', '.join(view.rules.service_types)}", seen, view=view)


@rule("svc/external-ips", severity="critical", per="object", kinds=("Service",))
def external_ips(item: Item, view: View) -> Findings:
    """No Service takes addresses of its own choosing.

    Why: with `externalIPs` whoever may make a Service can take over traffic to any address (CVE-2020-8554).

    Remedy: remove `externalIPs`.
    """
    seen = get(item, "spec", "externalIPs", default=())
    if seen:
        yield finding(item, "spec.externalIPs", "none", ", ".join(map(str, seen)), view=view)


CHECKS: Final[tuple[Check, ...]] = (
    no_matching_pods,
    no_endpoints,
    target_port,
    service_type,
    external_ips,
)
