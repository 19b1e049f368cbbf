"""Access reviews: the API's own answer to who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.demo.kubeapi.errors import ApiError
from seatrial.demo.kubeapi.rbac import Attributes, Authorizer, User


def _attributes(spec: Mapping[str, Any]) -> Attributes:
    if path := spec.get("nonResourceAttributes"):
        return Attributes(verb=path.get("verb", ""), path=path.get("path", ""))
    asked = spec.get("resourceAttributes")
    if not isinstance(asked, Mapping):
        raise ApiError("Invalid", "spec: expected resourceAttributes or nonResourceAttributes")
    names = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(**{name: asked.get(name, "") for name in names})


def answer(kind: str, body: Mapping[str, Any], user: User, authorizer: Authorizer) -> dict[str, Any]:
    """The review with its status. Raises ApiError for one that is incomplete or of an unknown kind."""
    spec = body.get("spec") or {}
    head = {"kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec}
    if kind == "SelfSubjectReview":
        info = {"username": user.name, "groups": list(user.groups)}
        return {**head, "apiVersion": "authentication.k8s.io/v1", "status": {"userInfo": info}}
    if kind == "SelfSubjectRulesReview":
        rules = list(authorizer.rules(user, spec.get("namespace", "")))
        resources = [
            {key: rule[key] for key in ("verbs", "apiGroups", "resources", "resourceNames") if key in rule}
            for rule in rules
            if rule.get("resources")
        ]
        others = [
            {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
            for rule in rules
            if rule.get("nonResourceURLs")
        ]
        return {**head, "status": {"resourceRules": resources, "nonResourceRules": others, "incomplete": False}}
    if kind == "SelfSubjectAccessReview":
        subject = user
    elif kind in ("SubjectAccessReview", "LocalSubjectAccessReview"):
        subject = User(name=spec.get("user", ""), groups=tuple(spec.get("groups") or ()))
    else:
        raise ApiError("NotFound", "the server could not find the requested resource")
    allowed = authorizer.allows(subject, _attributes(spec))
    return {**head, "status": {"allowed": allowed, "reason": "" if allowed else "no rule allows it"}}
