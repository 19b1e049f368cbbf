"""Is the rollout complete, is it calm, and is there a way back?"""

from __future__ import annotations

import re
import shlex
from typing import Final

from seatrial.checks.check import Check, check
from seatrial.checks.config.helm import earlier_replica_sets
from seatrial.checks.config.images import parse
from seatrial.environment.model import Environment
from seatrial.environment.rollout import Rollout
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.snapshot.helm import SECRET_TYPE, newest_first
from seatrial.snapshot.objects import Item, annotations_of, condition, get, labels_of, name_of
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


@check("rollback/previous-image", suite="rollout", severity="major", per="workload", needs=("Deployment", "ReplicaSet"))
def previous_image(workload: Workload, rules: Rollout) -> Assessment:  # noqa: ARG001
    """The images of the previous revision are named by a digest, or by a tag that does not move.

    Why: a rollback to `latest` starts whatever that is by then, which may be the very release that is taken back.

    Remedy: name images by version or digest, and keep those of earlier releases in the registry.
    """
    earlier = next(iter(earlier_replica_sets(workload)), None) if workload.kind == "Deployment" else None
    if earlier is None:
        return Assessment.not_applicable(f"{workload.where} has no earlier ReplicaSet, of which rollback/history tells")
    containers = Workload(kind="ReplicaSet", item=earlier, snapshot=workload.snapshot).containers
    named = [(one, str(one.item.get("image") or "")) for one in containers]
    where = f"ReplicaSet {workload.namespace}/{name_of(earlier)}"
    findings = [
        Finding(where=where, path=f"{one.path}.image", expected="a version or a digest", seen=image or "nothing")
        for one, image in named
        if not parse(image).digest and parse(image).tag in ("", "latest")
    ]
    held = f"the previous revision is known: {', '.join(image for _, image in named)}"
    return Assessment.of_findings(
        findings, held=held, broken="{count} image(s) of the previous revision are not known", n=len(named)
    )


MIGRATION: Final = "seatrial.io/migration"
"""Annotation of a workload or its pod template: what its release did to the database."""
_COMPATIBLE: Final = ("none", "compatible")


@check("rollback/migration", suite="rollout", severity="critical", per="workload", needs=("Deployment",))
def migration(workload: Workload, rules: Rollout) -> Assessment:  # noqa: ARG001
    """The previous revision can run on the schema that this one has left: the workload declares its migration so.

    Why: after an incompatible migration a rollback brings back code that cannot read its own data.

    Remedy: split the migration into steps that both versions bear (expand, release, contract). Declare it with the
    annotation `seatrial.io/migration`: `none`, `compatible` or `incompatible`; without it nothing is said.
    """
    declared = annotations_of(workload.item).get(MIGRATION) or annotations_of(workload.template).get(MIGRATION)
    if declared is None:
        return Assessment.not_applicable(f"{workload.where} does not declare {MIGRATION}")
    words = f"{workload.where} declares its migration {declared}"
    if declared not in _COMPATIBLE:
        remedy = "do not roll back: mend it forwards, or restore the schema first"
        return Assessment.failed(words, seen=str(declared), limit=" or ".join(_COMPATIBLE), remedy=remedy)
    return Assessment.passed(words, seen=str(declared), limit=" or ".join(_COMPATIBLE), n=1)


_UNFILLED: Final = re.compile(r"<[^>]*>|\$\{[^}]*\}|\bREVISION\b|\bTODO\b|^\.\.\.$")


@check("rollback/command", suite="rollout", severity="major", per="environment")
def command(environment: Environment) -> Assessment:
    """The single command that takes a release back is known, and can be run as it stands.

    Why: at night nobody should have to look up a revision, fill in a placeholder or put three commands in order.

    Remedy: set `rollback_command` under [rollout] as a list of words; put several steps into a script of your own.
    """
    words = environment.rollout.rollback_command
    if not words:
        limit = "rollout.rollback_command"
        return Assessment.failed("no single command takes a release back", seen="none", limit=limit)
    shell = words[0].rpartition("/")[2] in ("sh", "bash")
    findings = [
        Finding(where="rollout.rollback_command", path=f"[{index}]", expected=expected, seen=word)
        for index, word in enumerate(words)
        for expected in _objections(word, shell=shell)
    ]
    shown = shlex.join(words)
    return Assessment.of_findings(
        findings,
        held=f"one command takes a release back: {shown}",
        broken="{count} word(s) cannot be run as they stand",
        n=1,
    )


def _objections(word: str, *, shell: bool) -> list[str]:
    if not word.strip():
        return ["a word that is not empty"]
    if not shell and word in ("&&", "||", ";", "|"):
        return ["one command, since no shell reads this"]
    return ["a word without a placeholder"] if not shell and _UNFILLED.search(word) else []


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


CHECKS: Final[tuple[Check, ...]] = (
    complete,
    observed_generation,
    ready_replicas,
    restarts,
    history,
    previous_image,
    migration,
    command,
    release_deployed,
)
