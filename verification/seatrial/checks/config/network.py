"""Services, ingresses, gateways and network policies: how traffic gets to the pods, and what else does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.kinds import POD_TEMPLATES
from seatrial.snapshot.objects import Item, annotations_of, get, name_of, namespace_of
from seatrial.snapshot.workload import Workload, selected_workloads


def _selected(view: View, namespace: str, selector: Any) -> bool:
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
    if selector and not _selected(view, namespace_of(item), {"matchLabels": selector}):
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


def _backends(item: Item) -> Iterator[tuple[str, Any]]:
    default = get(item, "spec", "defaultBackend")
    if default:
        yield "spec.defaultBackend", default
    for index, one in enumerate(get(item, "spec", "rules", default=())):
        for place, path in enumerate(get(one, "http", "paths", default=())):
            yield f"spec.rules[{index}].http.paths[{place}].backend", path.get("backend") or {}


def _has_port(service: Item, wanted: Any) -> bool:
    ports = get(service, "spec", "ports", default=())
    return any(wanted in (port.get("name"), port.get("port")) for port in ports)


@rule("ingress/backend-missing", severity="critical", per="object", kinds=("Ingress",), needs=("Service",), whole=True)
def ingress_backend(item: Item, view: View) -> Findings:
    """Every backend of an Ingress is a Service and a port that exist.

    Why: users get a 503 on exactly that path.

    Remedy: mend the backend's name or port.
    """
    for path, backend in _backends(item):
        name = get(backend, "service", "name")
        if name is None:
            continue
        service = view.snapshot.find("Service", namespace_of(item), str(name))
        port = get(backend, "service", "port", "name") or get(backend, "service", "port", "number")
        if service is None:
            yield finding(item, path, f"Service {name}", "absent", view=view)
        elif port is not None and get(service, "spec", "type") != "ExternalName" and not _has_port(service, port):
            yield finding(item, f"{path}.service.port", f"a port of {name}", port, view=view)


def _no_ingress_tls(environment: Environment) -> str:
    return "" if environment.config.ingress_tls else "TLS at the ingress is not asked for here (config.ingress_tls)"


@rule("ingress/tls", severity="critical", per="object", kinds=("Ingress",), skip=_no_ingress_tls)
def ingress_tls(item: Item, view: View) -> Findings:
    """Every host of an Ingress is served over TLS.

    Why: conversations and tokens would go in plain text to whoever is in between.

    Remedy: list the host under `spec.tls`, with a Secret for its certificate.
    """
    covered = {str(host) for entry in get(item, "spec", "tls", default=()) for host in entry.get("hosts") or ()}
    everything = any(not entry.get("hosts") for entry in get(item, "spec", "tls", default=()))
    for index, one in enumerate(get(item, "spec", "rules", default=())):
        host = str(one.get("host") or "")
        wildcard = f"*.{host.partition('.')[2]}"
        if not everything and host not in covered and wildcard not in covered:
            yield finding(item, f"spec.rules[{index}].host", "listed under spec.tls", host or "every host", view=view)


@rule("ingress/host-unique", severity="major", per="object", kinds=("Ingress",), whole=False)
def host_unique(item: Item, view: View) -> Findings:
    """Every host and path is claimed once, and no Ingress claims every host.

    Why: of two that claim the same the controller takes one, and after a restart perhaps the other.

    Remedy: give one of them another host or path.
    """

    def claims() -> dict[tuple[str, str, str], list[str]]:
        found: dict[tuple[str, str, str], list[str]] = {}
        for one in view.snapshot.of("Ingress"):
            for key in _claims(one):
                found.setdefault(key, []).append(f"{namespace_of(one)}/{name_of(one)}")
        return found

    known = view.snapshot.once("ingress claims", claims)
    own = f"{namespace_of(item)}/{name_of(item)}"
    for key in _claims(item):
        others = [one for one in known[key] if one != own]
        # A canary of the nginx controller claims what its stable does, on purpose.
        canary = annotations_of(item).get("nginx.ingress.kubernetes.io/canary") == "true"
        if others and not canary and own > min(others):
            yield finding(
                item, f"spec.rules host {key[1]} path {key[2]}", "claimed once", f"also by {others[0]}", view=view
            )
        if key[1] in ("", "*"):
            yield finding(item, "spec.rules.host", "a host", "every host", view=view)


def _claims(item: Item) -> list[tuple[str, str, str]]:
    ingress_class = str(get(item, "spec", "ingressClassName", default=""))
    return [
        (ingress_class, str(one.get("host") or ""), str(path.get("path") or "/"))
        for one in get(item, "spec", "rules", default=())
        for path in get(one, "http", "paths", default=())
    ]


@rule("ingress/class-missing", severity="major", per="object", kinds=("Ingress",), needs=("IngressClass",), whole=True)
def class_missing(item: Item, view: View) -> Findings:
    """The ingress class exists.

    Why: an Ingress that no controller takes is ignored, without a word.

    Remedy: mend `ingressClassName`, or install the controller.
    """
    name = get(item, "spec", "ingressClassName")
    if name and view.snapshot.find("IngressClass", "", str(name)) is None:
        yield finding(item, "spec.ingressClassName", "an IngressClass", name, view=view)


@rule("ingress/lb-status", severity="major", per="object", kinds=("Ingress",), live=True)
def lb_status(item: Item, view: View) -> Findings:
    """The Ingress has an address, and its load balancer reports no error.

    Why: without an address nobody gets in; an error on a port is an outage of that port.

    Remedy: see the events of the Ingress and the log of its controller.
    """
    balancers = get(item, "status", "loadBalancer", "ingress", default=())
    if not balancers:
        yield finding(item, "status.loadBalancer.ingress", "an address", "none", view=view)
    for index, balancer in enumerate(balancers):
        for port in balancer.get("ports") or ():
            if port.get("error"):
                path = f"status.loadBalancer.ingress[{index}].ports[{port.get('port')}]"
                yield finding(item, path, "no error", port["error"], view=view)


_SNIPPETS: Final = ("configuration-snippet", "server-snippet", "auth-snippet", "stream-snippet", "modsecurity-snippet")


@rule("ingress/nginx-snippets", severity="critical", per="object", kinds=("Ingress",))
def nginx_snippets(item: Item, view: View) -> Findings:
    """No Ingress brings configuration of its own into nginx.

    Why: a snippet reads the controller's token, and with it the Secrets of every namespace (CVE-2021-25742).

    Remedy: use the annotations made for the purpose; forbid snippets in the controller.
    """
    for key in annotations_of(item):
        if key.startswith("nginx.ingress.kubernetes.io/") and key.rpartition("/")[2] in _SNIPPETS:
            yield finding(item, f"metadata.annotations[{key}]", "no snippet", "a snippet", view=view)


@rule(
    "gateway/dangling",
    severity="critical",
    per="object",
    kinds=("HTTPRoute",),
    needs=("Service", "Gateway"),
    whole=True,
)
def gateway_dangling(item: Item, view: View) -> Findings:
    """Every route has a gateway and backends that exist.

    Why: a route without a gateway is not served, and one without its backend answers 500.

    Remedy: mend `parentRefs` or `backendRefs`.
    """
    for index, parent in enumerate(get(item, "spec", "parentRefs", default=())):
        place = str(parent.get("namespace") or namespace_of(item))
        name = str(parent.get("name"))
        ours = parent.get("kind", "Gateway") == "Gateway" and place in view.snapshot.namespaces
        if ours and view.snapshot.find("Gateway", place, name) is None:
            yield finding(item, f"spec.parentRefs[{index}]", f"Gateway {name}", "absent", view=view)
    for index, one in enumerate(get(item, "spec", "rules", default=())):
        for position, backend in enumerate(one.get("backendRefs") or ()):
            where = str(backend.get("namespace") or namespace_of(item))
            if backend.get("kind", "Service") != "Service" or where not in view.snapshot.namespaces:
                continue
            path = f"spec.rules[{index}].backendRefs[{position}]"
            service = view.snapshot.find("Service", where, str(backend.get("name")))
            if service is None:
                yield finding(item, path, f"Service {backend.get('name')}", "absent", view=view)
            elif backend.get("port") is not None and not _has_port(service, backend["port"]):
                yield finding(item, f"{path}.port", f"a port of {backend.get('name')}", backend["port"], view=view)


@rule(
    "monitor/servicemonitor-dangling",
    severity="minor",
    per="object",
    kinds=("ServiceMonitor",),
    needs=("Service",),
    whole=True,
)
def servicemonitor_dangling(item: Item, view: View) -> Findings:
    """Every ServiceMonitor selects a Service, and a port that it has.

    Why: otherwise nothing is scraped, and every alert on its metrics stays silent.

    Remedy: make its selector and the Service's labels agree; name the port as the Service does.
    """
    if get(item, "spec", "namespaceSelector"):
        return
    services = view.snapshot.selected("Service", namespace_of(item), get(item, "spec", "selector", default={}))
    if not services:
        yield finding(item, "spec.selector", "the labels of a Service", get(item, "spec", "selector"), view=view)
        return
    for index, endpoint in enumerate(get(item, "spec", "endpoints", default=())):
        port = endpoint.get("port")
        if port and not any(_has_port(service, port) for service in services):
            yield finding(item, f"spec.endpoints[{index}].port", "a port of the Service", port, view=view)


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
    if selector and not _selected(view, namespace, selector):
        yield finding(item, "spec.podSelector", "the labels of pods", selector, view=view)
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for index, one in enumerate(get(item, "spec", direction, default=())):
            for place, peer in enumerate(one.get(side) or ()):
                # With a namespaceSelector the pods are somebody else's, and were not read.
                wanted = peer.get("podSelector")
                if wanted and "namespaceSelector" not in peer and not _selected(view, namespace, wanted):
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
    no_matching_pods,
    no_endpoints,
    target_port,
    service_type,
    external_ips,
    ingress_backend,
    ingress_tls,
    host_unique,
    class_missing,
    lb_status,
    nginx_snippets,
    gateway_dangling,
    servicemonitor_dangling,
    netpol_missing,
    egress_missing,
    netpol_dangling,
    allow_all,
    default_deny,
)
