"""Tables: lists as `kubectl get` shows them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from seatrial.demo.kubeapi.resource import Object, Resource

Cell = Callable[[Object], Any]


def wanted(accept: str) -> bool:
    """Whether an ``Accept`` header asks for a table first."""
    return "as=Table" in accept.partition(",")[0].replace(" ", "")


def table(answer: Object, resource: Resource) -> Object:
    """The ``Table`` of an object or a list."""
    items = answer.get("items") if answer["kind"].endswith("List") and "items" in answer else [answer]
    bookmark = "name" not in answer["metadata"] and "items" not in answer
    rows = [] if bookmark else items or []
    columns = _columns(resource)
    meta = {key: answer["metadata"][key] for key in _LIST_META if key in answer["metadata"]}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": 0,
            }
            for name in columns
        ],
        "rows": [
            {
                "cells": [_shown(cell, item) for cell in columns.values()],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": item["metadata"],
                },
            }
            for item in rows
        ],
    }


_LIST_META: Final = ("resourceVersion", "continue", "remainingItemCount", "annotations")


def _columns(resource: Resource) -> Mapping[str, Cell]:
    own: Mapping[str, Cell] = _OWN.get(resource.kind, {})
    if resource.columns:
        own = {name: _path(path) for name, _, path in resource.columns if name != "Age"}
    return {"Name": lambda item: item["metadata"]["name"], **own, "Age": _age}


def _shown(cell: Cell, item: Object) -> Any:
    try:
        return cell(item)
    except (AttributeError, KeyError, TypeError, ValueError):
        return "<unknown>"  # an object that lacks what the column shows


def _path(path: str) -> Cell:
    """The value at a simple JSON path: names between dots, and numbers in brackets."""
    steps = [step.strip("'\"") for step in re.findall(r"[^.\[\]]+", path)]

    def cell(item: Object) -> Any:
        found: Any = item
        for step in steps:
            if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                found = found.get(step) if isinstance(found, dict) else None
        return found

    return cell


def _age(item: Object) -> str:
    text = item["metadata"].get("creationTimestamp")
    if not text:
        return "<unknown>"
    since = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(text)
    seconds = max(0, int(since.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _ready(item: Object) -> str:
    return f"{_status(item, 'readyReplicas')}/{item['spec'].get('replicas', 1)}"


def _status(item: Object, name: str) -> int:
    return int((item.get("status") or {}).get(name) or 0)


def _pod_ready(item: Object) -> str:
    states = (item.get("status") or {}).get("containerStatuses") or []
    return f"{sum(bool(state.get('ready')) for state in states)}/{len(item['spec']['containers'])}"


def _restarts(item: Object) -> str:
    states = (item.get("status") or {}).get("containerStatuses") or []
    return str(sum(state.get("restartCount", 0) for state in states))


def _service_ports(item: Object) -> str:
    ports = item["spec"].get("ports") or []
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or "<none>"


def _targets(item: Object) -> str:
    shown = []
    current = (item.get("status") or {}).get("currentMetrics") or []
    for index, metric in enumerate(item["spec"].get("metrics") or []):
        name = metric.get("resource", {}).get("name", metric["type"].lower())
        goal = metric.get("resource", {}).get("target", {}).get("averageUtilization", "?")
        now = current[index].get("resource", {}).get("current", {}) if index < len(current) else {}
        shown.append(f"{name}: {now.get('averageUtilization', '<unknown>')}%/{goal}%")
    return ", ".join(shown) or "<none>"


def _map_size(*names: str) -> Cell:
    return lambda item: sum(len(item.get(name) or {}) for name in names)


def _joined(values: Any) -> str:
    return ",".join(str(value) for value in values) or "<none>"


_REPLICATED: Final[Mapping[str, Cell]] = {
    "Desired": lambda item: item["spec"].get("replicas", 1),
    "Current": lambda item: _status(item, "replicas"),
    "Ready": lambda item: _status(item, "readyReplicas"),
}

_OWN: Final[Mapping[str, Mapping[str, Cell]]] = {
    "ConfigMap": {"Data": _map_size("data", "binaryData")},
    "CustomResourceDefinition": {},
    "Deployment": {
        "Ready": _ready,
        "Up-to-date": lambda item: _status(item, "updatedReplicas"),
        "Available": lambda item: _status(item, "availableReplicas"),
    },
    "HorizontalPodAutoscaler": {
        "Reference": lambda item: "{kind}/{name}".format(**item["spec"]["scaleTargetRef"]),
        "Targets": _targets,
        "MinPods": lambda item: str(item["spec"].get("minReplicas", 1)),
        "MaxPods": lambda item: item["spec"]["maxReplicas"],
        "Replicas": lambda item: _status(item, "currentReplicas"),
    },
    "Ingress": {
        "Class": lambda item: item["spec"].get("ingressClassName", "<none>"),
        "Hosts": lambda item: _joined(rule.get("host", "*") for rule in item["spec"].get("rules") or ()),
        "Ports": lambda item: "80, 443" if item["spec"].get("tls") else "80",
    },
    "Namespace": {"Status": _path("status.phase")},
    "Pod": {"Ready": _pod_ready, "Status": _path("status.phase"), "Restarts": _restarts},
    "PodDisruptionBudget": {
        "Min available": lambda item: str(item["spec"].get("minAvailable", "N/A")),
        "Max unavailable": lambda item: str(item["spec"].get("maxUnavailable", "N/A")),
        "Allowed disruptions": lambda item: _status(item, "disruptionsAllowed"),
    },
    "ReplicaSet": _REPLICATED,
    "Secret": {"Type": lambda item: item.get("type", "Opaque"), "Data": _map_size("data")},
    "Service": {
        "Type": lambda item: item["spec"].get("type", "ClusterIP"),
        "Cluster-IP": lambda item: item["spec"].get("clusterIP", "<none>"),
        "Port(s)": _service_ports,
    },
    "StatefulSet": {"Ready": _ready},
}
