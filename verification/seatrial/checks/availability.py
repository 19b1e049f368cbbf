"""Replicas, autoscaling, disruption budgets and network policies around a workload."""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import Check, check
from seatrial.checks.snapshot import Workload, get, name_of, names, selects
from seatrial.evidence.assessment import Assessment, Finding

MIN_REPLICAS: Final = 2
"""One replica is down whenever its pod moves."""


@check("workload/min-replicas", suite="config", severity="major", per="workload", needs=("Deployment",))
def min_replicas(workload: Workload) -> Assessment:
    """The workload has at least two replicas.

    Why: one replica is an outage at every node drain.

    Remedy: raise `spec.replicas`, or `minReplicas` of its autoscaler.
    """
    seen = workload.replicas
    if seen < MIN_REPLICAS:
        finding = Finding(
            where=workload.where, path="spec.replicas", expected=f"at least {MIN_REPLICAS}", seen=str(seen)
        )
        return Assessment.of_findings([finding], held="", broken="too few replicas", n=1)
    return Assessment.passed(f"{seen} replicas", seen=str(seen), limit=f"at least {MIN_REPLICAS}", n=1)


@check("hpa/target-missing", suite="config", severity="major", per="workload", needs=("HorizontalPodAutoscaler",))
def hpa_target_missing(workload: Workload) -> Assessment:
    """Every autoscaler of the namespace points at a workload that exists.

    Why: an autoscaler without its target scales nothing and says so only in its status.

    Remedy: mend `scaleTargetRef`, or delete the autoscaler.
    """
    scalers = workload.snapshot.of("HorizontalPodAutoscaler", workload.namespace)
    findings = []
    for scaler in scalers:
        target = get(scaler, "spec", "scaleTargetRef", default={})
        kind, name = str(target.get("kind", "")), str(target.get("name", ""))
        if kind in ("Deployment", "StatefulSet") and workload.snapshot.find(kind, workload.namespace, name) is None:
            where = f"HorizontalPodAutoscaler {workload.namespace}/{name_of(scaler)}"
            findings.append(Finding(where=where, path="spec.scaleTargetRef", expected=f"{kind}/{name}", seen="absent"))
    if not scalers:
        return Assessment.passed("there is no autoscaler in the namespace", n=0)
    held = f"all {len(scalers)} autoscalers have their target"
    return Assessment.of_findings(findings, held=held, broken="{count} autoscaler(s) without a target", n=len(scalers))


@check("pdb/missing", suite="config", severity="major", per="workload", needs=("PodDisruptionBudget",))
def pdb_missing(workload: Workload) -> Assessment:
    """A workload with several replicas has a disruption budget.

    Why: without one a drain may take all its pods at once.

    Remedy: add a PodDisruptionBudget that selects its pods and allows at least one disruption.
    """
    budgets = workload.snapshot.of("PodDisruptionBudget", workload.namespace)
    found = [item for item in budgets if selects(get(item, "spec", "selector"), workload.labels)]
    if found:
        return Assessment.passed(f"covered by {names(found)}", seen=names(found), n=1)
    if workload.replicas < MIN_REPLICAS:
        return Assessment.passed("a single replica needs none", seen="1 replica", n=1)
    finding = Finding(where=workload.where, path="metadata.labels", expected="a PodDisruptionBudget", seen="none")
    return Assessment.of_findings([finding], held="", broken="no disruption budget covers the pods", n=1)


@check("netpol/missing", suite="config", severity="major", per="workload", needs=("NetworkPolicy",))
def netpol_missing(workload: Workload) -> Assessment:
    """The workload's pods are selected by a network policy for what comes in.

    Why: without one everything in the cluster may talk to them.

    Remedy: add a default-deny policy to the namespace, and one that lets in who must.
    """
    policies = workload.snapshot.of("NetworkPolicy", workload.namespace)
    found = [
        item
        for item in policies
        if selects(get(item, "spec", "podSelector", default={}), workload.labels)
        and "Ingress" in get(item, "spec", "policyTypes", default=["Ingress"])
    ]
    if found:
        return Assessment.passed(f"covered by {names(found)}", seen=names(found), n=1)
    finding = Finding(where=workload.where, path="metadata.labels", expected="a NetworkPolicy for ingress", seen="none")
    return Assessment.of_findings([finding], held="", broken="no network policy covers the pods", n=1)


CHECKS: Final[tuple[Check, ...]] = (min_replicas, hpa_target_missing, pdb_missing, netpol_missing)
