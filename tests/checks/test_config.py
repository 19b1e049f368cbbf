"""Each configuration check with examples that it must pass and must object to."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from seatrial.checks.catalogue import CONFIG, catalogue
from seatrial.checks.snapshot import KINDS, Snapshot, Unread, Workload, locate, selects
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome

CONTAINER = {
    "name": "chat",
    "image": "registry.example:5000/chat:1.5.0",
    "livenessProbe": {"httpGet": {"path": "/healthz"}},
    "readinessProbe": {"httpGet": {"path": "/readyz"}},
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
    "env": [{"name": "TOKEN_FILE", "value": "/run/secrets/token"}, {"name": "PASSWORD", "valueFrom": {}}],
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}
POD = {
    "serviceAccountName": "chat",
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [CONTAINER],
}
LABELS = {"app": "chat"}
DEPLOYMENT = {
    "metadata": {"name": "chat", "namespace": "shop"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": POD},
    },
}
OTHERS = {
    "ConfigMap": [{"metadata": {"name": "settings", "namespace": "shop"}, "data": {"log-level": "info"}}],
    "HorizontalPodAutoscaler": [
        {
            "metadata": {"name": "chat", "namespace": "shop"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "chat"}},
        }
    ],
    "PodDisruptionBudget": [
        {"metadata": {"name": "chat", "namespace": "shop"}, "spec": {"selector": {"matchLabels": LABELS}}}
    ],
    "NetworkPolicy": [{"metadata": {"name": "deny", "namespace": "shop"}, "spec": {"podSelector": {}}}],
}

Change = Callable[[dict[str, Any], dict[str, list[Any]]], object]


def workload(change: Change | None = None) -> Workload:
    """The good workload with a change made to it or to what is around it."""
    item, others = copy.deepcopy(DEPLOYMENT), copy.deepcopy(OTHERS)
    if change is not None:
        change(item, others)
    objects = {"Deployment": (item,), **{kind: tuple(items) for kind, items in others.items()}}
    found = locate(Snapshot(objects=objects), "deployment/chat", "shop")
    assert isinstance(found, Workload)
    return found


def pod(item: Mapping[str, Any]) -> Any:
    return item["spec"]["template"]["spec"]


def container(item: Mapping[str, Any]) -> Any:
    return pod(item)["containers"][0]


def run(identity: str, change: Change | None = None) -> Assessment:
    (check,) = [check for check in CONFIG if check.id == identity]
    return check.run(workload(change))


BAD: list[tuple[str, str, Change]] = [
    ("probe/liveness-missing", "none", lambda d, o: container(d).pop("livenessProbe")),
    ("probe/readiness-missing", "none", lambda d, o: container(d).pop("readinessProbe")),
    (
        "probe/readiness-missing",
        "none",
        lambda d, o: pod(d).update(initContainers=[{"name": "proxy", "restartPolicy": "Always"}]),
    ),
    ("resources/requests-cpu", "not set", lambda d, o: container(d)["resources"]["requests"].pop("cpu")),
    ("resources/requests-memory", "not set", lambda d, o: container(d)["resources"].pop("requests")),
    ("resources/limits-memory", "not set", lambda d, o: container(d).pop("resources")),
    ("resources/limits-memory", "not set", lambda d, o: pod(d).update(initContainers=[{"name": "migrate"}])),
    ("image/tag", "chat:latest", lambda d, o: container(d).update(image="chat:latest")),
    ("image/tag", "registry:5000/chat", lambda d, o: container(d).update(image="registry:5000/chat")),
    ("image/tag", "no image", lambda d, o: container(d).pop("image")),
    ("podsec/run-as-non-root", "runAsNonRoot not set", lambda d, o: pod(d).pop("securityContext")),
    ("podsec/run-as-non-root", "runAsUser 0", lambda d, o: pod(d)["securityContext"].update(runAsUser=0)),
    (
        "podsec/run-as-non-root",
        "runAsNonRoot False",
        lambda d, o: container(d)["securityContext"].update(runAsNonRoot=False),
    ),
    ("podsec/privileged", "true", lambda d, o: container(d)["securityContext"].update(privileged=True)),
    (
        "podsec/privilege-escalation",
        "not set",
        lambda d, o: container(d)["securityContext"].pop("allowPrivilegeEscalation"),
    ),
    (
        "podsec/read-only-root-fs",
        "false",
        lambda d, o: container(d)["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    (
        "podsec/drop-capabilities",
        "drop ['NET_RAW']",
        lambda d, o: container(d)["securityContext"].update(capabilities={"drop": ["NET_RAW"]}),
    ),
    (
        "podsec/drop-capabilities",
        "add ['SYS_ADMIN']",
        lambda d, o: container(d)["securityContext"]["capabilities"].update(add=["SYS_ADMIN", "NET_BIND_SERVICE"]),
    ),
    ("podsec/seccomp", "not set", lambda d, o: pod(d)["securityContext"].pop("seccompProfile")),
    (
        "podsec/seccomp",
        "Unconfined",
        lambda d, o: container(d)["securityContext"].update(seccompProfile={"type": "Unconfined"}),
    ),
    ("secret/plain-env", "a value", lambda d, o: container(d)["env"].append({"name": "API_KEY", "value": "abc"})),
    (
        "secret/plain-env",
        "a value",
        lambda d, o: container(d)["env"].append({"name": "DSN", "value": "postgres://u:p4ss@db/x"}),
    ),
    ("secret/in-configmap", "what looks like one", lambda d, o: o["ConfigMap"][0]["data"].update({"db-password": "x"})),
    ("sa/default-used", "default", lambda d, o: pod(d).pop("serviceAccountName")),
    ("workload/min-replicas", "1", lambda d, o: d["spec"].pop("replicas")),
    (
        "hpa/target-missing",
        "absent",
        lambda d, o: o["HorizontalPodAutoscaler"][0]["spec"]["scaleTargetRef"].update(name="gone"),
    ),
    ("pdb/missing", "none", lambda d, o: o["PodDisruptionBudget"].clear()),
    (
        "pdb/missing",
        "none",
        lambda d, o: o["PodDisruptionBudget"][0]["spec"].update(selector={"matchLabels": {"app": "other"}}),
    ),
    ("netpol/missing", "none", lambda d, o: o["NetworkPolicy"].clear()),
    ("netpol/missing", "none", lambda d, o: o["NetworkPolicy"][0]["spec"].update(policyTypes=["Egress"])),
]

GOOD: list[tuple[str, Change]] = [
    *((check.id, lambda d, o: None) for check in CONFIG),
    ("probe/liveness-missing", lambda d, o: pod(d).update(initContainers=[{"name": "migrate"}])),
    ("image/tag", lambda d, o: container(d).update(image="chat@sha256:" + "0" * 64)),
    (
        "podsec/run-as-non-root",
        lambda d, o: (pod(d).pop("securityContext"), container(d)["securityContext"].update(runAsNonRoot=True)),
    ),
    ("secret/plain-env", lambda d, o: container(d)["env"].append({"name": "TOKEN_TTL", "value": "60"})),
    ("secret/plain-env", lambda d, o: container(d)["env"].append({"name": "PASSWORD", "value": ""})),
    ("secret/plain-env", lambda d, o: container(d).pop("env")),
    (
        "sa/default-used",
        lambda d, o: (pod(d).pop("serviceAccountName"), pod(d).update(automountServiceAccountToken=False)),
    ),
    ("pdb/missing", lambda d, o: (d["spec"].update(replicas=1), o["PodDisruptionBudget"].clear())),
    ("hpa/target-missing", lambda d, o: o["HorizontalPodAutoscaler"].clear()),
]


@pytest.mark.parametrize(("identity", "seen", "change"), BAD, ids=[f"{i}-{n}" for n, (i, _, _) in enumerate(BAD)])
def test_bad(identity: str, seen: str, change: Change) -> None:
    assessment = run(identity, change)
    assert assessment.outcome is Outcome.FAIL
    assert assessment.seen == seen
    assert all(finding.where for finding in assessment.findings)


@pytest.mark.parametrize(("identity", "change"), GOOD, ids=[f"{i}-{n}" for n, (i, _) in enumerate(GOOD)])
def test_good(identity: str, change: Change) -> None:
    assert run(identity, change).outcome is Outcome.PASS


def test_every_check_has_a_bad_example() -> None:
    assert {check.id for check in CONFIG} == {identity for identity, _, _ in BAD}


def test_a_value_that_may_be_a_secret_is_not_repeated() -> None:
    secret = "hunter2-hunter2"
    shown = [
        run("secret/plain-env", lambda d, o: container(d)["env"].append({"name": "TOKEN", "value": secret})),
        run("secret/in-configmap", lambda d, o: o["ConfigMap"][0]["data"].update({"token": secret})),
    ]
    assert secret not in repr(shown)


@pytest.mark.parametrize("identity", ["secret/in-configmap", "hpa/target-missing", "pdb/missing", "netpol/missing"])
def test_an_unread_kind_is_never_a_pass(identity: str) -> None:
    (check,) = [check for check in CONFIG if check.id == identity]
    snapshot = Snapshot(objects={"Deployment": (DEPLOYMENT,)}, unread={"ConfigMap": "403 forbidden"})
    found = locate(snapshot, "deployment/chat", "shop")
    assert isinstance(found, Workload)
    with pytest.raises(Unread, match="could not be read"):
        check.run(found)


@pytest.mark.parametrize(
    ("reference", "outcome", "words"),
    [
        ("deployment/gone", Outcome.FAIL, "there is no Deployment gone in the namespace shop"),
        ("statefulset/chat", Outcome.ERROR, "StatefulSet could not be read: 403 forbidden"),
        ("cronjob/chat", Outcome.ERROR, "expected one of deployment, statefulset, daemonset"),
    ],
)
def test_a_workload_that_is_not_there(reference: str, outcome: Outcome, words: str) -> None:
    snapshot = Snapshot(objects={"Deployment": (DEPLOYMENT,)}, unread={"StatefulSet": "403 forbidden"})
    found = locate(snapshot, reference, "shop")
    assert isinstance(found, Assessment)
    assert found.outcome is outcome
    assert words in found.message


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "chat"}}, True),
        ({"matchLabels": {"app": "chat", "x": "y"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["chat", "b"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["chat"]}]}, False),
        ({"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["chat"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Unheard"}]}, False),
    ],
)
def test_selectors(selector: Any, matches: bool) -> None:
    assert selects(selector, LABELS) is matches


def test_the_catalogue_is_complete_and_documented() -> None:
    checks = catalogue()
    assert len({check.id for check in checks}) == len(checks)
    assert all(check.title and check.why and check.remedy and check.needs for check in checks)
    assert set(KINDS.values()) == {"Deployment", "StatefulSet", "DaemonSet"}
