"""One object that has not the form of its kind is told by name, raises nothing, and hides nothing about the others."""

import copy
import datetime as dt
import functools

import pytest

from seatrial.checks.catalogue import CONFIG, needs
from seatrial.checks.rule import View
from seatrial.environment.model import Environment
from seatrial.evidence.outcome import Outcome
from seatrial.snapshot.intake import Intake
from seatrial.snapshot.kinds import KINDS, REVIEWS
from seatrial.snapshot.snapshot import Snapshot
from support.hostile import Answer, listed, thing

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LABELS = {"app": "good"}
POD = {"containers": [{"name": "good", "image": "registry.example/good:1.5.0", "ports": [{"containerPort": 80}]}]}
BACKEND = {"path": "/", "backend": {"service": {"name": "good"}}}
ACCOUNT = {"kind": "ServiceAccount", "name": "good"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
GOOD = {
    "Deployment": {"spec": {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": TEMPLATE}},
    "StatefulSet": {"spec": {"serviceName": "good", "selector": {"matchLabels": LABELS}, "template": TEMPLATE}},
    "DaemonSet": {"spec": {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}},
    "ReplicaSet": {"spec": {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}},
    "Job": {"spec": {"template": TEMPLATE}},
    "CronJob": {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}}},
    "Service": {"spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": 80}]}},
    "PodDisruptionBudget": {"spec": {"selector": {"matchLabels": LABELS}, "minAvailable": 1}},
    "NetworkPolicy": {"spec": {"podSelector": {"matchLabels": LABELS}, "policyTypes": ["Ingress"], "ingress": []}},
    "HorizontalPodAutoscaler": {
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "good"}, "minReplicas": 2, "maxReplicas": 4}
    },
    "Ingress": {
        "spec": {
            "rules": [
                {"host": "a.example", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "good"}}}]}}
            ]
        }
    },
    "Role": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "RoleBinding": {
        "roleRef": {"kind": "Role", "name": "good"},
        "subjects": [{"kind": "ServiceAccount", "name": "good"}],
    },
    "ConfigMap": {"data": {"a": "b"}},
    "Secret": {"data": {"a": "Yg=="}, "type": "Opaque"},
    "ServiceAccount": {},
    "ResourceQuota": {"spec": {"hard": {"pods": "10"}}},
    "LimitRange": {"spec": {"limits": []}},
    "PersistentVolumeClaim": {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
    "Pod": {"metadata": {"labels": LABELS}, "spec": POD, "status": {"phase": "Running"}},
    "EndpointSlice": {"endpoints": [{"conditions": {"ready": True}}]},
}


def good(kind, name="good"):
    item = copy.deepcopy(GOOD.get(kind, {}))
    item["metadata"] = {**item.get("metadata", {}), "name": name, "namespace": "shop"}
    return item


def put(value, *path):
    """Changes one field."""

    def change(item):
        for key in path[:-1]:
            item = item.setdefault(key, {}) if isinstance(item, dict) else item[key]
            if not isinstance(item, dict):
                return
        item[path[-1]] = value

    return change


ODD = {
    "text": "oops",
    "a list": ["oops"],
    "a list of nothing": [None],
    "a number": 7,
    "null": None,
    "nested": [{"a": {}}],
}
PLACES = {
    "spec": ("spec",),
    "status": ("status",),
    "metadata": ("metadata",),
    "labels": ("metadata", "labels"),
    "annotations": ("metadata", "annotations"),
    "owners": ("metadata", "ownerReferences"),
    "field managers": ("metadata", "managedFields"),
    "time": ("metadata", "creationTimestamp"),
    "a label": ("metadata", "labels", "app"),
    "data": ("data",),
    "rules": ("rules",),
    "subjects": ("subjects",),
    "roleRef": ("roleRef",),
    "endpoints": ("endpoints",),
    "conditions": ("status", "conditions"),
    "replicas": ("spec", "replicas"),
    "selector": ("spec", "selector"),
    "matchLabels": ("spec", "selector", "matchLabels"),
    "matchExpressions": ("spec", "selector", "matchExpressions"),
    "podSelector": ("spec", "podSelector"),
    "template": ("spec", "template"),
    "template's metadata": ("spec", "template", "metadata"),
    "template's labels": ("spec", "template", "metadata", "labels"),
    "template's spec": ("spec", "template", "spec"),
    "containers": ("spec", "template", "spec", "containers"),
    "volumes": ("spec", "template", "spec", "volumes"),
    "security": ("spec", "template", "spec", "securityContext"),
    "affinity": ("spec", "template", "spec", "affinity"),
    "job": ("spec", "jobTemplate"),
    "a pod's containers": ("spec", "containers"),
    "ports": ("spec", "ports"),
    "ingress": ("spec", "ingress"),
    "ingress rules": ("spec", "rules"),
    "target": ("spec", "scaleTargetRef"),
    "metrics": ("spec", "metrics"),
    "hard": ("spec", "hard"),
    "limits": ("spec", "limits"),
}
CHANGES = {f"{place} {odd}": put(value, *path) for place, path in PLACES.items() for odd, value in ODD.items()}
ENVIRONMENT = Environment(name="test", cluster={"namespaces": ["shop"]})


def assess(snapshot, checks=CONFIG):
    view = View(snapshot=snapshot, environment=ENVIRONMENT, now=NOW)
    return {check.id: check.run(view) for check in checks}


def serve(api, kinds, **bad):
    for name in kinds:
        kind = KINDS[name]
        items = [good(name), *([bad[name]] if name in bad else [])]
        api.on(kind.path("shop" if kind.namespaced else ""), listed(*items))
    api.on("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Answer(201, {"status": {"allowed": True}}))
    api.on("/apis/authorization.k8s.io/v1/subjectaccessreviews", Answer(201, {"status": {"allowed": False}}))


KINDS_READ = [kind for kind in needs(CONFIG) if kind not in REVIEWS]
READERS = {kind: [check for check in CONFIG if kind in check.needs] for kind in GOOD}


# These look at one object at a time, and at nothing else.
ALONE = ("probe/", "podsec/", "resources/requests", "resources/limits", "image/tag", "image/digest", "image/registry")


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_no_malformed_object_makes_a_check_raise(change):
    """Every check, with one bad object of each kind that it reads in turn beside a good one."""
    for kind in GOOD:
        bad = good(kind, "bad")
        change(bad)
        before, after = baseline(), assess(snapshot_of({kind: [bad]}), READERS[kind])
        for identity, assessment in after.items():
            place = f"{identity} with {kind}: {assessment.message}"
            assert "\n" not in assessment.message, place
            assert len(assessment.message) < 1000, place
            if identity.startswith(ALONE):
                assert findings(before[identity]) == findings(assessment), place
                if assessment.outcome is Outcome.ERROR:
                    assert assessment.message.startswith(f"{kind} shop/bad: "), place


def test_the_checks_of_one_object_are_among_those_that_were_run():
    assert {prefix for prefix in ALONE for check in CONFIG if check.id.startswith(prefix)} == set(ALONE)


def findings(assessment):
    return {(found.where, found.path) for found in assessment.findings if found.name == "good"}


def snapshot_of(bad):
    intake = Intake()
    objects = {kind: intake.take(kind, [good(kind), *copy.deepcopy(bad.get(kind, []))], "shop") for kind in KINDS_READ}
    return Snapshot(
        objects={**objects, **dict.fromkeys(REVIEWS, ())}, namespaces=("shop",), taken=NOW, digest=intake.digest
    )


@functools.cache
def baseline():
    return assess(snapshot_of({}))


FROM_THE_API = {
    "spec is text": thing("bad", spec="oops"),
    "containers null": thing("bad", spec={"template": {"spec": {"containers": None}}}),
    "containers of text": thing("bad", spec={"template": {"spec": {"containers": ["oops"]}}}),
    "no metadata": {"spec": "oops"},
    "metadata are text": {"metadata": "oops", "spec": "oops"},
}


@pytest.mark.parametrize("bad", FROM_THE_API.values(), ids=list(FROM_THE_API))
def test_a_malformed_workload_of_the_api_is_told_by_name(api, reading, bad):
    serve(api, KINDS_READ, Deployment=bad)
    snapshot = reading(needs(CONFIG))
    assert snapshot.unread == {}
    seen = assess(snapshot)["probe/readiness-missing"]
    assert seen.outcome is Outcome.FAIL
    assert ("Deployment shop/good", "spec.template.spec.containers[0]") in {
        (found.where, found.path.split(".readiness")[0]) for found in seen.findings
    }


ALONE_IN_THE_CLUSTER = {
    "spec is text": "spec.template.spec.containers: expected a container, seen none",
    "containers null": "spec.template.spec.containers: expected a container, seen none",
    "containers of text": "is malformed: AttributeError: ",
}


@pytest.mark.parametrize(("name", "reason"), ALONE_IN_THE_CLUSTER.items(), ids=list(ALONE_IN_THE_CLUSTER))
def test_a_malformed_workload_alone_is_an_error_in_one_line(api, reading, name, reason):
    api.on(KINDS["Deployment"].path("shop"), listed(copy.deepcopy(FROM_THE_API[name])))
    for kind in ("StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"):
        api.on(KINDS[kind].path("shop"), listed())
    seen = assess(reading(needs(CONFIG)))["probe/readiness-missing"]
    assert seen.outcome is Outcome.ERROR
    assert seen.message.startswith(f"Deployment shop/bad: {reason}")
    assert "\n" not in seen.message
