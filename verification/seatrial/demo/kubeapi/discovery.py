"""What the API tells about itself: groups, versions, resources."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final

from seatrial.demo.kubeapi.resource import Object, Resource

VERSION: Final = "v1.35.2"

_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


def answer(path: str, served: Iterable[Resource]) -> Object | None:
    """The discovery document at ``path``; None where there is none."""
    parts = [part for part in path.split("/") if part]
    known = list(served)
    if parts == ["version"]:
        return _version()
    if parts == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if parts == ["api", "v1"]:
        return _resources("", "v1", known)
    if parts == ["apis"]:
        names = list(dict.fromkeys(item.group for item in known if item.group))
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, known) for name in names]}
    if parts == ["openapi", "v3"]:
        return {"paths": {}}
    if parts[:1] == ["apis"] and len(parts) == 2 and any(item.group == parts[1] for item in known):
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], known)}
    if parts[:1] == ["apis"] and len(parts) == 3:
        return _resources(parts[1], parts[2], known)
    return None


def _version() -> Object:
    major, minor = VERSION.removeprefix("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"{VERSION}+seatrial",
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2025-04-22T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": f"{sys.platform}/demo",
    }


def _group(name: str, known: list[Resource]) -> Object:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in dict.fromkeys(item.version for item in known if item.group == name)
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resources(group: str, version: str, known: list[Resource]) -> Object | None:
    listed: list[dict[str, Any]] = []
    for item in known:
        if (item.group, item.version) == (group, version):
            listed.append(_entry(item))
            listed.extend(_part(item, name) for name in item.parts)
    if not listed:
        return None
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}


def _entry(item: Resource) -> dict[str, Any]:
    return {
        "name": item.plural,
        "singularName": item.kind.lower(),
        "namespaced": item.namespaced,
        "kind": item.kind,
        "verbs": list(_VERBS) if item.stored else ["create"],
        **({"shortNames": list(item.short)} if item.short else {}),
        **({"categories": list(item.categories)} if item.categories else {}),
    }


def _part(item: Resource, name: str) -> dict[str, Any]:
    scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"} if name == "scale" else {"kind": item.kind}
    verbs = ["get"] if name == "log" else ["get", "patch", "update"]
    return {
        "name": f"{item.plural}/{name}",
        "singularName": "",
        "namespaced": item.namespaced,
        **scale,
        "verbs": verbs,
    }
