"""Ingresses, gateways and monitors: what leads to Services from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.objects import Item, annotations_of, get, name_of, namespace_of


def _no_ingress_tls(environment: Environment) -> str:
    return "" if environment.config.ingress_tls else "TLS at the ingress is not asked for here (config.ingress_tls)"


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


CHECKS: Final[tuple[Check, ...]] = (
    ingress_backend,
    ingress_tls,
    host_unique,
    class_missing,
    lb_status,
    nginx_snippets,
    gateway_dangling,
    servicemonitor_dangling,
)
