"""What the API demands of an object before it stores it."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from seatrial.demo.kubeapi import failure, selectors
from seatrial.demo.kubeapi.manifests import reveal
from seatrial.demo.kubeapi.resource import DEFINITIONS, Object, Resource
from seatrial.demo.kubeapi.target import Target

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABELS: Final = frozenset({"Namespace", "Service"})
_TEMPLATED: Final = frozenset({"Deployment", "DaemonSet", "ReplicaSet", "StatefulSet"})

Causes = list[tuple[str, str]]


def admitted(content: Any, target: Target) -> Object:
    """``content`` as it may be stored under ``target``: complete, or Failure 400 or 422."""
    resource = target.resource
    if not isinstance(content, dict):
        raise failure.bad_request(f"expected a {resource.kind} object, got {type(content).__name__}")
    for key, expected in (("apiVersion", resource.api_version), ("kind", resource.kind)):
        if content.get(key, expected) != expected:
            raise failure.bad_request(
                f"the {key} in the data ({content[key]}) does not match the expected one ({expected})"
            )
    if not isinstance(content.get("metadata", {}), dict):
        raise failure.bad_request("metadata: expected an object")
    meta = dict(content.get("metadata") or {})
    if resource.namespaced:
        if meta.setdefault("namespace", target.namespace) != target.namespace:
            raise failure.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
    else:
        meta.pop("namespace", None)
    if target.name and meta.setdefault("name", target.name) != target.name:
        raise failure.bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})"
        )
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = f"{meta['generateName']}{secrets.token_hex(3)[:5]}"
    content = {**content, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
    causes = [*_meta(resource, meta), *_content(resource, content)]
    if causes:
        raise failure.invalid(resource.kind, str(meta.get("name", "")), causes)
    return reveal(content) if resource.kind == "Secret" else content


def unchanged(resource: Resource, before: Object, after: Object) -> None:
    """Raises Failure 422 where a field has changed that must not."""
    immutable = {
        "Deployment": ("spec", "selector"),
        "ReplicaSet": ("spec", "selector"),
        "StatefulSet": ("spec", "selector"),
        "RoleBinding": ("roleRef",),
        "ClusterRoleBinding": ("roleRef",),
        "Secret": ("type",),
    }.get(resource.kind, ())
    if immutable and _at(before, immutable) != _at(after, immutable):
        causes = [(".".join(immutable), "Invalid value: field is immutable")]
        raise failure.invalid(resource.kind, after["metadata"]["name"], causes)
    if before.get("immutable") and any(before.get(key) != after.get(key) for key in ("data", "binaryData")):
        causes = [("data", "Forbidden: field is immutable when `immutable` is set")]
        raise failure.invalid(resource.kind, after["metadata"]["name"], causes)


def _at(item: Object, path: tuple[str, ...]) -> Any:
    found: Any = item
    for name in path:
        found = (found or {}).get(name)
    return found


def _meta(resource: Resource, meta: Object) -> Causes:
    name = meta.get("name")
    if not name:
        return [("metadata.name", "Required value: name or generateName is required")]
    if resource.group == "rbac.authorization.k8s.io":
        return []
    longest = 63 if resource.kind in _LABELS else 253
    if not isinstance(name, str) or len(name) > longest or not _NAME.fullmatch(name):
        wanted = f"a lowercase RFC 1123 name of at most {longest} characters"
        return [("metadata.name", f'Invalid value: "{name}": expected {wanted}')]
    held = meta.get("labels") or {}
    return [
        (f"metadata.labels.{key}", f"Invalid value: {value!r}: expected a string")
        for key, value in held.items()
        if not isinstance(value, str)
    ]


def _content(resource: Resource, content: Object) -> Causes:
    spec = content.get("spec")
    causes: Causes = []
    if resource.kind in ("ConfigMap", "Secret"):
        for field in ("data", "stringData"):
            causes += [
                (f"{field}[{key}]", f"Invalid value: expected a string, got {type(value).__name__}")
                for key, value in (content.get(field) or {}).items()
                if not isinstance(value, str)
            ]
        return causes
    if spec is not None and not isinstance(spec, dict):
        return [("spec", "Invalid value: expected an object")]
    if resource == DEFINITIONS:
        return _definition(content)
    if resource.kind in ("RoleBinding", "ClusterRoleBinding"):
        kind = (content.get("roleRef") or {}).get("kind")
        named = (content.get("roleRef") or {}).get("name")
        return (
            []
            if kind in ("Role", "ClusterRole") and named
            else [("roleRef", "Required value: kind and name of a role")]
        )
    if resource.kind not in (*_TEMPLATED, "Pod"):
        return []
    spec = spec or {}
    if resource.kind == "Pod":
        return _pod(spec, "spec")
    replicas = spec.get("replicas", 1)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        causes.append(("spec.replicas", f"Invalid value: {replicas}: must be greater than or equal to 0"))
    template = spec.get("template") or {}
    held = (template.get("metadata") or {}).get("labels") or {}
    if not spec.get("selector"):
        causes.append(("spec.selector", "Required value"))
    elif not selectors.matches(spec["selector"], held):
        causes.append(("spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`"))
    return causes + _pod(template.get("spec") or {}, "spec.template.spec")


def _definition(content: Object) -> Causes:
    """What would make the resource unusable; the schema is not looked at."""
    spec = content.get("spec") or {}
    names = spec.get("names") or {}
    needed = {
        "spec.group": spec.get("group"),
        "spec.names.plural": names.get("plural"),
        "spec.names.kind": names.get("kind"),
    }
    causes = [(field, "Required value") for field, value in needed.items() if not value]
    versions = spec.get("versions")
    if not versions or not all(isinstance(each, dict) and each.get("name") for each in versions):
        causes.append(("spec.versions", "Required value: a list of versions with names"))
    if not causes and content["metadata"]["name"] != f"{names['plural']}.{spec['group']}":
        causes.append(("metadata.name", 'Invalid value: must be spec.names.plural+"."+spec.group'))
    return causes


def _pod(spec: Object, where: str) -> Causes:
    containers = spec.get("containers")
    if not containers:
        return [(f"{where}.containers", "Required value")]
    causes: Causes = []
    for index, container in enumerate(containers):
        causes += [
            (f"{where}.containers[{index}].{field}", "Required value")
            for field in ("name", "image")
            if not container.get(field)
        ]
    return causes
