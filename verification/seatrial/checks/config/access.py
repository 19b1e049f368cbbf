"""Service accounts and RBAC: who may do what, as it is written and as the API itself answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.snapshot.kinds import ACCOUNT_ACCESS, POD_TEMPLATES, SELF_ACCESS
from seatrial.snapshot.objects import Item, get, name_of, namespace_of
from seatrial.snapshot.workload import Workload, workloads

_ROLES: Final = ("Role", "ClusterRole")
_BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
_SYSTEM: Final = "system:"
_BUILT_IN: Final = ("cluster-admin", "admin", "edit", "view")
_BOOTSTRAP: Final = "kubernetes.io/bootstrapping"
_EVERYBODY: Final = ("system:anonymous", "system:unauthenticated", "system:authenticated", "system:masters")
_DEFAULT_BINDINGS: Final = (
    *("cluster-admin", "system:basic-user", "system:discovery", "system:public-info-viewer"),
    *("system:service-account-issuer-discovery", "system:openshift:public-info-viewer"),
)
"""Bindings to everybody that every cluster of Kubernetes or OpenShift has, for discovery and for its administrators."""


def _shipped(item: Item) -> bool:
    """Whether an object comes with Kubernetes itself."""
    return bool(get(item, "metadata", "labels", _BOOTSTRAP)) or name_of(item).startswith(_SYSTEM)


def _bindings(view: View, *, cluster_wide: bool) -> Iterator[Item]:
    """Bindings that somebody made: those of the namespaces, and of the cluster where they concern the namespaces."""
    for item in view.objects("RoleBinding"):
        yield item
    if cluster_wide:
        for item in view.snapshot.of("ClusterRoleBinding"):
            if not _shipped(item) and any(
                get(subject, "namespace") in view.snapshot.namespaces or subject.get("kind") != "ServiceAccount"
                for subject in item.get("subjects") or ()
            ):
                yield item


def _rules(view: View) -> Iterator[tuple[Item, str, Any]]:
    """Every rule of a role that reaches into the namespaces: theirs, and the cluster's that are bound there."""
    bound = {
        str(get(item, "roleRef", "name"))
        for item in _bindings(view, cluster_wide=True)
        if get(item, "roleRef", "kind") == "ClusterRole"
    }
    roles = [*view.objects("Role")]
    roles += [
        item for item in view.snapshot.of("ClusterRole") if name_of(item) in bound and name_of(item) not in _BUILT_IN
    ]
    for role in roles:
        if not _shipped(role):
            for index, one in enumerate(role.get("rules") or ()):
                yield role, f"rules[{index}]", one


def _allows(one: Any, group: str, resource: str, *verbs: str) -> list[str]:
    groups, resources, allowed = (one.get(key) or () for key in ("apiGroups", "resources", "verbs"))
    if not ({group, "*"} & set(groups) and {resource, "*"} & set(resources)):
        return []
    return [verb for verb in verbs if verb in allowed or "*" in allowed]


def _declared(view: View, role: Item, right: str) -> bool:
    """Whether the environment grants ``right`` to everybody that a role is bound to."""
    subjects = [
        subject
        for item in _bindings(view, cluster_wide=True)
        if get(item, "roleRef", "name") == name_of(role) and get(item, "roleRef", "kind") == role.get("kind")
        for subject in item.get("subjects") or ()
    ]
    return bool(subjects) and all(
        subject.get("kind") == "ServiceAccount" and f"{subject.get('name')} {right}" in view.rules.account_access
        for subject in subjects
    )


@rule("sa/default-used", severity="major", per="workload")
def default_used(workload: Workload, view: View) -> Findings:
    """The workload runs under a service account of its own.

    Why: whatever somebody grants to `default` is granted to everything in the namespace.

    Remedy: set `serviceAccountName` to an account made for this workload. One that mounts no token is harmless.
    """
    seen = str(workload.pod.get("serviceAccountName") or "default")
    if seen == "default" and workload.pod.get("automountServiceAccountToken") is not False:
        yield finding(workload, f"{workload.path}.serviceAccountName", "an account of its own", seen, view=view)


@rule("sa/automount", severity="minor", per="workload", needs=("ServiceAccount",))
def automount(workload: Workload, view: View) -> Findings:
    """No pod gets a token for the API unless it, or its account, says so.

    Why: whoever breaks into the process finds the token, and few services ever talk to the API.

    Remedy: set `automountServiceAccountToken: false` for the pod or its account; say `true` where it is needed.
    """
    own = workload.pod.get("automountServiceAccountToken")
    if own is not None:
        return
    name = str(workload.pod.get("serviceAccountName") or "default")
    account = view.snapshot.find("ServiceAccount", workload.namespace, name)
    if account is None and not view.snapshot.complete:
        return
    if get(account or {}, "automountServiceAccountToken") is None:
        path = f"{workload.path}.automountServiceAccountToken"
        yield finding(workload, path, "false, or true on purpose", None, view=view)


@rule("sa/missing", severity="critical", per="workload", needs=("ServiceAccount",), whole=True)
def missing_account(workload: Workload, view: View) -> Findings:
    """The service account exists.

    Why: without it no new pod is made; those that run go on, until the first of them is replaced.

    Remedy: create the account, or mend `serviceAccountName`.
    """
    name = workload.pod.get("serviceAccountName")
    if name and name != "default" and view.snapshot.find("ServiceAccount", workload.namespace, str(name)) is None:
        yield finding(workload, f"{workload.path}.serviceAccountName", f"ServiceAccount {name}", "absent", view=view)


@rule("rbac/cluster-admin", severity="critical", per="cluster", needs=("RoleBinding", "ClusterRoleBinding"))
def cluster_admin(view: View) -> Findings:
    """Nobody here is bound to cluster-admin.

    Why: whoever holds it can read every secret of every environment and erase the trace.

    Remedy: bind a role with the few rights that are needed.
    """
    for item in _bindings(view, cluster_wide=True):
        if get(item, "roleRef", "name") == "cluster-admin" and not _shipped(item):
            yield finding(item, "roleRef.name", "a role with fewer rights", "cluster-admin", view=view)


@rule("rbac/wildcards", severity="major", per="cluster", needs=(*_ROLES, *_BINDINGS))
def wildcards(view: View) -> Findings:
    """No role grants everything: all verbs, or all resources.

    Why: it also grants what will be invented later.

    Remedy: list the verbs and resources.
    """
    for role, path, one in _rules(view):
        for key in ("verbs", "resources", "apiGroups"):
            if "*" in (one.get(key) or ()):
                yield finding(role, f"{path}.{key}", "a list", "*", view=view)


@rule("rbac/secrets-read", severity="major", per="cluster", needs=(*_ROLES, *_BINDINGS))
def secrets_read(view: View) -> Findings:
    """No role reads all Secrets.

    Why: who lists Secrets has every password and every token of every service account.

    Remedy: grant `get` on the Secrets by `resourceNames`; pods need no right to mount them.
    """
    for role, path, one in _rules(view):
        verbs = _allows(one, "", "secrets", "get", "list", "watch")
        verbs = [verb for verb in verbs if not _declared(view, role, f"{verb} secrets")]
        if verbs and not one.get("resourceNames") and "*" not in (one.get("resources") or ()):
            yield finding(role, path, "no right to read all Secrets", f"{', '.join(verbs)} secrets", view=view)


@rule("rbac/pod-create-exec", severity="major", per="cluster", needs=(*_ROLES, *_BINDINGS))
def pod_create_exec(view: View) -> Findings:
    """No role makes pods or gets into them.

    Why: who makes a pod can mount any Secret of the namespace and run under any of its accounts; who gets into one has
    what it has.

    Remedy: leave pods to their controllers; give `exec` for an hour, to a person, on the record.
    """
    for role, path, one in _rules(view):
        if "*" in (one.get("resources") or ()):
            continue
        for resource in ("pods", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"):
            verbs = _allows(one, "", resource, *(("create",) if resource == "pods" else ("create", "get", "patch")))
            if verbs:
                yield finding(role, path, f"no right to {resource}", f"{', '.join(verbs)} {resource}", view=view)


_ESCALATIONS: Final = (
    ("rbac.authorization.k8s.io", ("roles", "clusterroles"), ("escalate", "bind")),
    ("", ("users", "groups", "serviceaccounts"), ("impersonate",)),
    ("", ("serviceaccounts/token",), ("create",)),
    ("", ("nodes/proxy",), ("get", "create")),
    ("certificates.k8s.io", ("certificatesigningrequests/approval",), ("update", "patch")),
    (
        "admissionregistration.k8s.io",
        ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
        ("create", "update", "patch", "delete"),
    ),
)


@rule("rbac/escalation", severity="critical", per="cluster", needs=(*_ROLES, *_BINDINGS))
def escalation(view: View) -> Findings:
    """No role lets its holder take more rights than it grants.

    Why: bind, escalate, impersonate, tokens of other accounts, webhooks and the proxy of nodes are all ways to become
    administrator.

    Remedy: remove the verb; let the pipeline's own account, and nobody else, change roles.
    """
    for role, path, one in _rules(view):
        if "*" in (one.get("resources") or ()):
            continue
        for group, resources, verbs in _ESCALATIONS:
            for resource in resources:
                seen = _allows(one, group, resource, *verbs)
                if seen and not one.get("resourceNames"):
                    yield finding(role, path, f"no {' or '.join(verbs)} of {resource}", ", ".join(seen), view=view)


@rule("rbac/anonymous-authenticated", severity="critical", per="cluster", needs=_BINDINGS)
def anonymous(view: View) -> Findings:
    """Nothing is granted to everybody.

    Why: `system:authenticated` is every account of every namespace; `system:unauthenticated` is the network.

    Remedy: name the users, groups or accounts.
    """
    items = [*view.objects("RoleBinding"), *view.snapshot.of("ClusterRoleBinding")]
    for item in items:
        if name_of(item) in _DEFAULT_BINDINGS and item.get("kind") == "ClusterRoleBinding":
            continue
        for index, subject in enumerate(item.get("subjects") or ()):
            if subject.get("name") in _EVERYBODY:
                yield finding(item, f"subjects[{index}].name", "somebody", subject["name"], view=view)


@rule(
    "rbac/dangling",
    severity="minor",
    per="object",
    kinds=("RoleBinding",),
    needs=("Role", "ClusterRole", "ServiceAccount"),
    whole=True,
)
def dangling_binding(item: Item, view: View) -> Findings:
    """Every binding binds a role that exists to an account that exists.

    Why: whoever makes the missing one later, under that name, inherits the rights.

    Remedy: delete the binding, or mend its names.
    """
    namespace = namespace_of(item)
    kind, name = str(get(item, "roleRef", "kind")), str(get(item, "roleRef", "name"))
    if view.snapshot.find(kind, namespace if kind == "Role" else "", name) is None:
        yield finding(item, "roleRef", f"{kind} {name}", "absent", view=view)
    for index, subject in enumerate(item.get("subjects") or ()):
        place = str(subject.get("namespace") or namespace)
        # Accounts of namespaces that are not ours were not read.
        if subject.get("kind") == "ServiceAccount" and place in view.snapshot.namespaces:
            account = str(subject.get("name"))
            if account != "default" and view.snapshot.find("ServiceAccount", place, account) is None:
                yield finding(item, f"subjects[{index}]", f"ServiceAccount {place}/{account}", "absent", view=view)


@rule(
    "rbac/unused",
    severity="minor",
    per="object",
    kinds=("Role", "ServiceAccount"),
    needs=(*_BINDINGS, *POD_TEMPLATES),
    whole=True,
)
def unused(item: Item, view: View) -> Findings:
    """Every role is bound, and every service account runs something or is bound.

    Why: leftovers are found by whoever looks for rights that nobody watches.

    Remedy: delete it.
    """
    namespace, name = namespace_of(item), name_of(item)
    if item.get("kind") == "Role":
        bound = view.snapshot.once(
            ("bound", namespace),
            lambda: {
                str(get(one, "roleRef", "name"))
                for one in view.snapshot.of("RoleBinding", namespace)
                if get(one, "roleRef", "kind") == "Role"
            },
        )
        if name not in bound:
            yield finding(item, "metadata.name", "a RoleBinding", "none", view=view)
        return

    def accounts() -> set[str]:
        found = {str(one.pod.get("serviceAccountName") or "default") for one in workloads(view.snapshot, namespace)}
        for kind in _BINDINGS:
            for one in view.snapshot.of(kind):
                found |= {
                    str(subject.get("name"))
                    for subject in one.get("subjects") or ()
                    if subject.get("kind") == "ServiceAccount"
                    and (subject.get("namespace") or namespace_of(one)) == namespace
                }
        return found

    if name != "default" and name not in view.snapshot.once(("accounts", namespace), accounts):
        yield finding(item, "metadata.name", "a workload or a binding", "none", view=view)


@rule(
    "rbac/effective", severity="critical", per="object", kinds=(ACCOUNT_ACCESS,), needs=("ServiceAccount",), live=True
)
def effective(item: Item, view: View) -> Findings:
    """No service account really has a right with which it could take the namespace over, as the API itself answers.

    Why: groups, aggregated roles and other authorizers grant what no single object shows.

    Remedy: find the binding (`kubectl auth can-i --list --as=...`) and remove it; what is meant to be goes under
    `config.account_access`.
    """
    right = f"{item['verb']} {item['resource']}"
    declared = f"{name_of(item)} {right}" in view.rules.account_access
    if item["allowed"] and not declared:
        account = {"kind": "ServiceAccount", "metadata": item["metadata"]}
        yield finding(account, right, "not allowed", item["reason"] or "allowed", view=view)


@rule("rbac/self", severity="major", per="object", kinds=(SELF_ACCESS,), live=True)
def verifier(item: Item, view: View) -> Findings:
    """The verifier may read what the checks need, and may write nothing.

    Why: what it may not read it cannot vouch for; what it may write it can break, and so can who takes its token.

    Remedy: bind it to the role that `seatrial role` prints, and to no other.
    """
    right = f"{item['verb']} {item['resource']}"
    if item["need"] == "read" and not item["allowed"]:
        yield finding(_self(item), right, "allowed", "not allowed", view=view)
    if item["need"] == "write" and item["allowed"]:
        yield finding(_self(item), right, "not allowed", item["reason"] or "allowed", view=view)


def _self(item: Item) -> Item:
    return {"kind": "Verifier", "metadata": {"name": "seatrial", "namespace": namespace_of(item)}}


CHECKS: Final[tuple[Check, ...]] = (
    default_used,
    automount,
    missing_account,
    cluster_admin,
    wildcards,
    secrets_read,
    pod_create_exec,
    escalation,
    anonymous,
    dangling_binding,
    unused,
    effective,
    verifier,
)
