"""A world on an API: its objects made there, changed for one test and set right again."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import config

from seatrial.snapshot.kinds import KINDS, REVIEWS, Kind
from support import envtest
from support.asking import ask, must
from support.world import NAMESPACE, World, world

_FIRST = (
    *("Namespace", "PriorityClass", "StorageClass", "ServiceAccount", "Role", "ClusterRole"),
    *("Deployment", "ReplicaSet"),
)
"""Kinds that others refer to, so that the API takes those only afterwards."""
_IN_PLACE = ("Namespace", "Node", "PersistentVolumeClaim")
"""Kinds that are patched, since they cannot be deleted without a controller."""
_REPLACED = ("Pod",)
"""Kinds of which the API lets hardly anything be changed."""
_NOT_STORED = ("PodMetrics", *REVIEWS)


def definition(kind: Kind) -> dict[str, Any]:
    """A CustomResourceDefinition that takes anything."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": kind.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind.name, "plural": kind.plural, "singular": kind.name.lower(), "listKind": f"{kind.name}List"}
    metadata: dict[str, Any] = {"name": f"{kind.plural}.{kind.group}"}
    if kind.group.endswith(".k8s.io"):
        # Groups of Kubernetes itself are protected.
        metadata["annotations"] = {"api-approved.kubernetes.io": "unapproved, only for a test"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {"group": kind.group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


class Live:
    """The world on an API. Raises AssertionError with the API's own words where it refuses an object."""

    def __init__(self, cluster: envtest.Cluster) -> None:
        self.cluster = cluster
        self._client = config.new_client_from_config(config_file=cluster.kubeconfig, context=cluster.context)
        self._uids: dict[str, str] = {}
        self.base = world()
        self.base.drop("Namespace", "kube-system")
        for name in ("chat-2-a", "chat-2-b"):
            # After everything that is made now.
            later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
            self.base["Pod", name]["status"]["startTime"] = later.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._settle_versions()
        for kind in {kind for kind, _ in self.base.objects}:
            if kind in KINDS and KINDS[kind].custom and kind not in _NOT_STORED:
                self._must("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(KINDS[kind]))
                self._await_kind(KINDS[kind])
        for key in sorted(self.base.objects, key=_order):
            if key[0] not in _NOT_STORED:
                self._create(key, self.base.objects[key])

    def close(self) -> None:
        self._client.close()

    def _settle_versions(self) -> None:
        version = self._must("GET", "/version")
        self.base.version = version["gitVersion"].removeprefix("v")
        self.base["Node", "node-1"]["status"]["nodeInfo"]["kubeletVersion"] = version["gitVersion"]
        namespace = self._must("GET", "/api/v1/namespaces/kube-system")
        self.base.uid = namespace["metadata"]["uid"]
        self.base.server = self._client.configuration.host

    def _must(self, method: str, path: str, body: Any = None, *, kind: str = "application/json") -> Any:
        return must(self._client, method, path, body, kind=kind)

    def _await_kind(self, kind: Kind) -> None:
        for _ in range(2_000):
            if ask(self._client, "GET", kind.path(NAMESPACE))[0] == 200:
                return
        raise AssertionError(f"the API does not serve {kind.name}")

    def _path(self, key: tuple[str, str]) -> tuple[str, str]:
        kind = KINDS[key[0]]
        folder = kind.path(NAMESPACE if kind.namespaced else "")
        return folder, f"{folder}/{key[1]}"

    def _ready(self, item: Any) -> Any:
        """A copy as the API takes it: owners by the UIDs that it gave them."""
        made = copy.deepcopy(item)
        for owner in made["metadata"].get("ownerReferences") or ():
            owner["uid"] = self._uids.get(owner["uid"], owner["uid"])
        for name in ("uid", "generation", "creationTimestamp"):
            made["metadata"].pop(name, None)
        return made

    def _create(self, key: tuple[str, str], item: Any) -> None:
        folder, _ = self._path(key)
        made = self._must("POST", folder, self._ready(item))
        self._uids[item["metadata"].get("uid", f"{key}")] = made["metadata"]["uid"]
        self._status(key, item)

    def _status(self, key: tuple[str, str], item: Any) -> None:
        _, path = self._path(key)
        # Custom kinds are defined without a status of its own: it is written with the rest.
        if "status" in item and not KINDS[key[0]].custom:
            patch = [{"op": "add", "path": "/status", "value": item["status"]}]
            self._must("PATCH", f"{path}/status", patch, kind="application/json-patch+json")

    def _update(self, key: tuple[str, str], item: Any) -> None:
        _, path = self._path(key)
        if key[0] in _REPLACED:
            self._delete(key)
            self._create(key, item)
            return
        if key[0] in _IN_PLACE:
            labels = dict.fromkeys(self.base.objects[key]["metadata"].get("labels", {}))
            wanted = {**labels, **(item["metadata"].get("labels") or {})}
            self._must("PATCH", path, {"metadata": {"labels": wanted}}, kind="application/merge-patch+json")
        else:
            current = self._must("GET", path)
            made = self._ready(item)
            made["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"]
            if key[0] == "Service":
                for name in ("clusterIP", "clusterIPs"):
                    made["spec"][name] = current["spec"].get(name)
            self._must("PUT", path, made)
        self._status(key, item)

    def _delete(self, key: tuple[str, str]) -> None:
        _, path = self._path(key)
        if key[0] == "PersistentVolumeClaim":
            self._must("PATCH", path, {"metadata": {"finalizers": None}}, kind="application/merge-patch+json")
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
        self._must("DELETE", path, options)

    @contextmanager
    def changed(self, spoilt: World) -> Iterator[None]:
        """The API as ``spoilt`` for as long as the context lasts."""
        self._move(self.base, spoilt)
        try:
            yield
        finally:
            self._move(spoilt, self.base)

    def _move(self, here: World, there: World) -> None:
        for key in sorted({*here.objects, *there.objects}, key=_order):
            if key[0] in _NOT_STORED or here.objects.get(key) == there.objects.get(key):
                continue
            if key not in there.objects:
                self._delete(key)
            elif key not in here.objects:
                self._create(key, there.objects[key])
            else:
                self._update(key, there.objects[key])


def _order(key: tuple[str, str]) -> tuple[int, str, str]:
    return (_FIRST.index(key[0]) if key[0] in _FIRST else len(_FIRST), *key)
