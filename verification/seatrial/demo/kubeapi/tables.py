"""Lists as tables, the form in which `kubectl get` asks for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Item = Mapping[str, Any]


def _age(item: Item) -> str:
    created = item["metadata"].get("creationTimestamp")
    if not created:
        return "<unknown>"
    seconds = int((dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(created)).total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def _containers(item: Item) -> list[Item]:
    statuses: list[Item] = item.get("status", {}).get("containerStatuses") or []
    return statuses


def _pod_state(item: Item) -> str:
    for container in _containers(item):
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            return str(waiting.get("reason", "Waiting"))
    return str(item.get("status", {}).get("phase", "Unknown"))


def _replicas(item: Item, key: str) -> str:
    return str(item.get("status", {}).get(key, 0))


def _ports(item: Item) -> str:
    ports = item.get("spec", {}).get("ports") or []
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or "<none>"


def _target(item: Item) -> str:
    reference = item.get("spec", {}).get("scaleTargetRef", {})
    return f"{reference.get('kind')}/{reference.get('name')}"


Column = tuple[str, Callable[[Item], str]]

_COLUMNS: Final[Mapping[str, Sequence[Column]]] = {
    "Namespace": [("Status", lambda i: str(i.get("status", {}).get("phase", "")))],
    "Pod": [
        ("Ready", lambda i: f"{sum(bool(c.get('ready')) for c in _containers(i))}/{len(i['spec']['containers'])}"),
        ("Status", _pod_state),
        ("Restarts", lambda i: str(sum(c.get("restartCount", 0) for c in _containers(i)))),
    ],
    "Deployment": [
        ("Ready", lambda i: f"{_replicas(i, 'readyReplicas')}/{i['spec'].get('replicas', 1)}"),
        ("Up-to-date", lambda i: _replicas(i, "updatedReplicas")),
        ("Available", lambda i: _replicas(i, "availableReplicas")),
    ],
    "ReplicaSet": [
        ("Desired", lambda i: str(i["spec"].get("replicas", 1))),
        ("Current", lambda i: _replicas(i, "replicas")),
        ("Ready", lambda i: _replicas(i, "readyReplicas")),
    ],
    "Service": [
        ("Type", lambda i: str(i["spec"].get("type", "ClusterIP"))),
        ("Cluster-IP", lambda i: str(i["spec"].get("clusterIP", "<none>"))),
        ("Port(s)", _ports),
    ],
    "ConfigMap": [("Data", lambda i: str(len(i.get("data") or {})))],
    "Secret": [("Type", lambda i: str(i.get("type", ""))), ("Data", lambda i: str(len(i.get("data") or {})))],
    "HorizontalPodAutoscaler": [
        ("Reference", _target),
        ("MinPods", lambda i: str(i["spec"].get("minReplicas", 1))),
        ("MaxPods", lambda i: str(i["spec"].get("maxReplicas", ""))),
        ("Replicas", lambda i: _replicas(i, "currentReplicas")),
    ],
    "Ingress": [("Hosts", lambda i: ",".join(rule.get("host", "*") for rule in i["spec"].get("rules") or []))],
}


def table(items: Sequence[Item], metadata: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A ``meta.k8s.io/v1`` Table of ``items``."""
    columns: list[Column] = [("Name", lambda i: str(i["metadata"]["name"])), *_COLUMNS.get(kind, ()), ("Age", _age)]
    definitions = [
        {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "", "priority": 0}
        for name, _ in columns
    ]
    rows = [
        {
            "cells": [cell(item) for _, cell in columns],
            "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]},
        }
        for item in items
    ]
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": dict(metadata)}
    return {**head, "columnDefinitions": definitions, "rows": rows}
