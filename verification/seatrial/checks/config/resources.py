"""Requests, limits and quotas: what the scheduler reserves and what a container may take."""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.objects import get, quantity
from seatrial.snapshot.workload import Workload


def _unset(workload: Workload, view: View, section: str, resource: str) -> Findings:
    # Resources may be set for the whole pod since Kubernetes 1.34.
    if get(workload.pod, "resources", section, resource) is not None:
        return
    for container in workload.containers:
        if container.sort != "ephemeralContainers" and get(container.item, "resources", section, resource) is None:
            yield finding(workload, f"{container.path}.resources.{section}.{resource}", "set", None, view=view)


@rule("resources/requests-cpu", severity="major", per="workload")
def requests_cpu(workload: Workload, view: View) -> Findings:
    """Every container requests CPU.

    Why: the scheduler packs what requests nothing anywhere, and autoscaling on utilisation has nothing to divide by.

    Remedy: set `resources.requests.cpu` to what the container uses under usual load.
    """
    yield from _unset(workload, view, "requests", "cpu")


@rule("resources/requests-memory", severity="major", per="workload")
def requests_memory(workload: Workload, view: View) -> Findings:
    """Every container requests memory.

    Why: pods that request none are the first to be evicted when a node runs short.

    Remedy: set `resources.requests.memory` to what the container uses under usual load.
    """
    yield from _unset(workload, view, "requests", "memory")


@rule("resources/limits-memory", severity="major", per="workload")
def limits_memory(workload: Workload, view: View) -> Findings:
    """Every container has a memory limit.

    Why: a leak without a limit takes the node and its neighbours with it.

    Remedy: set `resources.limits.memory`, with room above the request.
    """
    yield from _unset(workload, view, "limits", "memory")


def _cpu_limits_optional(environment: Environment) -> str:
    return "CPU limits are optional here (config.cpu_limits)" if environment.config.cpu_limits == "optional" else ""


@rule("resources/limits-cpu", severity="minor", per="workload", skip=_cpu_limits_optional)
def limits_cpu(workload: Workload, view: View) -> Findings:
    """Every container has a CPU limit, or none has, as the strategy wants.

    Why: a limit keeps a busy neighbour off, and throttles bursts that the node could have borne; which is worse
    depends on the platform, so that `config.cpu_limits` decides.

    Remedy: set or remove `resources.limits.cpu`.
    """
    if view.rules.cpu_limits == "required":
        yield from _unset(workload, view, "limits", "cpu")
        return
    for container in workload.containers:
        seen = get(container.item, "resources", "limits", "cpu")
        if seen is not None:
            yield finding(workload, f"{container.path}.resources.limits.cpu", "no CPU limit", seen, view=view)


@rule("resources/range", severity="major", per="workload")
def in_range(workload: Workload, view: View) -> Findings:
    """Requests and limits are plausible quantities, and no request exceeds its limit.

    Why: `100` CPUs where `100m` was meant is never scheduled; a limit of `128m` of memory is less than a byte.

    Remedy: mend the unit: `m` is a thousandth, `Mi` and `Gi` are for memory.
    """
    most = {"cpu": quantity(view.rules.max_cpu), "memory": quantity(view.rules.max_memory)}
    least = {"cpu": 0.0001, "memory": 2.0**20}
    for container in workload.containers:
        resources = container.item.get("resources") or {}
        for section in ("requests", "limits"):
            for name, value in (resources.get(section) or {}).items():
                path = f"{container.path}.resources.{section}.{name}"
                try:
                    amount = quantity(value)
                except ValueError:
                    yield finding(workload, path, "a quantity", value, view=view)
                    continue
                if name in most and not (least[name] <= amount <= most[name] or amount == 0):
                    limit = view.rules.max_cpu if name == "cpu" else view.rules.max_memory
                    yield finding(workload, path, f"a plausible amount, at most {limit}", value, view=view)
        for name, value in (resources.get("requests") or {}).items():
            limit = get(resources, "limits", name)
            try:
                over = limit is not None and quantity(value) > quantity(limit)
            except ValueError:
                continue
            if over:
                path = f"{container.path}.resources.requests.{name}"
                yield finding(workload, path, f"at most its limit {limit}", value, view=view)


def _none_guaranteed(environment: Environment) -> str:
    return "" if environment.config.guaranteed else "no workload must be of the class Guaranteed (config.guaranteed)"


@rule("resources/requests-equal-limits", severity="minor", per="workload", skip=_none_guaranteed)
def requests_equal_limits(workload: Workload, view: View) -> Findings:
    """Workloads that must never be squeezed have requests equal to their limits.

    Why: only pods of the class Guaranteed are evicted last and get CPUs of their own.

    Remedy: set `requests` and `limits` of CPU and memory to the same values in every container.
    """
    if not view.listed(workload, view.rules.guaranteed):
        return
    for container in workload.containers:
        for name in ("cpu", "memory"):
            limit = get(container.item, "resources", "limits", name)
            request = get(container.item, "resources", "requests", name, default=limit)
            if limit is None or quantity(request) != quantity(limit):
                path = f"{container.path}.resources.requests.{name}"
                yield finding(workload, path, f"its limit, {limit or 'which is not set'}", request, view=view)


@rule("resources/ephemeral-storage", severity="minor", per="workload")
def ephemeral_storage(workload: Workload, view: View) -> Findings:
    """Every emptyDir has a size limit, or its containers have a limit of ephemeral storage.

    Why: what fills an emptyDir fills the node's disk, and the node then evicts others.

    Remedy: set `emptyDir.sizeLimit`, or `resources.limits.ephemeral-storage`.
    """
    limited = all(
        get(container.item, "resources", "limits", "ephemeral-storage") is not None for container in workload.containers
    )
    for index, volume in enumerate(workload.pod.get("volumes") or ()):
        empty = volume.get("emptyDir")
        if empty is not None and not limited and not empty.get("sizeLimit"):
            yield finding(workload, f"{workload.path}.volumes[{index}].emptyDir.sizeLimit", "set", None, view=view)


def _no_quotas(environment: Environment) -> str:
    return "" if environment.config.quotas else "quotas are not asked for here (config.quotas)"


@rule(
    "resources/namespace-quota",
    severity="minor",
    per="namespace",
    needs=("ResourceQuota",),
    whole=True,
    skip=_no_quotas,
)
def namespace_quota(namespace: str, view: View) -> Findings:
    """The namespace has a ResourceQuota.

    Why: one runaway release can otherwise take the whole cluster, other environments with it.

    Remedy: add a ResourceQuota for CPU, memory and pods.
    """
    if not view.snapshot.of("ResourceQuota", namespace):
        yield finding({"kind": "Namespace", "metadata": {"name": namespace}}, "", "a ResourceQuota", "none", view=view)


@rule("resources/limit-range", severity="minor", per="namespace", needs=("LimitRange",), whole=True, skip=_no_quotas)
def limit_range(namespace: str, view: View) -> Findings:
    """The namespace has a LimitRange.

    Why: it gives requests and limits to whatever is started by hand without any, a debug pod above all.

    Remedy: add a LimitRange with defaults for containers.
    """
    if not view.snapshot.of("LimitRange", namespace):
        yield finding({"kind": "Namespace", "metadata": {"name": namespace}}, "", "a LimitRange", "none", view=view)


@rule("resources/quota-exhausted", severity="major", per="object", kinds=("ResourceQuota",), live=True)
def quota_exhausted(item: dict[str, object], view: View) -> Findings:
    """No quota is used up to its last tenth.

    Why: a rolling update needs room for the new pods beside the old ones; without it, it gets stuck halfway.

    Remedy: raise the quota, or free what is not needed.
    """
    hard, used = get(item, "status", "hard", default={}), get(item, "status", "used", default={})
    for name, limit in hard.items():
        total = quantity(limit)
        taken = quantity(used.get(name, "0"))
        # Counts of a few objects are full by design; what pods need to be made is not.
        if total and taken / total > 0.9 and any(word in name for word in ("cpu", "memory", "pods")):
            yield finding(item, f"status.used.{name}", f"at most 90 % of {limit}", used.get(name), view=view)


CHECKS: Final[tuple[Check, ...]] = (
    requests_cpu,
    requests_memory,
    limits_memory,
    limits_cpu,
    in_range,
    requests_equal_limits,
    ephemeral_storage,
    namespace_quota,
    limit_range,
    quota_exhausted,
)
