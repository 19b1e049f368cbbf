"""Autoscalers and disruption budgets: room to grow, and what may be taken away at a time."""

from __future__ import annotations

from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.config.workloads import autoscaler_of
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.kinds import POD_TEMPLATES
from seatrial.snapshot.objects import Item, condition, get, name_of, namespace_of, quantity
from seatrial.snapshot.workload import Workload, selected_workloads

_SCALER: Final = ("HorizontalPodAutoscaler",)
_BUDGET: Final = ("PodDisruptionBudget",)


def _target(item: Item) -> tuple[str, str]:
    target = get(item, "spec", "scaleTargetRef", default={})
    return str(target.get("kind", "")), str(target.get("name", ""))


@rule(
    "hpa/target-missing", severity="major", per="object", kinds=_SCALER, needs=("Deployment", "StatefulSet"), whole=True
)
def target_missing(item: Item, view: View) -> Findings:
    """Every autoscaler points at a workload that exists.

    Why: an autoscaler without its target scales nothing and says so only in its status.

    Remedy: mend `scaleTargetRef`, or delete the autoscaler.
    """
    kind, name = _target(item)
    if kind in ("Deployment", "StatefulSet") and view.snapshot.find(kind, namespace_of(item), name) is None:
        yield finding(item, "spec.scaleTargetRef", f"{kind} {name}", "absent", view=view)


@rule("hpa/min-replicas", severity="major", per="object", kinds=_SCALER)
def scaler_range(item: Item, view: View) -> Findings:
    """An autoscaler keeps enough replicas, and has room to add some.

    Why: at night it scales to its minimum; with a maximum equal to it it never scales at all.

    Remedy: raise `minReplicas` to `config.min_replicas`, and `maxReplicas` above it.
    """
    least, most = int(get(item, "spec", "minReplicas", default=1)), int(get(item, "spec", "maxReplicas", default=0))
    if least < view.rules.min_replicas:
        yield finding(item, "spec.minReplicas", f"at least {view.rules.min_replicas}", least, view=view)
    if most <= least:
        yield finding(item, "spec.maxReplicas", f"more than {least}", most, view=view)


@rule("hpa/replicas-conflict", severity="minor", per="workload", needs=_SCALER)
def replicas_conflict(workload: Workload, view: View) -> Findings:
    """What an autoscaler scales has no fixed number of replicas in its manifest.

    Why: every deploy sets the number back, at the busiest hour too.

    Remedy: leave `replicas` out of the manifest where an autoscaler owns it.
    """
    # In a cluster the field is always there; only what was rendered says what the next deploy will set.
    if view.snapshot.source != "manifests" or workload.kind not in ("Deployment", "StatefulSet"):
        return
    scaler = autoscaler_of(workload)
    if scaler is not None and get(workload.item, "spec", "replicas") is not None:
        yield finding(workload, "spec.replicas", f"left to {name_of(scaler)}", workload.replicas, view=view)


@rule("hpa/unique", severity="major", per="object", kinds=_SCALER)
def unique(item: Item, view: View) -> Findings:
    """A workload has one autoscaler.

    Why: two of them undo each other every few seconds.

    Remedy: put the metrics of both into one.
    """

    def index() -> dict[tuple[str, str, str], list[str]]:
        found: dict[tuple[str, str, str], list[str]] = {}
        for one in view.snapshot.of(*_SCALER):
            found.setdefault((namespace_of(one), *_target(one)), []).append(name_of(one))
        return found

    others = view.snapshot.once("scalers of targets", index)[(namespace_of(item), *_target(item))]
    if len(others) > 1 and name_of(item) != min(others):
        yield finding(item, "spec.scaleTargetRef", "one autoscaler", f"also scaled by {min(others)}", view=view)


@rule("hpa/healthy", severity="major", per="object", kinds=_SCALER, live=True)
def healthy(item: Item, view: View) -> Findings:
    """Every autoscaler is active, sees all its metrics, and is not at its maximum.

    Why: one that cannot read its metric keeps the number of yesterday; one at its maximum has nothing left to give.

    Remedy: see its conditions: the metrics server, the requests of the pods, the name of the metric; raise
    `maxReplicas`.
    """
    for kind in ("ScalingActive", "AbleToScale"):
        found = condition(item, kind)
        if found.get("status") != "True":
            what = f"{found.get('reason', 'unknown')}: {found.get('message', '')}" if found else "not reported"
            yield finding(item, f"status.conditions[{kind}]", "True", what, view=view)
    wanted, current = get(item, "spec", "metrics", default=()), get(item, "status", "currentMetrics", default=())
    known = sum(bool(one) for one in current)
    if known < len(wanted):
        seen = f"{known} of {len(wanted)}"
        yield finding(item, "status.currentMetrics", "a value for every metric", seen, view=view)
    most, now = int(get(item, "spec", "maxReplicas", default=0)), int(get(item, "status", "currentReplicas", default=0))
    if most and now >= most:
        yield finding(item, "status.currentReplicas", f"below the maximum of {most}", now, view=view)


def _none_autoscaled(environment: Environment) -> str:
    return "" if environment.config.autoscaled else "no workload must be autoscaled (config.autoscaled)"


def _metrics(item: Item) -> set[str]:
    found = set()
    for one in get(item, "spec", "metrics", default=()):
        sort = str(one.get("type", ""))
        section = one.get(sort[:1].lower() + sort[1:]) or {}
        found.add(str(section.get("name") or get(section, "metric", "name") or ""))
    return found


@rule("hpa/coverage", severity="major", per="workload", needs=_SCALER, whole=True, skip=_none_autoscaled)
def coverage(workload: Workload, view: View) -> Findings:
    """Workloads that must grow with traffic have an autoscaler on the wanted metrics.

    Why: without one, or on the wrong metric, the next peak is an outage.

    Remedy: add a HorizontalPodAutoscaler with the metrics of `config.autoscaling_metrics`.
    """
    if not view.listed(workload, view.rules.autoscaled):
        return
    scaler = autoscaler_of(workload)
    if scaler is None:
        yield finding(workload, "metadata.name", "a HorizontalPodAutoscaler", "none", view=view)
        return
    missing = set(view.rules.autoscaling_metrics) - _metrics(scaler)
    if missing:
        seen = ", ".join(sorted(_metrics(scaler))) or "none"
        yield finding(scaler, "spec.metrics", ", ".join(view.rules.autoscaling_metrics), seen, view=view)


@rule(
    "hpa/burst-capacity",
    severity="minor",
    per="object",
    kinds=_SCALER,
    needs=("Deployment", "StatefulSet", "Node"),
    live=True,
)
def burst_capacity(item: Item, view: View) -> Findings:
    """The cluster could hold the maximum of every autoscaler.

    Why: a maximum that no node has room for is a number on paper.

    Remedy: lower the maximum or the requests, or let the cluster grow (an autoscaler of nodes makes this check moot:
    disable it there).
    """
    kind, name = _target(item)
    if kind not in ("Deployment", "StatefulSet"):
        return
    target = view.snapshot.find(kind, namespace_of(item), name)
    if target is None:
        return
    workload = Workload(kind=kind, item=target, snapshot=view.snapshot)
    most = int(get(item, "spec", "maxReplicas", default=0))
    for resource in ("cpu", "memory"):
        each = sum(
            quantity(get(one.item, "resources", "requests", resource, default="0"))
            for one in workload.containers
            if one.serves
        )
        room = sum(
            quantity(get(node, "status", "allocatable", resource, default="0")) for node in view.snapshot.of("Node")
        )
        if each * most > room:
            seen = f"{most} replicas request {each * most:g}, the nodes have {room:g}"
            yield finding(item, "spec.maxReplicas", f"room for its {resource}", seen, view=view)


def budgets_of(workload: Workload) -> list[Item]:
    """Disruption budgets that select a workload's pods. Raises Unread."""
    return workload.snapshot.selecting(
        "PodDisruptionBudget", workload.namespace, workload.labels, lambda item: get(item, "spec", "selector")
    )


@rule("pdb/missing", severity="major", per="workload", needs=(*_BUDGET, *_SCALER), whole=True)
def budget_missing(workload: Workload, view: View) -> Findings:
    """A workload with several replicas has a disruption budget.

    Why: without one a drain may take all its pods at once.

    Remedy: add a PodDisruptionBudget that selects its pods and allows at least one disruption.
    """
    if workload.kind not in ("Deployment", "StatefulSet") or workload.replicas < 2:
        return
    if not budgets_of(workload):
        yield finding(workload, "metadata.labels", "a PodDisruptionBudget", "none", view=view)


@rule("pdb/several", severity="major", per="workload", needs=_BUDGET)
def budget_several(workload: Workload, view: View) -> Findings:
    """No pod has two disruption budgets.

    Why: the eviction API refuses such a pod outright, and every drain hangs on it.

    Remedy: leave one of them.
    """
    found = budgets_of(workload)
    if len(found) > 1:
        seen = ", ".join(sorted(name_of(item) for item in found))
        yield finding(workload, "metadata.labels", "one PodDisruptionBudget", seen, view=view)


def _allowed(item: Item, replicas: int) -> tuple[str, Any, int] | None:
    """Field, value and disruptions that a budget allows of ``replicas``; None where it names neither."""
    for field in ("minAvailable", "maxUnavailable"):
        value = get(item, "spec", field)
        if value is None:
            continue
        text = str(value)
        share = float(text[:-1]) / 100 if text.endswith("%") else None
        # Both are rounded up, as the controller does.
        count = -int(-replicas * share // 1) if share is not None else int(text)
        return field, value, (replicas - count if field == "minAvailable" else count)
    return None


@rule("pdb/blocks-eviction", severity="major", per="object", kinds=_BUDGET, needs=tuple(POD_TEMPLATES))
def blocks_eviction(item: Item, view: View) -> Findings:
    """Every disruption budget allows at least one disruption.

    Why: one that allows none stops every drain, and with it every upgrade of the cluster.

    Remedy: use `maxUnavailable: 1`, or more replicas than `minAvailable`.
    """
    selector = get(item, "spec", "selector")
    covered = [one for one in selected_workloads(view.snapshot, namespace_of(item), selector) if one.serves]
    replicas = sum(one.replicas for one in covered if one.kind != "DaemonSet")
    found = _allowed(item, replicas)
    if found is None:
        yield finding(item, "spec", "minAvailable or maxUnavailable", "neither", view=view)
    elif found[2] < 1 and (replicas > 0 or str(found[1]) in ("0", "0%", "100%")):
        yield finding(item, f"spec.{found[0]}", "at least 1 disruption allowed", f"{found[1]} of {replicas}", view=view)


@rule("pdb/no-pods", severity="minor", per="object", kinds=_BUDGET, needs=tuple(POD_TEMPLATES), whole=True)
def budget_no_pods(item: Item, view: View) -> Findings:
    """Every disruption budget selects pods.

    Why: one with a wrong label protects nothing.

    Remedy: make its selector and the labels of the pod template agree.
    """
    selector = get(item, "spec", "selector", default={})
    if not selected_workloads(view.snapshot, namespace_of(item), selector):
        yield finding(item, "spec.selector", "the labels of pods", selector, view=view)


@rule("pdb/unhealthy-eviction", severity="minor", per="object", kinds=_BUDGET)
def unhealthy_eviction(item: Item, view: View) -> Findings:
    """Pods that are broken anyway may be evicted.

    Why: under the default policy one pod that never becomes ready stops every drain for ever.

    Remedy: set `unhealthyPodEvictionPolicy: AlwaysAllow`.
    """
    seen = get(item, "spec", "unhealthyPodEvictionPolicy")
    if seen != "AlwaysAllow":
        yield finding(item, "spec.unhealthyPodEvictionPolicy", "AlwaysAllow", seen, view=view)


CHECKS: Final[tuple[Check, ...]] = (
    target_missing,
    scaler_range,
    replicas_conflict,
    unique,
    healthy,
    coverage,
    burst_capacity,
    budget_missing,
    budget_several,
    blocks_eviction,
    budget_no_pods,
    unhealthy_eviction,
)
