"""Plays the controllers and the kubelet through the API, which then shows what it would show in a cluster.

It writes to a real API server as well: every object is one that the API takes, statuses go to their subresource.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from kubernetes import config

from support import envtest
from support.asking import must

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
LABELS = {"app": "chat"}
REVISION = "deployment.kubernetes.io/revision"
CLAIM = "example.com/claimed"


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Driver:
    """One workload in a namespace of its own. ``addresses`` are the IPs that pods of the new revision get."""

    def __init__(self, cluster: envtest.Cluster, kind: str = "Deployment", *, replicas: int = 4) -> None:
        self.cluster = cluster
        self._client = config.new_client_from_config(config_file=cluster.kubeconfig, context=cluster.context)
        self.kind, self.replicas = kind, replicas
        self.plural = f"{kind.lower()}s"
        made = self.must("POST", "/api/v1/namespaces", {"metadata": {"generateName": "rolling-"}})
        self.namespace: str = made["metadata"]["name"]
        # A cluster makes it by a controller; without one no pod is admitted.
        self.must("POST", self.core("serviceaccounts"), {"metadata": {"name": "default"}})
        self.addresses: list[str] = []
        self.port = 8080
        self.hash = ""
        self._made = 0

    def close(self) -> None:
        self.must("DELETE", f"/api/v1/namespaces/{self.namespace}")
        self._client.close()

    def core(self, plural: str, name: str = "") -> str:
        return f"/api/v1/namespaces/{self.namespace}/{plural}{f'/{name}' if name else ''}"

    def apps(self, plural: str = "", name: str = "chat") -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/{plural or self.plural}{f'/{name}' if name else ''}"

    def must(self, method: str, path: str, body: Any = None, *, kind: str = "application/json") -> Any:
        return must(self._client, method, path, body, kind=kind)

    # What there is before.

    def begin(self, *, strategy: Mapping[str, Any] | None = None, **spec: Any) -> None:
        """The workload as it runs before the release, complete."""
        template = {"metadata": {"labels": LABELS}, "spec": self._pod_spec("1.4.2")}
        body: dict[str, Any] = {
            "metadata": {"name": "chat"},
            "spec": {"replicas": self.replicas, "selector": {"matchLabels": LABELS}, "template": template, **spec},
        }
        if self.kind == "Deployment":
            rolling = {"maxUnavailable": 0, "maxSurge": 1} if strategy is None else dict(strategy)
            body["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
            body["metadata"]["annotations"] = {REVISION: "1"}
        else:
            body["spec"]["serviceName"] = "chat"
            body["spec"]["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": dict(strategy or {})}
        made = self.must("POST", self.apps(name=""), body)
        self.uid = made["metadata"]["uid"]
        self._revision(1)
        for number in range(self.replicas):
            self.ready(self.pod(number=number))
        self.status(updated=self.replicas, total=self.replicas, available=self.replicas)

    def budget(self, **spec: Any) -> None:
        body = {"metadata": {"name": "chat"}, "spec": {"selector": {"matchLabels": LABELS}, **spec}}
        self.must("POST", f"/apis/policy/v1/namespaces/{self.namespace}/poddisruptionbudgets", body)

    # What the deployer does.

    def release(self, version: str = "1.5.0", **spec: Any) -> None:
        """A new image in the template: the controllers have it from here on."""
        change = {"spec": {"template": {"spec": {"containers": [self._container(version)]}}, **spec}}
        self.must("PATCH", self.apps(), change, kind=MERGE)
        self._revision(2)
        self.status(updated=0, total=self.replicas, available=self.replicas)

    # What the controllers do.

    def _revision(self, number: int) -> None:
        self.hash = f"hash{number}"
        if self.kind != "Deployment":
            return
        labels = {**LABELS, "pod-template-hash": self.hash}
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat", "uid": self.uid, "controller": True}
        version = "1.4.2" if number == 1 else "1.5.0"
        body = {
            "metadata": {
                "name": f"chat-{self.hash}",
                "labels": labels,
                "annotations": {REVISION: str(number)},
                "ownerReferences": [owner],
            },
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": self._pod_spec(version)},
            },
        }
        self.must("POST", self.apps("replicasets", ""), body)
        self.must("PATCH", self.apps(), {"metadata": {"annotations": {REVISION: str(number)}}}, kind=MERGE)

    def status(self, *, updated: int, total: int, available: int, conditions: Iterable[Any] = ()) -> None:
        found = self.must("GET", self.apps())
        status: dict[str, Any] = {
            "observedGeneration": found["metadata"]["generation"],
            "replicas": total,
            "readyReplicas": available,
            "updatedReplicas": updated,
            "availableReplicas": available,
        }
        if conditions:
            status["conditions"] = list(conditions)
        if self.kind == "StatefulSet":
            status |= {"updateRevision": self.hash, "currentRevision": "hash1", "currentReplicas": total - updated}
        self.must(
            "PATCH", f"{self.apps()}/status", [{"op": "add", "path": "/status", "value": status}], kind=JSON_PATCH
        )

    def deadline_exceeded(self, *, updated: int, total: int, available: int) -> None:
        message = f'ReplicaSet "chat-{self.hash}" has timed out progressing.'
        stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": message}
        stuck |= {"lastTransitionTime": _now(), "lastUpdateTime": _now()}
        self.status(updated=updated, total=total, available=available, conditions=[stuck])

    def pod(self, *, number: int | None = None, gates: Iterable[str] = (), claimed: bool = False) -> str:
        """A new pod of the newest revision, on a node, pending; its name."""
        self._made += 1
        name = f"chat-{number}" if self.kind == "StatefulSet" else f"chat-{self.hash}-{self._made}"
        sort = "pod-template-hash" if self.kind == "Deployment" else "controller-revision-hash"
        version = "1.4.2" if self.hash == "hash1" else "1.5.0"
        body: dict[str, Any] = {
            "metadata": {"name": name, "labels": {**LABELS, sort: self.hash}},
            "spec": {**self._pod_spec(version), "nodeName": "node-1"},
        }
        if gates:
            body["spec"]["readinessGates"] = [{"conditionType": gate} for gate in gates]
        if claimed:
            body["metadata"]["finalizers"] = [CLAIM]
        self.must("POST", self.core("pods"), body)
        return name

    def delete(self, name: str) -> None:
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
        self.must("DELETE", self.core("pods", name), options)

    def unclaim(self, name: str) -> None:
        """Let go of a pod that is being deleted."""
        self.must("PATCH", self.core("pods", name), {"metadata": {"finalizers": None}}, kind=MERGE)

    # What the kubelet does.

    def ready(self, name: str, *, restarts: int = 0) -> None:
        address = self.addresses.pop(0) if self.addresses and self.hash != "hash1" else "10.0.0.1"
        state = {"running": {"startedAt": _now()}}
        self._pod_status(name, state, ready=True, restarts=restarts, ip=address)

    def waits(
        self, name: str, reason: str, message: str = "", *, restarts: int = 0, exit_code: int | None = None
    ) -> None:
        """A container that does not start, with what it ended with before."""
        last = None
        if exit_code is not None:
            last = {"terminated": {"exitCode": exit_code, "reason": "Error", "startedAt": _now(), "finishedAt": _now()}}
        self._pod_status(name, {"waiting": {"reason": reason, "message": message}}, restarts=restarts, last=last)

    def runs_unready(self, name: str, *, containers_ready: bool = False) -> None:
        state = {"running": {"startedAt": _now()}}
        self._pod_status(name, state, containers_ready=containers_ready)

    def unschedulable(self, name: str, message: str) -> None:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        self._put_pod_status(name, {"phase": "Pending", "conditions": [{**condition, "lastTransitionTime": _now()}]})

    def warning(self, pod: str, reason: str, message: str) -> None:
        involved = {"apiVersion": "v1", "kind": "Pod", "name": pod, "namespace": self.namespace}
        body = {"metadata": {"generateName": f"{pod}."}, "involvedObject": involved, "type": "Warning"}
        body |= {"reason": reason, "message": message, "firstTimestamp": _now(), "lastTimestamp": _now(), "count": 1}
        self.must("POST", self.core("events"), body)

    def _pod_status(
        self,
        name: str,
        state: Mapping[str, Any],
        *,
        ready: bool = False,
        containers_ready: bool | None = None,
        restarts: int = 0,
        last: Mapping[str, Any] | None = None,
        ip: str = "10.0.0.1",
    ) -> None:
        whole = ready if containers_ready is None else containers_ready
        container = {"name": "chat", "image": "chat", "imageID": "", "ready": whole, "restartCount": restarts}
        container |= {"state": dict(state), **({"lastState": dict(last)} if last else {})}
        conditions = [
            {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": _now()}
            for kind, holds in (("PodScheduled", True), ("ContainersReady", whole), ("Ready", ready))
        ]
        phase = "Running" if "running" in state else "Pending"
        status = {"phase": phase, "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions}
        self._put_pod_status(name, {**status, "containerStatuses": [container]})

    def _put_pod_status(self, name: str, status: Mapping[str, Any]) -> None:
        patch = [{"op": "add", "path": "/status", "value": dict(status)}]
        self.must("PATCH", f"{self.core('pods', name)}/status", patch, kind=JSON_PATCH)

    def _container(self, version: str) -> dict[str, Any]:
        ports = [{"name": "http", "containerPort": self.port}]
        return {"name": "chat", "image": f"registry.example/chat:{version}", "ports": ports}

    def _pod_spec(self, version: str) -> dict[str, Any]:
        return {
            "containers": [self._container(version)],
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 30,
        }

    # A whole rollout as it should be.

    def olds(self) -> list[str]:
        found = self.must("GET", self.core("pods"))["items"]
        return [one["metadata"]["name"] for one in found if "hash1" in one["metadata"]["labels"].values()]

    def step(self, done: int, old: str) -> str:
        """One new pod in the place of an old one of a Deployment."""
        name = self.pod()
        self.status(updated=done + 1, total=self.replicas + 1, available=self.replicas)
        self.ready(name)
        self.status(updated=done + 1, total=self.replicas + 1, available=self.replicas + 1)
        self.delete(old)
        self.status(updated=done + 1, total=self.replicas, available=self.replicas)
        return name

    def exchange(self, number: int, updated: int) -> str:
        """One pod of a StatefulSet, deleted and made anew."""
        self.delete(f"chat-{number}")
        self.status(updated=updated, total=self.replicas - 1, available=self.replicas - 1)
        name = self.pod(number=number)
        self.ready(name)
        self.status(updated=updated + 1, total=self.replicas, available=self.replicas)
        return name
