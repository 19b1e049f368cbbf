"""The ``scale`` subresource of what has replicas."""

from __future__ import annotations

from typing import Any

from seatrial.demo.kubeapi import failure
from seatrial.demo.kubeapi.resource import Object


def of(item: Object) -> Object:
    """The ``Scale`` of an object."""
    selector = item["spec"].get("selector") or {}
    pairs = selector.get("matchLabels", selector)
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: item["metadata"][key] for key in kept if key in item["metadata"]},
        "spec": {"replicas": item["spec"].get("replicas", 1)},
        "status": {
            "replicas": (item.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in pairs.items()),
        },
    }


def applied(item: Object, scale: Any) -> Object:
    """``item`` with the replicas that a ``Scale`` asks for, and its version as a condition. Raises Failure 400."""
    try:
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        version = (scale.get("metadata") or {}).get("resourceVersion")
    except AttributeError as error:
        raise failure.bad_request(f"expected a Scale object: {error}") from error
    condition = {"resourceVersion": version} if version else {}
    return {
        **item,
        "metadata": {**item["metadata"], **condition},
        "spec": {**item["spec"], "replicas": replicas},
    }
