"""Rollouts that are complete, stuck, behind, restless, or without a way back."""

import base64
import copy
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from seatrial.checks import rollout
from seatrial.checks.locate import locate
from seatrial.environment.model import Environment
from seatrial.environment.rollout import Rollout
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.snapshot.intake import Intake
from seatrial.snapshot.snapshot import Snapshot
from seatrial.snapshot.workload import Workload

REVISION = "deployment.kubernetes.io/revision"
OWNER = [{"kind": "Deployment", "name": "chat", "uid": "u1"}]
OBJECTS: dict[str, list[dict[str, Any]]] = {
    "Deployment": [
        {
            "metadata": {
                "name": "chat",
                "namespace": "shop",
                "uid": "u1",
                "generation": 3,
                "annotations": {REVISION: "3"},
            },
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "chat"}}},
            "status": {
                "observedGeneration": 3,
                "replicas": 2,
                "updatedReplicas": 2,
                "availableReplicas": 2,
                "readyReplicas": 2,
            },
        }
    ],
    "ReplicaSet": [
        {
            "metadata": {
                "name": f"chat-{n}",
                "namespace": "shop",
                "ownerReferences": OWNER,
                "annotations": {REVISION: str(n)},
            }
        }
        for n in (2, 3)
    ],
    "Pod": [
        {
            "metadata": {"name": "chat-a", "namespace": "shop", "labels": {"app": "chat"}},
            "status": {"containerStatuses": [{"name": "chat", "restartCount": 0}]},
        }
    ],
}
Change = Callable[[dict[str, list[dict[str, Any]]]], object]
CHECKS = {check.id: check for check in rollout.CHECKS}


def run(identity: str, change: Change) -> Assessment:
    objects = copy.deepcopy(OBJECTS)
    change(objects)
    snapshot = Snapshot(objects={kind: tuple(items) for kind, items in objects.items()})
    found = locate(snapshot, "deployment/chat", "shop")
    assert isinstance(found, Workload)
    return CHECKS[identity].run(found, Rollout(max_restarts=1))


def status(**values: Any) -> Change:
    return lambda objects: objects["Deployment"][0]["status"].update(values)


def previous(image: str) -> Change:
    """The earlier revision's image."""
    template = {"spec": {"containers": [{"name": "chat", "image": image}]}}
    return lambda objects: objects["ReplicaSet"][0].update(spec={"template": template})


def migrated(declared: str) -> Change:
    return lambda objects: objects["Deployment"][0]["metadata"]["annotations"].update({rollout.MIGRATION: declared})


STUCK = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
TWICE = {
    "containerStatuses": [{"name": "chat", "restartCount": 2, "lastState": {"terminated": {"reason": "OOMKilled"}}}]
}


@pytest.mark.parametrize(
    ("identity", "change", "outcome", "seen"),
    [
        ("rollout/complete", status(), Outcome.PASS, "2 updated, 2 available, 2 in all"),
        ("rollout/complete", status(updatedReplicas=1), Outcome.FAIL, "1 updated, 2 available, 2 in all"),
        ("rollout/complete", status(replicas=3), Outcome.FAIL, "2 updated, 2 available, 3 in all"),
        ("rollout/complete", status(availableReplicas=1), Outcome.FAIL, "2 updated, 1 available, 2 in all"),
        ("rollout/complete", status(conditions=[STUCK]), Outcome.FAIL, "2 of 2 available"),
        ("rollout/observed-generation", status(), Outcome.PASS, "3"),
        ("rollout/observed-generation", status(observedGeneration=2), Outcome.FAIL, "2"),
        ("rollout/ready-replicas", status(), Outcome.PASS, "2"),
        ("rollout/ready-replicas", status(readyReplicas=1), Outcome.FAIL, "1"),
        ("rollout/ready-replicas", lambda o: o["Deployment"][0]["spec"].update(replicas=0), Outcome.INCONCLUSIVE, "0"),
        ("rollout/restarts", status(), Outcome.PASS, ""),
        ("rollout/restarts", lambda o: o["Pod"][0].update(status=TWICE), Outcome.FAIL, "2 (OOMKilled)"),
        ("rollout/restarts", lambda o: o["Pod"].clear(), Outcome.INCONCLUSIVE, ""),
        ("rollback/history", status(), Outcome.PASS, "1 earlier revision(s)"),
        ("rollback/history", lambda o: o["ReplicaSet"].pop(0), Outcome.FAIL, "0 earlier revisions"),
        pytest.param(
            "rollback/history",
            lambda o: o["ReplicaSet"][0]["metadata"].update(ownerReferences=[]),
            Outcome.FAIL,
            "0 earlier revisions",
            id="rollback/history-of-somebody-else",
        ),
        ("rollback/previous-image", previous("shop/chat:1.4.2"), Outcome.PASS, ""),
        pytest.param(
            "rollback/previous-image",
            previous(f"shop/chat@sha256:{'0' * 64}"),
            Outcome.PASS,
            "",
            id="rollback/previous-image-by-digest",
        ),
        ("rollback/previous-image", previous("registry:5000/shop/chat"), Outcome.FAIL, "registry:5000/shop/chat"),
        ("rollback/previous-image", previous("shop/chat:latest"), Outcome.FAIL, "shop/chat:latest"),
        ("rollback/migration", migrated("compatible"), Outcome.PASS, "compatible"),
        ("rollback/migration", migrated("none"), Outcome.PASS, "none"),
        ("rollback/migration", migrated("incompatible"), Outcome.FAIL, "incompatible"),
        ("rollback/migration", migrated("yes"), Outcome.FAIL, "yes"),
    ],
)
def test_rollout(identity: str, change: Change, outcome: Outcome, seen: str) -> None:
    assessment = run(identity, change)
    assert (assessment.outcome, assessment.seen) == (outcome, seen)


@pytest.mark.parametrize(
    ("identity", "change"),
    [("rollback/migration", status()), ("rollback/previous-image", lambda objects: objects["ReplicaSet"].pop(0))],
)
def test_nothing_to_look_at_is_neither_good_nor_bad(identity: str, change: Change) -> None:
    assert not run(identity, change).applicable


@pytest.mark.parametrize(
    ("words", "outcome", "seen"),
    [
        (["helm", "rollback", "chat", "--wait"], Outcome.PASS, ""),
        (["sh", "-c", "./back.sh && ./verify.sh ${REGION}"], Outcome.PASS, ""),
        ([], Outcome.FAIL, "none"),
        (["helm", "rollback", "chat", "REVISION"], Outcome.FAIL, "REVISION"),
        (["helm", "rollback", "chat", "<revision>"], Outcome.FAIL, "<revision>"),
        (["helm", "rollback", "chat", "${LAST}"], Outcome.FAIL, "${LAST}"),
        (["./back.sh", "&&", "./verify.sh"], Outcome.FAIL, "&&"),
        (["./back.sh", ""], Outcome.FAIL, ""),
    ],
)
def test_the_single_command(words: list[str], outcome: Outcome, seen: str) -> None:
    environment = Environment.model_validate({"name": "shop", "rollout": {"rollback_command": words}})
    assessment = CHECKS["rollback/command"].run(environment)
    assert (assessment.outcome, assessment.seen) == (outcome, seen)


def _record(version: int, state: str) -> dict[str, Any]:
    release = {"version": version, "info": {"status": state}, "chart": {"metadata": {"version": "1.0.0"}}}
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode()))
    return {
        "type": "helm.sh/release.v1",
        "metadata": {"name": f"v{version}", "namespace": "shop", "labels": {"name": "chat", "version": str(version)}},
        "data": {"release": base64.b64encode(packed).decode()},
    }


@pytest.mark.parametrize(
    ("records", "outcome", "words"),
    [
        ([_record(9, "superseded"), _record(10, "deployed")], Outcome.PASS, "deployed (revision 10"),
        ([_record(9, "deployed"), _record(10, "pending-upgrade")], Outcome.FAIL, "pending-upgrade"),
        ([_record(1, "failed")], Outcome.FAIL, "failed"),
        ([], Outcome.FAIL, "no Helm release"),
        ([{**_record(1, "deployed"), "data": {"release": "bm90IGhlbG0="}}], Outcome.ERROR, "no record of Helm"),
        ([{**_record(1, "deployed"), "data": {}}], Outcome.ERROR, "no record of Helm"),
    ],
)
def test_helm_release(records: list[dict[str, Any]], outcome: Outcome, words: str) -> None:
    taken = Intake().take("Secret", copy.deepcopy(records))
    assessment = CHECKS["helm/release-deployed"].run("chat", "shop", Snapshot(objects={"Secret": taken}))
    assert assessment.outcome is outcome
    assert words in assessment.message
