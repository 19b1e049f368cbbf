"""API versions that Kubernetes has deprecated or removed.

Source: https://kubernetes.io/docs/reference/using-api/deprecation-guide/, as of Kubernetes 1.36.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

Version = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """One version of some kinds: deprecated since, gone since, and what comes instead."""

    api_version: str
    kinds: tuple[str, ...]
    deprecated: Version
    removed: Version | None
    instead: str


def _row(api: str, kinds: str, deprecated: str, removed: str, instead: str) -> Deprecation:
    gone = version(removed)
    since = version(deprecated)
    assert since is not None
    return Deprecation(api_version=api, kinds=tuple(kinds.split()), deprecated=since, removed=gone, instead=instead)


def version(text: str | None) -> Version | None:
    """``1.34``, ``v1.34.2+k3s1`` as (1, 34); None for anything else."""
    match = re.match(r"v?(\d+)\.(\d+)", text or "")
    return (int(match[1]), int(match[2])) if match else None


TABLE: Final = (
    _row("extensions/v1beta1", "Deployment DaemonSet ReplicaSet", "1.8", "1.16", "apps/v1"),
    _row("extensions/v1beta1", "NetworkPolicy", "1.9", "1.16", "networking.k8s.io/v1"),
    _row("extensions/v1beta1", "Ingress", "1.14", "1.22", "networking.k8s.io/v1"),
    _row("apps/v1beta1", "Deployment StatefulSet", "1.9", "1.16", "apps/v1"),
    _row("apps/v1beta2", "Deployment StatefulSet DaemonSet ReplicaSet", "1.9", "1.16", "apps/v1"),
    _row("networking.k8s.io/v1beta1", "Ingress IngressClass", "1.19", "1.22", "networking.k8s.io/v1"),
    _row(
        "rbac.authorization.k8s.io/v1beta1",
        "Role RoleBinding ClusterRole ClusterRoleBinding",
        "1.17",
        "1.22",
        "rbac.authorization.k8s.io/v1",
    ),
    _row(
        "rbac.authorization.k8s.io/v1alpha1",
        "Role RoleBinding ClusterRole ClusterRoleBinding",
        "1.17",
        "1.22",
        "rbac.authorization.k8s.io/v1",
    ),
    _row("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "1.16", "1.22", "apiextensions.k8s.io/v1"),
    _row("apiregistration.k8s.io/v1beta1", "APIService", "1.19", "1.22", "apiregistration.k8s.io/v1"),
    _row(
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
        "1.16",
        "1.22",
        "admissionregistration.k8s.io/v1",
    ),
    _row("authentication.k8s.io/v1beta1", "TokenReview", "1.19", "1.22", "authentication.k8s.io/v1"),
    _row("certificates.k8s.io/v1beta1", "CertificateSigningRequest", "1.19", "1.22", "certificates.k8s.io/v1"),
    _row("coordination.k8s.io/v1beta1", "Lease", "1.19", "1.22", "coordination.k8s.io/v1"),
    _row("scheduling.k8s.io/v1beta1", "PriorityClass", "1.14", "1.22", "scheduling.k8s.io/v1"),
    _row(
        "storage.k8s.io/v1beta1", "CSIDriver CSINode StorageClass VolumeAttachment", "1.19", "1.22", "storage.k8s.io/v1"
    ),
    _row("storage.k8s.io/v1beta1", "CSIStorageCapacity", "1.24", "1.27", "storage.k8s.io/v1"),
    _row("batch/v1beta1", "CronJob", "1.21", "1.25", "batch/v1"),
    _row("discovery.k8s.io/v1beta1", "EndpointSlice", "1.21", "1.25", "discovery.k8s.io/v1"),
    _row("events.k8s.io/v1beta1", "Event", "1.19", "1.25", "events.k8s.io/v1"),
    _row("policy/v1beta1", "PodDisruptionBudget", "1.21", "1.25", "policy/v1"),
    _row("policy/v1beta1", "PodSecurityPolicy", "1.21", "1.25", "Pod Security Admission"),
    _row("node.k8s.io/v1beta1", "RuntimeClass", "1.20", "1.25", "node.k8s.io/v1"),
    _row("autoscaling/v2beta1", "HorizontalPodAutoscaler", "1.22", "1.25", "autoscaling/v2"),
    _row("autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.23", "1.26", "autoscaling/v2"),
    _row(
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "FlowSchema PriorityLevelConfiguration",
        "1.23",
        "1.26",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    _row(
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "FlowSchema PriorityLevelConfiguration",
        "1.26",
        "1.29",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    _row(
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "FlowSchema PriorityLevelConfiguration",
        "1.29",
        "1.32",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    _row("v1", "ComponentStatus", "1.19", "", "the health endpoints of the components"),
    _row("v1", "Endpoints", "1.33", "", "discovery.k8s.io/v1 EndpointSlice"),
)
"""In the order of the guide, the oldest removal first."""


def find(api_version: str, kind: str) -> Deprecation | None:
    """The row about one kind at one version, or None where nothing is known against it."""
    return next((row for row in TABLE if row.api_version == api_version and kind in row.kinds), None)
