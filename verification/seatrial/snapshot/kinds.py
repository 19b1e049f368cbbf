"""Kinds of objects that checks read, and where the API serves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind. ``custom`` ones need not be installed: a check over them is then not applicable."""

    name: str
    group: str
    version: str
    plural: str
    namespaced: bool = True
    custom: bool = False
    by_name: bool = False
    """Read one by one under known names, so that nobody needs the right to list them all."""

    @property
    def api_version(self) -> str:
        """As manifests spell it, ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "") -> str:
        """Path of the list, in ``namespace`` where the kind has them."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{inside}/{self.plural}"


def _kinds(group: str, version: str, *names: str, namespaced: bool = True, custom: bool = False) -> list[Kind]:
    found = []
    for entry in names:
        name, _, plural = entry.partition(":")
        found.append(
            Kind(
                name=name,
                group=group,
                version=version,
                plural=plural or f"{name.lower()}s",
                namespaced=namespaced,
                custom=custom,
            )
        )
    return found


_ALL: Final = (
    Kind(name="Namespace", group="", version="v1", plural="namespaces", namespaced=False, by_name=True),
    *_kinds("", "v1", "Node", "PersistentVolume", namespaced=False),
    *_kinds("", "v1", "Pod", "Service", "ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim"),
    *_kinds("", "v1", "ResourceQuota", "LimitRange"),
    *_kinds("apps", "v1", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
    *_kinds("batch", "v1", "Job", "CronJob"),
    *_kinds("autoscaling", "v2", "HorizontalPodAutoscaler"),
    *_kinds("policy", "v1", "PodDisruptionBudget"),
    *_kinds("networking.k8s.io", "v1", "NetworkPolicy:networkpolicies", "Ingress:ingresses"),
    *_kinds("networking.k8s.io", "v1", "IngressClass:ingressclasses", namespaced=False),
    *_kinds("discovery.k8s.io", "v1", "EndpointSlice"),
    *_kinds("rbac.authorization.k8s.io", "v1", "Role", "RoleBinding"),
    *_kinds("rbac.authorization.k8s.io", "v1", "ClusterRole", "ClusterRoleBinding", namespaced=False),
    *_kinds("scheduling.k8s.io", "v1", "PriorityClass:priorityclasses", namespaced=False),
    *_kinds("storage.k8s.io", "v1", "StorageClass:storageclasses", namespaced=False),
    *_kinds("gateway.networking.k8s.io", "v1", "Gateway", "HTTPRoute", custom=True),
    *_kinds("monitoring.coreos.com", "v1", "ServiceMonitor", custom=True),
    *_kinds("external-secrets.io", "v1", "ExternalSecret", custom=True),
    *_kinds("bitnami.com", "v1alpha1", "SealedSecret", custom=True),
    *_kinds("velero.io", "v1", "Schedule", custom=True),
    *_kinds("metrics.k8s.io", "v1beta1", "PodMetrics:pods", custom=True),
)

KINDS: Final = {kind.name: kind for kind in _ALL}
"""Kinds by name."""

SELF_ACCESS: Final = "SelfAccess"
"""What the verifier itself may do, from the API's own reviews: not a kind of the API, but read like one."""
ACCOUNT_ACCESS: Final = "ServiceAccountAccess"
"""What the service accounts of the workloads may do, from the API's own reviews."""
REVIEWS: Final = (SELF_ACCESS, ACCOUNT_ACCESS)

POD_TEMPLATES: Final = {
    "Deployment": "spec.template",
    "StatefulSet": "spec.template",
    "DaemonSet": "spec.template",
    "ReplicaSet": "spec.template",
    "Job": "spec.template",
    "CronJob": "spec.jobTemplate.spec.template",
    "Pod": "",
}
"""Kinds that run pods, and where their template stands; a Pod is its own."""
SERVING: Final = ("Deployment", "StatefulSet", "DaemonSet")
"""Workloads that run until they are told to stop."""
