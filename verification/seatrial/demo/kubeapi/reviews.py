"""Reviews: questions to the API about who somebody is and what they may do."""

from __future__ import annotations

from typing import Any

from seatrial.demo.kubeapi import failure
from seatrial.demo.kubeapi.rbac import Attempt, Gatekeeper, User
from seatrial.demo.kubeapi.resource import Object
from seatrial.demo.kubeapi.target import Target


def answer(gatekeeper: Gatekeeper, user: User, target: Target, content: Any) -> Object:
    """The review with its ``status``. Raises Failure 400."""
    if not isinstance(content, dict):
        raise failure.bad_request(f"expected a {target.resource.kind} object")
    spec = content.get("spec") or {}
    kind = target.resource.kind
    head = {
        "kind": kind,
        "apiVersion": target.resource.api_version,
        "metadata": content.get("metadata") or {},
        "spec": spec,
    }
    if kind == "SelfSubjectReview":
        return {**head, "status": {"userInfo": _info(user)}}
    if kind == "TokenReview":
        known = gatekeeper.recognise(str(spec.get("token", "")))
        found = {"authenticated": True, "user": _info(known)} if known else {"authenticated": False}
        return {**head, "status": found}
    if kind == "SelfSubjectRulesReview":
        return {**head, "status": _rules(gatekeeper, user, str(spec.get("namespace", "")))}
    if kind != "SelfSubjectAccessReview":
        user = User(name=str(spec.get("user", "")), groups=tuple(spec.get("groups") or ()))
    allowed = gatekeeper.allows(user, _attempt(spec))
    why = {} if allowed else {"reason": "no role of the demo permits it"}
    return {**head, "status": {"allowed": allowed, **why}}


def _info(user: User) -> Object:
    return {"username": user.name, "groups": list(user.groups)}


def _attempt(spec: Object) -> Attempt:
    path, asked = spec.get("nonResourceAttributes"), spec.get("resourceAttributes")
    if path:
        return Attempt(verb=path.get("verb", ""), path=path.get("path", ""))
    if not asked:
        raise failure.bad_request("spec: expected resourceAttributes or nonResourceAttributes")
    return Attempt(
        verb=asked.get("verb", ""),
        group=asked.get("group", ""),
        resource=asked.get("resource", ""),
        part=asked.get("subresource", ""),
        namespace=asked.get("namespace", ""),
        name=asked.get("name", ""),
    )


def _rules(gatekeeper: Gatekeeper, user: User, namespace: str) -> Object:
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    rules = [everything] if user.unlimited else list(gatekeeper.rules(user, namespace))
    return {
        "resourceRules": [rule for rule in rules if rule.get("resources")],
        "nonResourceRules": [rule for rule in rules if rule.get("nonResourceURLs")],
        "incomplete": False,
    }
