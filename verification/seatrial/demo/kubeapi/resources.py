"""The kinds that the API serves, built in and by custom resource definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource in one version."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    status: bool = False
    scale: bool = False
    all: bool = False
    """Whether `kubectl get all` shows it."""

    @property
    def api_version(self) -> str:
        """``v1`` or ``group/version``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def name(self) -> str:
        """``plural`` or ``plural.group``, as error messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _core(plural: str, kind: str, *short: str, **more: Any) -> Resource:
    return Resource(group="", version="v1", plural=plural, kind=kind, short=short, **more)


def _in(group: str, plural: str, kind: str, *short: str, version: str = "v1", **more: Any) -> Resource:
    return Resource(group=group, version=version, plural=plural, kind=kind, short=short, **more)


_RBAC: Final = "rbac.authorization.k8s.io"

BUILT_IN: Final = (
    _core("namespaces", "Namespace", "ns", namespaced=False, status=True),
    _core("nodes", "Node", "no", namespaced=False, status=True),
    _core("persistentvolumes", "PersistentVolume", "pv", namespaced=False, status=True),
    _core("pods", "Pod", "po", status=True, all=True),
    _core("services", "Service", "svc", status=True, all=True),
    _core("endpoints", "Endpoints", "ep"),
    _core("configmaps", "ConfigMap", "cm"),
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", "sa"),
    _core("events", "Event", "ev"),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", status=True),
    _core("resourcequotas", "ResourceQuota", "quota", status=True),
    _core("limitranges", "LimitRange", "limits"),
    _in("apps", "deployments", "Deployment", "deploy", status=True, scale=True, all=True),
    _in("apps", "replicasets", "ReplicaSet", "rs", status=True, scale=True, all=True),
    _in("apps", "statefulsets", "StatefulSet", "sts", status=True, scale=True, all=True),
    _in("apps", "daemonsets", "DaemonSet", "ds", status=True, all=True),
    _in("apps", "controllerrevisions", "ControllerRevision"),
    _in("batch", "jobs", "Job", status=True, all=True),
    _in("batch", "cronjobs", "CronJob", "cj", status=True, all=True),
    _in(
        "autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", version="v2", status=True, all=True
    ),
    _in("policy", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", status=True),
    _in("networking.k8s.io", "networkpolicies", "NetworkPolicy", "netpol"),
    _in("networking.k8s.io", "ingresses", "Ingress", "ing", status=True),
    _in("networking.k8s.io", "ingressclasses", "IngressClass", namespaced=False),
    _in("discovery.k8s.io", "endpointslices", "EndpointSlice"),
    _in("scheduling.k8s.io", "priorityclasses", "PriorityClass", "pc", namespaced=False),
    _in("storage.k8s.io", "storageclasses", "StorageClass", "sc", namespaced=False),
    _in("coordination.k8s.io", "leases", "Lease"),
    _in(_RBAC, "roles", "Role"),
    _in(_RBAC, "rolebindings", "RoleBinding"),
    _in(_RBAC, "clusterroles", "ClusterRole", namespaced=False),
    _in(_RBAC, "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    _in("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", "crd", namespaced=False),
)


def of_definition(definition: Mapping[str, Any]) -> Iterator[Resource]:
    """The resources that a CustomResourceDefinition brings, one per served version."""
    spec = definition["spec"]
    names = spec["names"]
    for version in spec["versions"]:
        if version.get("served", True):
            subresources = version.get("subresources") or {}
            yield Resource(
                group=spec["group"],
                version=version["name"],
                plural=names["plural"],
                kind=names["kind"],
                namespaced=spec["scope"] == "Namespaced",
                short=tuple(names.get("shortNames", ())),
                status="status" in subresources,
                scale="scale" in subresources,
            )


class Registry:
    """All resources that are served now."""

    def __init__(self) -> None:
        self._resources: list[Resource] = list(BUILT_IN)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._resources)

    def add(self, definition: Mapping[str, Any]) -> None:
        """Serve what a definition describes, instead of what it described before."""
        self.remove(definition)
        self._resources += of_definition(definition)

    def remove(self, definition: Mapping[str, Any]) -> None:
        """Serve it no longer."""
        spec = definition["spec"]
        gone = (spec["group"], spec["names"]["plural"])
        self._resources = [resource for resource in self._resources if (resource.group, resource.plural) != gone]

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource behind a path."""
        wanted = (group, version, plural)
        return next((r for r in self._resources if (r.group, r.version, r.plural) == wanted), None)

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of an object."""
        return next((r for r in self._resources if (r.api_version, r.kind) == (api_version, kind)), None)

    def groups(self) -> dict[str, list[str]]:
        """Versions by group, the core group left out."""
        found: dict[str, list[str]] = {}
        for resource in self._resources:
            versions = found.setdefault(resource.group, []) if resource.group else []
            if resource.version not in versions:
                versions.append(resource.version)
        for virtual in ("authorization.k8s.io", "authentication.k8s.io"):
            found[virtual] = ["v1"]
        return found
