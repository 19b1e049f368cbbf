"""Workloads: replicas, updates, spreading, labels, and how their pods are."""

from __future__ import annotations

import re
from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.objects import Item, condition, get, labels_of, moment, name_of, quantity, selects
from seatrial.snapshot.workload import Workload

_REPLICATED: Final = ("Deployment", "StatefulSet")
PENDING_SECONDS: Final = 300
"""A pod that is not running for longer than this will not start by itself."""
_STUCK: Final = (
    *("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"),
    *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
)


def autoscaler_of(workload: Workload) -> Item | None:
    """The autoscaler that scales a workload, or None. Raises Unread."""

    def index() -> dict[tuple[str, str, str], Item]:
        return {
            (
                str(get(item, "metadata", "namespace", default="")),
                str(get(item, "spec", "scaleTargetRef", "kind", default="")),
                str(get(item, "spec", "scaleTargetRef", "name", default="")),
            ): item
            for item in workload.snapshot.of("HorizontalPodAutoscaler")
        }

    found = workload.snapshot.once("autoscalers", index)
    return found.get((workload.namespace, workload.kind, workload.name))


@rule("workload/min-replicas", severity="major", per="workload", needs=("HorizontalPodAutoscaler",))
def min_replicas(workload: Workload, view: View) -> Findings:
    """The workload has at least as many replicas as the strategy asks for.

    Why: one replica is an outage at every node drain.

    Remedy: raise `spec.replicas`, or `minReplicas` of its autoscaler; list what can have but one under
    `config.singletons`.
    """
    if workload.kind not in _REPLICATED or view.listed(workload, view.rules.singletons):
        return
    scaler = autoscaler_of(workload)
    seen = workload.replicas if scaler is None else int(get(scaler, "spec", "minReplicas", default=1))
    if seen < view.rules.min_replicas:
        path = "spec.replicas" if scaler is None else f"minReplicas of the autoscaler {name_of(scaler)}"
        yield finding(workload, path, f"at least {view.rules.min_replicas}", seen, view=view)


@rule("workload/rolling-update", severity="major", per="workload")
def rolling_update(workload: Workload, view: View) -> Findings:
    """Updates roll, and never take all replicas at once.

    Why: `Recreate` is an outage at every release, and `maxUnavailable: 100%` is the same in other words.

    Remedy: use `RollingUpdate` with a `maxUnavailable` below the number of replicas.
    """
    section = "strategy" if workload.kind == "Deployment" else "updateStrategy"
    if workload.kind not in ("Deployment", "DaemonSet"):
        return
    settings = get(workload.item, "spec", section, default={})
    if settings.get("type") in ("Recreate", "OnDelete") and not view.listed(workload, view.rules.singletons):
        yield finding(workload, f"spec.{section}.type", "RollingUpdate", settings["type"], view=view)
    away = get(settings, "rollingUpdate", "maxUnavailable")
    everything = str(away) == "100%" or (
        isinstance(away, int) and workload.kind == "Deployment" and away >= workload.replicas > 1
    )
    if everything:
        path = f"spec.{section}.rollingUpdate.maxUnavailable"
        yield finding(workload, path, "fewer than all replicas", away, view=view)


@rule("workload/spread", severity="minor", per="workload")
def spread(workload: Workload, view: View) -> Findings:
    """Several replicas are kept apart by anti-affinity or topology spread.

    Why: replicas on one node fail together.

    Remedy: add `topologySpreadConstraints` over `kubernetes.io/hostname`, and over zones where there are several.
    """
    if workload.kind not in _REPLICATED or workload.replicas < 2:
        return
    apart = get(workload.pod, "affinity", "podAntiAffinity") or workload.pod.get("topologySpreadConstraints")
    if not apart:
        yield finding(workload, f"{workload.path}.topologySpreadConstraints", "set", None, view=view)


@rule("workload/spread-matches", severity="minor", per="workload")
def spread_matches(workload: Workload, view: View) -> Findings:
    """Topology spread constraints and anti-affinity select the workload's own pods.

    Why: a selector that matches none of them spreads nothing, and nothing says so.

    Remedy: make the `labelSelector` match the labels of the pod template.
    """
    for index, constraint in enumerate(workload.pod.get("topologySpreadConstraints") or ()):
        if not selects(constraint.get("labelSelector"), workload.labels):
            path = f"{workload.path}.topologySpreadConstraints[{index}].labelSelector"
            yield finding(workload, path, "the pod's own labels", constraint.get("labelSelector"), view=view)


@rule("workload/selector-matches-template", severity="critical", per="workload")
def selector_matches_template(workload: Workload, view: View) -> Findings:
    """The selector matches the labels of the pod template.

    Why: the API refuses the object, or its controller makes pods that it does not recognise.

    Remedy: make `spec.selector` and the template's labels agree.
    """
    selector = get(workload.item, "spec", "selector")
    if workload.serves and not selects(selector, workload.labels):
        yield finding(workload, "spec.selector", "the labels of the template", selector, view=view)


@rule("workload/selector-overlap", severity="critical", per="workload", whole=True)
def selector_overlap(workload: Workload, view: View) -> Findings:
    """No two Deployments of a namespace select the same pods.

    Why: their controllers fight over them, and a canary counts the pods of stable as its own.

    Remedy: give each a label of its own in its selector, such as the track.
    """
    if workload.kind != "Deployment":
        return
    others = view.snapshot.selecting(
        "Deployment", workload.namespace, workload.labels, lambda item: get(item, "spec", "selector")
    )
    for other in others:
        if name_of(other) != workload.name:
            yield finding(
                workload, "spec.template.metadata.labels", "selected by itself alone", name_of(other), view=view
            )


def _no_priority_classes(environment: Environment) -> str:
    return "" if environment.config.priority_classes else "no priority classes are asked for (config.priority_classes)"


@rule("workload/priority-class", severity="minor", per="workload", skip=_no_priority_classes)
def priority_class(workload: Workload, view: View) -> Findings:
    """The workload has one of the priority classes that are allowed here.

    Why: without one it is preempted with the batch jobs, or preempts what matters more.

    Remedy: set `priorityClassName`.
    """
    seen = workload.pod.get("priorityClassName")
    if seen not in view.rules.priority_classes:
        expected = f"one of {', '.join(view.rules.priority_classes)}"
        yield finding(workload, f"{workload.path}.priorityClassName", expected, seen, view=view)


@rule("workload/naked-pod", severity="major", per="object", kinds=("Pod",), live=True)
def naked_pod(item: Item, view: View) -> Findings:
    """Every pod is made by a controller.

    Why: nobody makes a pod anew that was made by hand, and nobody knows what it is.

    Remedy: make it a Deployment or a Job, or delete it.
    """
    if not get(item, "metadata", "ownerReferences", default=[]):
        yield finding(item, "metadata.ownerReferences", "a controller", "none", view=view)


@rule("workload/env-duplicate", severity="minor", per="workload")
def env_duplicate(workload: Workload, view: View) -> Findings:
    """No environment variable is set twice in a container.

    Why: the last one wins, which is not always the one that somebody just changed.

    Remedy: remove the one that is not meant.
    """
    for container in workload.containers:
        seen: set[Any] = set()
        for index, variable in enumerate(container.item.get("env") or ()):
            name = variable.get("name")
            if name in seen:
                yield finding(workload, f"{container.path}.env[{index}]", f"{name} once", "twice", view=view)
            seen.add(name)


def _no_labels(environment: Environment) -> str:
    return "" if environment.config.labels else "no labels are asked for (config.labels)"


@rule("workload/labels", severity="minor", per="workload", skip=_no_labels)
def labels(workload: Workload, view: View) -> Findings:
    """The workload has the labels that every workload must have here.

    Why: owners, dashboards, costs and network policies go by them.

    Remedy: add them to the workload's metadata.
    """
    for name in view.rules.labels:
        if not labels_of(workload.item).get(name):
            yield finding(workload, f"metadata.labels[{name}]", "set", None, view=view)


@rule("workload/job-hygiene", severity="minor", per="workload")
def job_hygiene(workload: Workload, view: View) -> Findings:
    """Jobs end: they have a deadline, are cleaned up, and do not run over each other.

    Why: a job that hangs holds its resources for ever, finished ones fill the API, and two backups at once break both.

    Remedy: set `activeDeadlineSeconds`, `ttlSecondsAfterFinished`, and for a CronJob `concurrencyPolicy`.
    """
    if workload.kind not in ("Job", "CronJob"):
        return
    spec = get(workload.item, "spec", default={})
    job = spec if workload.kind == "Job" else get(spec, "jobTemplate", "spec", default={})
    prefix = "spec" if workload.kind == "Job" else "spec.jobTemplate.spec"
    if job.get("activeDeadlineSeconds") is None:
        yield finding(workload, f"{prefix}.activeDeadlineSeconds", "set", None, view=view)
    # A CronJob keeps a few finished jobs and removes the rest; hooks of Helm remove their own.
    hook = "helm.sh/hook" in (get(workload.item, "metadata", "annotations") or {})
    if workload.kind == "Job" and not hook and job.get("ttlSecondsAfterFinished") is None:
        yield finding(workload, f"{prefix}.ttlSecondsAfterFinished", "set", None, view=view)
    if workload.kind == "CronJob" and spec.get("concurrencyPolicy", "Allow") == "Allow":
        yield finding(workload, "spec.concurrencyPolicy", "Forbid or Replace", "Allow", view=view)


_SCHEDULE: Final = re.compile(r"@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+(\s+\S+){4}")


@rule("workload/cron-suspended", severity="minor", per="object", kinds=("CronJob",))
def cron_suspended(item: Item, view: View) -> Findings:
    """No CronJob is suspended, and its schedule is one.

    Why: a backup that was suspended for a night is found out when it is needed.

    Remedy: set `suspend: false`, or delete the CronJob.
    """
    if get(item, "spec", "suspend") is True:
        yield finding(item, "spec.suspend", "false", True, view=view)
    schedule = str(get(item, "spec", "schedule", default=""))
    if not _SCHEDULE.fullmatch(schedule):
        yield finding(item, "spec.schedule", "five fields", schedule or None, view=view)


@rule("workload/revision-history", severity="major", per="workload")
def revision_history(workload: Workload, view: View) -> Findings:
    """Earlier revisions are kept.

    Why: `revisionHistoryLimit: 0` leaves nothing to roll back to.

    Remedy: set `revisionHistoryLimit` to `config.keep_revisions` or more; Kubernetes' default is 10.
    """
    seen = get(workload.item, "spec", "revisionHistoryLimit", default=10)
    if workload.serves and int(seen) < view.rules.keep_revisions:
        expected = f"at least {view.rules.keep_revisions}"
        yield finding(workload, "spec.revisionHistoryLimit", expected, seen, view=view)


@rule("workload/unavailable", severity="critical", per="workload", live=True, trigger="health")
def unavailable(workload: Workload, view: View) -> Findings:
    """As many replicas are available as are wanted.

    Why: fewer carry the same traffic, and the next disruption finds no reserve.

    Remedy: see the events and logs of the pods that are not available.
    """
    status = get(workload.item, "status", default={})
    if workload.kind == "DaemonSet":
        wanted, seen = int(status.get("desiredNumberScheduled") or 0), int(status.get("numberAvailable") or 0)
    elif workload.kind in _REPLICATED:
        wanted, seen = workload.replicas, int(status.get("availableReplicas") or 0)
    elif workload.kind == "Job":
        if condition(workload.item, "Failed").get("status") == "True":
            reason = condition(workload.item, "Failed").get("reason")
            yield finding(workload, "status.conditions[Failed]", "not failed", reason, view=view)
        return
    else:
        return
    if seen < wanted:
        yield finding(workload, "status", f"{wanted} available", seen, view=view)


@rule("workload/pod-state", severity="critical", per="workload", needs=("Pod",), live=True, trigger="health")
def pod_state(workload: Workload, view: View) -> Findings:
    """No pod is stuck: pending, crashing, without its image, not ready or terminating for ever.

    Why: such a pod is counted, paid for and does nothing; that it is `Running` does not say that it works.

    Remedy: `kubectl describe pod`; the reason of the container's state says what is wrong.
    """
    if workload.kind == "CronJob":
        return
    for pod in workload.pods():
        for path, expected, seen in _stuck(pod, view):
            yield finding({**pod, "kind": "Pod"}, path, expected, seen, view=view)


def _stuck(pod: Item, view: View) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    status = get(pod, "status", default={})
    phase = status.get("phase")
    if phase in ("Succeeded", "Failed"):
        reason = status.get("reason") or "Failed"
        return [] if phase == "Succeeded" or reason == "Evicted" else [("status.phase", "Running", reason)]
    for key in ("initContainerStatuses", "containerStatuses"):
        for one in status.get(key) or ():
            reason = get(one, "state", "waiting", "reason")
            if reason in _STUCK:
                found.append((f"status.{key}[{one.get('name')}]", "running", reason))
            elif get(one, "lastState", "terminated", "reason") == "OOMKilled":
                found.append((f"status.{key}[{one.get('name')}]", "enough memory", "OOMKilled"))
    deleted = moment(get(pod, "metadata", "deletionTimestamp"))
    if deleted is not None and (view.now - deleted).total_seconds() > PENDING_SECONDS:
        found.append(("metadata.deletionTimestamp", "gone", f"terminating since {deleted.isoformat()}"))
    made = moment(get(pod, "metadata", "creationTimestamp"))
    ready = condition(pod, "Ready")
    old = made is not None and (view.now - made).total_seconds() > PENDING_SECONDS
    if not found and old and deleted is None and ready.get("status") != "True":
        why = condition(pod, "PodScheduled").get("message") if phase == "Pending" else ready.get("reason")
        found.append(("status.conditions[Ready]", "True", f"{phase}: {why or 'no reason given'}"))
    return found


USAGE_SHARE: Final = 0.9
"""Share of a limit from which on the next peak hits it."""


@rule("workload/usage-near-limit", severity="minor", per="workload", needs=("PodMetrics",), live=True)
def usage_near_limit(workload: Workload, view: View) -> Findings:
    """No container uses more than nine tenths of its memory limit.

    Why: at the limit it is killed, in the middle of somebody's conversation.

    Remedy: raise the limit, or find the leak; what the metrics server reports is a mean over the last seconds.
    """
    limits = {one.name: get(one.item, "resources", "limits", "memory") for one in workload.serving}
    if not workload.serves:
        return
    for pod in view.snapshot.selected("PodMetrics", workload.namespace, get(workload.item, "spec", "selector")):
        for container in pod.get("containers") or ():
            limit, used = limits.get(str(container.get("name"))), get(container, "usage", "memory", default="0")
            if limit is not None and quantity(used) > USAGE_SHARE * quantity(limit):
                path = f"containers[{container.get('name')}].usage.memory"
                expected = f"at most {USAGE_SHARE:.0%} of {limit}"
                yield finding(workload, path, expected, f"{used} in {name_of(pod)}", view=view)


CHECKS: Final[tuple[Check, ...]] = (
    usage_near_limit,
    min_replicas,
    rolling_update,
    spread,
    spread_matches,
    selector_matches_template,
    selector_overlap,
    priority_class,
    naked_pod,
    env_duplicate,
    labels,
    job_hygiene,
    cron_suspended,
    revision_history,
    unavailable,
    pod_state,
)
