"""The rights that reading takes, no less and no more."""

import pytest

from seatrial.checks.catalogue import CONFIG, needs
from seatrial.cluster.role import manifests
from seatrial.snapshot.kinds import ACCOUNT_ACCESS, KINDS, REVIEWS, SELF_ACCESS
from support.hostile import Answer

ACCOUNT = ("ci", "verifier")


def rules(found, kind):
    return [rule for item in found if item["kind"] == kind for rule in item["rules"]]


ROLES = {
    "nothing": ((), []),
    "a kind that nobody knows": (("Oops",), []),
    "in a namespace": (("ConfigMap",), ["Role", "RoleBinding", "Role", "RoleBinding"]),
    "of the cluster": (("Node",), ["ClusterRole", "ClusterRoleBinding"]),
    "by name": (("Namespace",), ["ClusterRole", "ClusterRoleBinding"]),
    "its own reviews": ((SELF_ACCESS,), []),
    "reviews of accounts": ((ACCOUNT_ACCESS,), ["ClusterRole", "ClusterRoleBinding"]),
}


@pytest.mark.parametrize(("wanted", "expected"), ROLES.values(), ids=list(ROLES))
def test_roles_are_made_where_they_are_needed(wanted, expected):
    assert [item["kind"] for item in manifests(wanted, ("shop", "till"), ACCOUNT)] == expected


def test_rules_are_grouped_sorted_and_without_doubles():
    found = manifests(("Secret", "ConfigMap", "Secret", "Deployment"), ("shop",), ACCOUNT)
    assert rules(found, "Role") == [
        {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
    ]


def test_namespaces_are_read_by_name_alone():
    (rule,) = rules(manifests(("Namespace",), ("shop", "till"), ACCOUNT), "ClusterRole")
    assert rule == {
        "apiGroups": [""],
        "resources": ["namespaces"],
        "resourceNames": ["shop", "till", "kube-system"],
        "verbs": ["get"],
    }


def test_everything_is_bound_to_the_account():
    found = manifests(needs(CONFIG), ("shop", "till"), ACCOUNT)
    bindings = [item for item in found if item["kind"].endswith("Binding")]
    assert len(bindings) == 3
    for binding in bindings:
        assert binding["subjects"] == [{"kind": "ServiceAccount", "namespace": "ci", "name": "verifier"}]
        assert binding["roleRef"]["kind"] == binding["kind"].removesuffix("Binding")
        assert any(
            item["kind"] == binding["roleRef"]["kind"] and item["metadata"] == binding["metadata"] for item in found
        )


def test_nothing_may_be_written():
    found = manifests((*KINDS, *REVIEWS), ("shop",), ACCOUNT)
    for rule in [*rules(found, "Role"), *rules(found, "ClusterRole")]:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        if rule["verbs"] == ["create"]:
            assert rule["resources"] == ["subjectaccessreviews"]
        else:
            assert rule["verbs"] in (["list"], ["get"])


def test_the_rights_are_those_that_reading_uses(api, reading):
    """Every request of a whole reading is allowed by the roles, and every rule is used by a request."""
    for review in ("selfsubjectaccessreviews", "subjectaccessreviews"):
        api.on(f"/apis/authorization.k8s.io/v1/{review}", Answer(201, {"status": {"allowed": True}}))
    kinds = (*KINDS, *REVIEWS)
    assert reading(kinds).unread == {}
    found = manifests(kinds, ("shop",), ACCOUNT)
    allowed = {
        (scope, group, resource, verb, name)
        for scope, kind in (("shop", "Role"), ("", "ClusterRole"))
        for rule in rules(found, kind)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", ("",))
    }
    # These two everybody may ask for.
    free = ("/version", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    asked = {_right(request) for request in api.requests if request.path not in free}
    assert asked == allowed


def _right(request):
    parts = request.path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    if rest[0] == "namespaces" and len(rest) == 2:
        return "", group, "namespaces", "get", rest[1]
    scope, rest = (rest[1], rest[2:]) if rest[0] == "namespaces" else ("", rest)
    return scope, group, rest[0], "create" if request.method == "POST" else "list", ""
