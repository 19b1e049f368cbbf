"""The faults that the demo can show: the detection matrix, each with the checks that must catch it and what follows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from seatrial.demo.behaviour import Behaviour

Layer = Literal["chat", "kube", "router"]
Decision = Literal["promote", "hold", "rollback"]
Track = Literal["stable", "candidate"]


class UnknownFault(ValueError):
    """A fault was asked for that the demo does not have; the message names the nearest ones."""


def _unchanged(behaviour: Behaviour) -> Behaviour:
    return behaviour


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that can be wrong with the demo.

    ``expected`` are the ids of the checks that must catch it, with ``outcome`` as their outcome; other checks may
    suffer too. ``decision`` is what the demo's policy must conclude. ``tracks`` are the chat processes whose behaviour
    ``change`` alters; faults of the layer ``kube`` are patch files instead, named by ``patch``.
    """

    name: str
    description: str
    layer: Layer
    expected: tuple[str, ...]
    decision: Decision
    outcome: Literal["fail", "error"] = "fail"
    tracks: tuple[Track, ...] = ()
    change: Callable[[Behaviour], Behaviour] = _unchanged
    patch: str | None = None
    """Patch of the manifests, relative to the folder of manifests."""
    load: str | None = None
    """Load profile that it takes to be sure of it, where the demo's own is too short."""
    watched: bool = False
    """Whether it shows only while a rollout is watched: under traffic, or with time."""


def _candidate(
    name: str,
    description: str,
    change: Callable[[Behaviour], Behaviour],
    *,
    expected: tuple[str, ...],
    decision: Decision = "rollback",
) -> Fault:
    return Fault(
        name=name,
        description=description,
        layer="chat",
        expected=expected,
        decision=decision,
        tracks=("candidate",),
        change=change,
    )


def _manifest(name: str, description: str, *, expected: tuple[str, ...], decision: Decision = "hold") -> Fault:
    return Fault(
        name=name,
        description=description,
        layer="kube",
        expected=expected,
        decision=decision,
        patch=f"demo-faults/{name}.yaml",
    )


FAULTS: Final = (
    _candidate(
        "candidate-down",
        "the candidate's process runs but refuses connections",
        lambda b: replace(b, listening=False),
        expected=("smoke/tcp",),
    ),
    _candidate(
        "not-ready",
        "the candidate's /readyz answers 503",
        lambda b: replace(b, ready=False),
        expected=("smoke/ready",),
    ),
    _candidate(
        "wrong-version",
        "the candidate runs 1.4.9 instead of the release asked for",
        lambda b: replace(b, version="1.4.9"),
        expected=("smoke/version",),
        decision="hold",
    ),
    _candidate(
        "slow-candidate",
        "the candidate takes twice as long to answer",
        lambda b: replace(b, slowdown=2.0 * b.slowdown),
        expected=("latency/regression",),
    ),
    _candidate(
        "slower-by-a-quarter",
        "the candidate takes a quarter longer to answer",
        lambda b: replace(b, slowdown=1.25 * b.slowdown),
        expected=("latency/regression",),
    ),
    _candidate(
        "slow-tail",
        "one answer of the candidate in eight takes three times as long, the others are as ever",
        lambda b: replace(b, tail_share=1 / 8, tail_factor=3.0),
        expected=("latency/regression",),
    ),
    _candidate(
        "freezes",
        "the candidate's process stands still for 250 ms every second",
        lambda b: replace(b, freeze_every=1.0, freeze_for=0.25),
        expected=("latency/regression",),
    ),
    _candidate(
        "late-first-token",
        "the candidate's streams begin 80 ms later",
        lambda b: replace(b, first_token_delay=0.08),
        expected=("latency/first-token",),
    ),
    _candidate(
        "cut-streams",
        "the candidate cuts 8 % of its streams in the middle",
        lambda b: replace(b, cut_share=0.08),
        expected=("latency/error-rate",),
    ),
    _candidate(
        "error-rate",
        "the candidate answers 10 % of chat completions with 500",
        lambda b: replace(b, error_share=max(b.error_share, 0.10)),
        expected=("latency/error-rate", "metrics/error-rate"),
    ),
    replace(
        _candidate(
            "rare-errors",
            "the candidate answers 1 % of chat completions with 500, where half a percent is tolerated",
            lambda b: replace(b, error_share=max(b.error_share, 0.01)),
            expected=("latency/error-rate",),
        ),
        load="thorough",
    ),
    replace(
        _candidate(
            "slow-under-weight",
            "the candidate takes twice as long to answer once it gets more than 70 requests a second",
            lambda b: replace(b, busy_above=70.0, busy_factor=2.0),
            expected=("rollout/latency",),
        ),
        watched=True,
    ),
    replace(
        _candidate(
            "sours",
            "the candidate answers a tenth of chat completions with 500 from 15 s after its first one",
            lambda b: replace(b, sour_after=15.0),
            expected=("rollout/error-rate",),
        ),
        watched=True,
    ),
    replace(
        _candidate(
            "leaks",
            "each request leaves 100 kB behind in the candidate's memory",
            lambda b: replace(b, leak=100_000),
            expected=("settle/trend",),
        ),
        watched=True,
    ),
    replace(
        _candidate(
            "ages",
            "everything but completions takes the candidate 10 ms longer with each second, after its first 150",
            lambda b: replace(b, ages=0.010),
            expected=("settle/trend",),
        ),
        watched=True,
    ),
    Fault(
        name="long-answers",
        description="stable takes four times as long to answer, so that ending it cuts what is in flight",
        layer="chat",
        expected=("rollout/conversations",),
        decision="hold",
        tracks=("stable",),
        change=lambda b: replace(b, slowdown=4.0 * b.slowdown),
        watched=True,
    ),
    _candidate(
        "broken-intent",
        "the candidate no longer understands questions about opening hours",
        lambda b: replace(b, lost_intents=b.lost_intents | {"opening_hours"}),
        expected=("synthetic/opening-hours",),
    ),
    _candidate(
        "lost-memory",
        "the candidate answers every turn as if it were the first",
        lambda b: replace(b, remembers=False),
        expected=("synthetic/order-status",),
    ),
    _candidate(
        "stalled-stream",
        "the candidate's streams stop midway and keep the connection open",
        lambda b: replace(b, stalls=True),
        expected=("synthetic/streamed-answer",),
    ),
    _candidate(
        "private-data-echoed",
        "the candidate says card numbers, addresses and keys back",
        lambda b: replace(b, echoes_private_data=True),
        expected=("synthetic/private-data",),
    ),
    _candidate(
        "injection-obeyed",
        "the candidate does what instructions inside a question ask for",
        lambda b: replace(b, obeys_injections=True),
        expected=("synthetic/prompt-injection",),
    ),
    _candidate(
        "wrong-language",
        "the candidate answers questions about returns in German",
        lambda b: replace(b, mixes_languages=True),
        expected=("synthetic/returns",),
        decision="hold",
    ),
    _candidate(
        "truncated-answer",
        "the candidate cuts its answer about shipping in the middle",
        lambda b: replace(b, truncates=True),
        expected=("synthetic/shipping-costs",),
        decision="hold",
    ),
    _candidate(
        "duplicate-answer",
        "the candidate says its answer about the warranty twice",
        lambda b: replace(b, duplicates=True),
        expected=("synthetic/warranty",),
        decision="hold",
    ),
    Fault(
        name="rate-limit-storm",
        description="the candidate answers the fifth turn of a conversation, and every later one, with 429",
        layer="chat",
        expected=("synthetic/long-talk",),
        outcome="error",
        decision="hold",
        tracks=("candidate",),
        change=lambda b: replace(b, turns_allowed=4),
    ),
    _candidate(
        "broken-page",
        "the script of the candidate's chat page answers 404",
        lambda b: replace(b, page_works=False),
        expected=("synthetic/first-visit", "synthetic/keyboard-only"),
        decision="hold",
    ),
    _candidate(
        "absent-metrics",
        "the candidate's /metrics answers 404",
        lambda b: replace(b, exposes_metrics=False),
        expected=("smoke/metrics", "metrics/reachable"),
        decision="hold",
    ),
    # Every completion fails, not one in ten: by chance alone a single conversation would fail on one track only, and
    # the outage would no longer be shared.
    Fault(
        name="shared-outage",
        description="what both tracks depend on is down: every chat completion answers 503 on stable and candidate",
        layer="chat",
        expected=("latency/error-rate",),
        decision="hold",
        tracks=("stable", "candidate"),
        change=lambda b: replace(b, error_share=1.0, error_status=503),
    ),
    _manifest(
        "missing-probe",
        "the candidate's container has no readiness probe",
        expected=("probe/readiness-missing",),
    ),
    _manifest(
        "missing-limit",
        "the candidate's container has no memory limit",
        expected=("resources/limits-memory",),
    ),
    _manifest("latest-tag", "the candidate's image is tagged latest", expected=("image/tag",)),
    _manifest("root-container", "the candidate's container runs as root", expected=("podsec/run-as-non-root",)),
    _manifest(
        "plaintext-secret",
        "a password stands in plain text in a ConfigMap",
        expected=("secret/in-configmap",),
    ),
    _manifest(
        "no-previous-revision",
        "no earlier ReplicaSet is kept: there is nothing to roll back to",
        expected=("rollback/history",),
    ),
    _manifest(
        "rollout-stuck",
        "the candidate's rollout exceeded its progress deadline",
        expected=("rollout/complete",),
        decision="rollback",
    ),
    Fault(
        name="cluster-down",
        description="the Kubernetes API refuses connections while the services answer",
        layer="kube",
        expected=("image/tag", "rollout/complete"),
        outcome="error",
        decision="hold",
    ),
)


def find(name: str) -> Fault:
    """The fault called ``name``. Raises UnknownFault, which names the nearest ones."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    names = [fault.name for fault in FAULTS]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names)}"
    raise UnknownFault(f"the demo has no fault {name!r}; {hint} `seatrial demo --faults` describes them all")


def find_all(names: Iterable[str]) -> tuple[Fault, ...]:
    """The faults called ``names``, each once, in the order given. Raises UnknownFault."""
    return tuple(find(name) for name in dict.fromkeys(names))


def behaviour(faults: Iterable[Fault], track: str) -> Behaviour:
    """What the chat process of ``track`` does under ``faults``; those that do not concern it change nothing."""
    result = Behaviour()
    for fault in faults:
        if track in fault.tracks:
            result = fault.change(result)
    return result
