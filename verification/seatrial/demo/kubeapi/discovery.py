"""What clients read first: groups, versions and resources."""

from __future__ import annotations

from typing import Any, Final

from seatrial.demo.kubeapi.resources import VERBS, Registry, Resource

VERSION: Final = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0",
    "gitCommit": "embedded",
    "gitTreeState": "clean",
    "buildDate": "2025-08-27T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "embedded",
}

_REVIEWS: Final = {
    "authorization.k8s.io": {
        "selfsubjectaccessreviews": ("SelfSubjectAccessReview", False),
        "selfsubjectrulesreviews": ("SelfSubjectRulesReview", False),
        "subjectaccessreviews": ("SubjectAccessReview", False),
        "localsubjectaccessreviews": ("LocalSubjectAccessReview", True),
    },
    "authentication.k8s.io": {"selfsubjectreviews": ("SelfSubjectReview", False)},
}


def core_versions(server: str) -> dict[str, Any]:
    """Answer to ``/api``."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def group_list(registry: Registry) -> dict[str, Any]:
    """Answer to ``/apis``."""
    groups = [_group(name, versions) for name, versions in registry.groups().items()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> dict[str, Any] | None:
    """Answer to ``/apis/GROUP``, or None."""
    versions = registry.groups().get(name)
    return None if versions is None else {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def _entry(resource: Resource) -> list[dict[str, Any]]:
    common = {"namespaced": resource.namespaced, "kind": resource.kind}
    entry: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        **common,
        "verbs": list(VERBS),
    }
    if resource.short:
        entry["shortNames"] = list(resource.short)
    if resource.all:
        entry["categories"] = ["all"]
    entries = [entry]
    if resource.status:
        entries.append(
            {"name": f"{resource.plural}/status", "singularName": "", **common, "verbs": ["get", "patch", "update"]}
        )
    if resource.scale:
        scale = {"group": "autoscaling", "version": "v1", "kind": "Scale", "namespaced": resource.namespaced}
        entries.append(
            {"name": f"{resource.plural}/scale", "singularName": "", **scale, "verbs": ["get", "patch", "update"]}
        )
    return entries


def resource_list(registry: Registry, group_name: str, version: str) -> dict[str, Any] | None:
    """Answer to ``/api/v1`` and ``/apis/GROUP/VERSION``, or None."""
    group_version = f"{group_name}/{version}" if group_name else version
    entries = [e for r in registry if (r.group, r.version) == (group_name, version) for e in _entry(r)]
    if version == "v1":
        entries += [
            {"name": plural, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": ["create"]}
            for plural, (kind, namespaced) in _REVIEWS.get(group_name, {}).items()
        ]
    if not entries:
        return None
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": entries}
