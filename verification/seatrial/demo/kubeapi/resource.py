"""The resources that the API serves: which kind lives under which path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

Object = dict[str, Any]
"""A Kubernetes object as JSON has it. Stored objects are never changed in place."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource. ``group`` is empty for the core; ``parts`` are its subresources."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    stored: bool = True
    columns: tuple[tuple[str, str, str], ...] = ()
    """Printed columns of a custom resource: name, type, JSON path."""

    @property
    def api_version(self) -> str:
        """``group/version``, or the version alone in the core."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def full_name(self) -> str:
        """``plural.group``, as messages have it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def key(self) -> tuple[str, str]:
        """What the resource is stored under."""
        return self.group, self.plural


def _table(group: str, rows: str) -> Iterable[Resource]:
    """Rows of: kind, plural, N or C, short names, subresources, categories; ``-`` is none, commas separate."""
    for row in rows.strip().splitlines():
        kind, plural, scope, short, parts, categories = row.split()
        name, _, version = group.partition("/")
        yield Resource(
            group="" if name == "core" else name,
            version=version,
            kind=kind,
            plural=plural,
            namespaced=scope == "N",
            short=_words(short),
            parts=_words(parts),
            categories=_words(categories),
            stored=not kind.endswith("Review"),
        )


def _words(cell: str) -> tuple[str, ...]:
    return () if cell == "-" else tuple(cell.split(","))


BUILTIN: Final = (
    *_table(
        "core/v1",
        """
        ConfigMap configmaps N cm - -
        Endpoints endpoints N ep - -
        Event events N ev - -
        LimitRange limitranges N limits - -
        Namespace namespaces C ns status -
        Node nodes C no status -
        PersistentVolumeClaim persistentvolumeclaims N pvc status -
        PersistentVolume persistentvolumes C pv status -
        Pod pods N po status,log all
        PodTemplate podtemplates N - - -
        ReplicationController replicationcontrollers N rc status,scale all
        ResourceQuota resourcequotas N quota status -
        Secret secrets N - - -
        ServiceAccount serviceaccounts N sa - -
        Service services N svc status all
        """,
    ),
    *_table(
        "apps/v1",
        """
        ControllerRevision controllerrevisions N - - -
        DaemonSet daemonsets N ds status all
        Deployment deployments N deploy status,scale all
        ReplicaSet replicasets N rs status,scale all
        StatefulSet statefulsets N sts status,scale all
        """,
    ),
    *_table("autoscaling/v2", "HorizontalPodAutoscaler horizontalpodautoscalers N hpa status all"),
    *_table("batch/v1", "CronJob cronjobs N cj status all\nJob jobs N - status all"),
    *_table("coordination.k8s.io/v1", "Lease leases N - - -"),
    *_table("discovery.k8s.io/v1", "EndpointSlice endpointslices N - - -"),
    *_table("events.k8s.io/v1", "Event events N ev - -"),
    *_table(
        "networking.k8s.io/v1",
        """
        Ingress ingresses N ing status -
        IngressClass ingressclasses C - - -
        NetworkPolicy networkpolicies N netpol - -
        """,
    ),
    *_table("policy/v1", "PodDisruptionBudget poddisruptionbudgets N pdb status -"),
    *_table(
        "rbac.authorization.k8s.io/v1",
        """
        ClusterRole clusterroles C - - -
        ClusterRoleBinding clusterrolebindings C - - -
        Role roles N - - -
        RoleBinding rolebindings N - - -
        """,
    ),
    *_table("scheduling.k8s.io/v1", "PriorityClass priorityclasses C pc - -"),
    *_table("storage.k8s.io/v1", "StorageClass storageclasses C sc - -"),
    *_table("apiextensions.k8s.io/v1", "CustomResourceDefinition customresourcedefinitions C crd,crds status -"),
    *_table(
        "authorization.k8s.io/v1",
        """
        LocalSubjectAccessReview localsubjectaccessreviews N - - -
        SelfSubjectAccessReview selfsubjectaccessreviews C - - -
        SelfSubjectRulesReview selfsubjectrulesreviews C - - -
        SubjectAccessReview subjectaccessreviews C - - -
        """,
    ),
    *_table(
        "authentication.k8s.io/v1",
        "SelfSubjectReview selfsubjectreviews C - - -\nTokenReview tokenreviews C - - -",
    ),
)

DEFINITIONS: Final = next(resource for resource in BUILTIN if resource.kind == "CustomResourceDefinition")
NAMESPACES: Final = next(resource for resource in BUILTIN if resource.kind == "Namespace")


def defined(definition: Object) -> Iterable[Resource]:
    """The resources that a CustomResourceDefinition serves, one per version."""
    spec = definition["spec"]
    names = spec["names"]
    for version in spec["versions"]:
        if version.get("served"):
            yield Resource(
                group=spec["group"],
                version=version["name"],
                kind=names["kind"],
                plural=names["plural"],
                namespaced=spec.get("scope") == "Namespaced",
                short=tuple(names.get("shortNames") or ()),
                parts=tuple(version.get("subresources") or ()),
                categories=tuple(names.get("categories") or ()),
                columns=tuple(
                    (column["name"], column["type"], column["jsonPath"])
                    for column in version.get("additionalPrinterColumns") or ()
                    if not column.get("priority")
                ),
            )
