"""Is the rollout complete, is it calm, and is there a way back?"""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import Check, check
from seatrial.checks.config.helm import earlier_replica_sets
from seatrial.environment.rollout import Rollout
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.snapshot.helm import SECRET_TYPE, newest_first
from seatrial.snapshot.objects import Item, condition, get, labels_of, name_of
from seatrial.snapshot.snapshot import Snapshot
from seatrial.snapshot.workload import Workload


def _count(item: Item, key: str) -> int:
    return int(get(item, "status", key, default=0))


@check(
    "rollout/complete", suite="rollout", severity="critical", trigger="health", per="workload", needs=("Deployment",)
)
def complete(workload: Workload, rules: Rollout) -> Assessment:  # noqa: ARG001
    """The rollout is complete: every replica is of the new revision and available, none of the old one is left.

    Why: a rollout that has stopped midway serves two versions, and the next change makes it worse. The rules are those
    of `kubectl rollout status`.

    Remedy: see the conditions and the events of its pods; roll back where they do not mend themselves.
    """
    item, wanted = workload.item, workload.replicas
    progressing = condition(item, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        words = f"{workload.where} exceeded its progress deadline: {progressing.get('message', 'no message')}"
        seen = f"{_count(item, 'availableReplicas')} of {wanted} available"
        return Assessment.failed(words, seen=seen, limit="complete", remedy="see the events of its pods")
    updated, total, available = (_count(item, key) for key in ("updatedReplicas", "replicas", "availableReplicas"))
    seen = f"{updated} updated, {available} available, {total} in all"
    if workload.kind == "Deployment" and not (updated >= wanted and total <= updated and available >= updated):
        return Assessment.failed(f"{workload.where} is not rolled out", seen=seen, limit=f"{wanted} of each")
    return Assessment.passed(f"{workload.where} is rolled out: {seen}", seen=seen, limit=f"{wanted} of each", n=wanted)


@check("rollout/observed-generation", suite="rollout", severity="critical", per="workload", needs=("Deployment",))
def observed_generation(workload: Workload, rules: Rollout) -> Assessment:  # noqa: ARG001
    """The controller has seen the newest specification.

    Why: until it has, the status speaks of the release before.

    Remedy: wait for the controller; where it stays behind, see that it runs.
    """
    wanted = int(get(workload.item, "metadata", "generation", default=0))
    seen = _count(workload.item, "observedGeneration")
    words = f"{workload.where}: generation {wanted}, observed {seen}"
    if seen < wanted or not wanted:
        return Assessment.failed(words, seen=str(seen), limit=str(wanted), remedy="see the controller manager")
    return Assessment.passed(words, seen=str(seen), limit=str(wanted), n=1)


@check(
    "rollout/ready-replicas",
    suite="rollout",
    severity="critical",
    trigger="health",
    per="workload",
    needs=("Deployment",),
)
def ready_replicas(workload: Workload, rules: Rollout) -> Assessment:  # noqa: ARG001
    """As many replicas are ready as are wanted.

    Why: fewer carry the same traffic, and the next disruption finds no reserve.

    Remedy: see why the others are not ready: their probes, events and logs.
    """
    seen, wanted = _count(workload.item, "readyReplicas"), workload.replicas
    words = f"{workload.where}: {seen} of {wanted} replicas are ready"
    if wanted == 0:
        return Assessment.inconclusive(f"{workload.where} is scaled to nothing", seen="0", n=0)
    if seen < wanted:
        return Assessment.failed(words, seen=str(seen), limit=str(wanted), remedy="see the pods that are not ready")
    return Assessment.passed(words, seen=str(seen), limit=str(wanted), n=wanted)


@check("rollout/restarts", suite="rollout", severity="major", per="workload", needs=("Deployment", "Pod"))
def restarts(workload: Workload, rules: Rollout) -> Assessment:
    """No container has restarted more often than the environment tolerates.

    Why: a container that is restarted every few minutes is ready in between, and passes every other check.

    Remedy: `kubectl logs --previous`, and the reason of its last termination.
    """
    pods = workload.pods()
    findings = []
    for pod in pods:
        for status in get(pod, "status", "containerStatuses", default=[]):
            count = int(status.get("restartCount", 0))
            if count > rules.max_restarts:
                reason = get(status, "lastState", "terminated", "reason", default="reason unknown")
                where = f"Pod {workload.namespace}/{name_of(pod)}"
                seen = f"{count} ({reason})"
                expected = f"at most {rules.max_restarts} restarts"
                findings.append(Finding(where=where, path=str(status.get("name")), expected=expected, seen=seen))
    held = f"none of {len(pods)} pods has restarted too often"
    return Assessment.of_findings(findings, held=held, broken="{count} container(s) restarted too often", n=len(pods))


@check("rollback/history", suite="rollout", severity="major", per="workload", needs=("Deployment", "ReplicaSet"))
def history(workload: Workload, rules: Rollout) -> Assessment:  # noqa: ARG001
    """There is a previous revision to roll back to.

    Why: a rollback that finds nothing is discovered when it is needed.

    Remedy: keep history: `revisionHistoryLimit` above 0, and `--history-max` of Helm.
    """
    found = earlier_replica_sets(workload)
    if not found:
        words = f"{workload.where} has no earlier ReplicaSet: there is nothing to roll back to"
        return Assessment.failed(words, seen="0 earlier revisions", limit="at least 1")
    count = f"{len(found)} earlier revision(s)"
    return Assessment.passed(f"{workload.where} has {count}", seen=count, limit="at least 1", n=len(found))


@check("helm/release-deployed", suite="rollout", severity="critical", per="release", needs=("Secret",))
def release_deployed(name: str, namespace: str, snapshot: Snapshot) -> Assessment:
    """The newest revision of the Helm release is deployed.

    Why: `pending-upgrade` blocks every later upgrade, and `failed` means that hooks or objects did not go through.

    Remedy: `helm history`; `helm rollback` to the last deployed revision.
    """
    records = newest_first(
        [
            secret
            for secret in snapshot.of("Secret", namespace)
            if secret.get("type") == SECRET_TYPE and labels_of(secret).get("name") == name
        ]
    )
    if not records:
        words = f"there is no Helm release {name} in {namespace}"
        return Assessment.failed(words, seen="no release", limit="deployed")
    newest = get(records[0], "helm", default={})
    if newest.get("problem"):
        return Assessment.error(str(newest["problem"]))
    status = str(newest.get("status"))
    version = f"revision {newest.get('revision')}, chart {newest.get('chartVersion') or '?'}"
    words = f"Helm release {name} is {status} ({version})"
    if status != "deployed":
        return Assessment.failed(words, seen=status, limit="deployed", remedy=f"helm history {name} -n {namespace}")
    return Assessment.passed(words, seen=status, limit="deployed", n=len(records))


CHECKS: Final[tuple[Check, ...]] = (complete, observed_generation, ready_replicas, restarts, history, release_deployed)
