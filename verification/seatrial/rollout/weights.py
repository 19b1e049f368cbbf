"""The step of a rollout, read from the object that makes it: a route's weights, a rollout's status, a selector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.rollout.words import Word
from seatrial.snapshot.objects import get


def route_weight(route: Any, candidate: str) -> float | None:
    """Percent of the traffic that an HTTPRoute of the Gateway API gives to the Service ``candidate``.

    A backend without a weight has 1, and a rule whose weights are all 0 serves nobody (Gateway API, HTTPBackendRef).
    Where several rules name the candidate the smallest share counts, since that much every request may get. None where
    a weight is no whole number.
    """
    shares: list[float] = []
    for rule in _list(get(route, "spec", "rules")):
        weights: dict[bool, int] = {True: 0, False: 0}
        named = False
        for backend in _list(get(rule, "backendRefs")):
            weight = get(backend, "weight", default=1)
            if isinstance(weight, bool) or not isinstance(weight, int) or weight < 0:
                return None
            mine = get(backend, "name") == candidate
            named |= mine
            weights[mine] += weight
        whole = weights[True] + weights[False]
        if named:
            shares.append(100 * weights[True] / whole if whole else 0.0)
    return min(shares, default=0.0)


def argo_word(rollout: Any) -> Word | None:
    """Where a Rollout of Argo stands; None where its controller has not said yet.

    With traffic routing the controller tells the weight (`status.canary.weights`). Without, it is that of the last
    `setWeight` up to the step that it is at; a weight is reached by replicas then, and is what was asked for.
    """
    status = get(rollout, "status", default={})
    if get(status, "observedGeneration") is None:
        return None
    if get(status, "abort") is True:
        return Word(weight=0.0, abort=True)
    current, stable = get(status, "currentPodHash"), get(status, "stableRS")
    if current and current == stable:
        return Word(weight=100.0)
    if get(rollout, "spec", "strategy", "blueGreen") is not None:
        switched = bool(current) and get(status, "blueGreen", "activeSelector") == current
        return Word(weight=100.0 if switched else 0.0)
    weight = get(status, "canary", "weights", "canary", "weight")
    if isinstance(weight, int) and not isinstance(weight, bool):
        return Word(weight=float(min(max(weight, 0), 100)))
    steps = _list(get(rollout, "spec", "strategy", "canary", "steps"))
    at = get(status, "currentStepIndex")
    if not isinstance(at, int) or not steps:
        return Word(weight=0.0)
    if at >= len(steps):
        return Word(weight=100.0)
    asked = [value for step in steps[: at + 1] if isinstance(value := get(step, "setWeight"), int)]
    return Word(weight=float(asked[-1]) if asked else 0.0)


def selector_weight(service: Any, candidate: Mapping[str, str]) -> float:
    """100 where the selector of a Service asks for the labels of the candidate, else 0."""
    selector = get(service, "spec", "selector", default={})
    chosen = isinstance(selector, dict) and all(selector.get(name) == value for name, value in candidate.items())
    return 100.0 if chosen and candidate else 0.0


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
