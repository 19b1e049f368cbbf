"""The same checks and faults, read through the official client from an API: the demo's, or a real one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from checks.faults import NAMED, Fault
from seatrial.cluster.reading import read
from seatrial.environment.model import Cluster
from seatrial.evidence.outcome import Outcome
from seatrial.snapshot.kinds import REVIEWS
from seatrial.snapshot.snapshot import Snapshot
from support import envtest
from support.live import Live
from support.world import CHECKS, NAMESPACE, NOW, World, assess

OFF_API = ("workload/usage-near-limit",)
"""Checks over what no API server stores."""
BY_IDENTITY = ("rbac/self",)
"""Checks that the identity of the reader decides, which is the administrator here."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with envtest.running(tmp_path_factory.mktemp("api")) as cluster:
        made = Live(cluster)
        yield made
        made.close()


def snapshot(live: Live, identity: str) -> Snapshot:
    cluster = Cluster(kubeconfig=live.cluster.kubeconfig, context=live.cluster.context, namespaces=(NAMESPACE,))
    # The world has a time of its own.
    return replace(read(cluster, CHECKS[identity].needs), taken=NOW)


def spoilt_by(live: Live, fault: Fault | None) -> World:
    here = copy.deepcopy(live.base)
    if fault is not None:
        fault.change(here)
    return here


@pytest.mark.parametrize("identity", [one for one in CHECKS if one not in (*OFF_API, *BY_IDENTITY)])
def test_all_is_well(identity: str, live: Live, reviewed: Path) -> None:
    seen = snapshot(live, identity)
    assert not seen.unread
    assessment = assess(identity, live.base, reviewed, snapshot=seen)
    assert assessment.outcome is Outcome.PASS, assessment.message


def test_the_administrator_may_do_too_much_to_verify(live: Live, reviewed: Path) -> None:
    assessment = assess("rbac/self", live.base, reviewed, snapshot=snapshot(live, "rbac/self"))
    assert assessment.outcome is Outcome.FAIL
    assert "create pods: expected not allowed" in assessment.message


STORED = {name: fault for name, fault in NAMED.items() if not fault.api and fault.check not in OFF_API}


@pytest.mark.parametrize("fault", STORED.values(), ids=STORED)
def test_fault(fault: Fault, live: Live, reviewed: Path) -> None:
    spoilt = spoilt_by(live, fault)
    with live.changed(spoilt):
        seen = snapshot(live, fault.check)
    assessment = assess(fault.check, spoilt, reviewed, snapshot=seen, only=fault.only)
    assert assessment.outcome is fault.outcome, assessment.message
    assert any(fault.seen in str(finding) for finding in assessment.findings), assessment.message


def test_another_cluster_than_the_one_that_is_meant_is_not_read(live: Live) -> None:
    places = {"kubeconfig": live.cluster.kubeconfig, "context": live.cluster.context, "namespaces": (NAMESPACE,)}
    for wrong in ({"uid": "of-another-one"}, {"server": "https://10.9.9.9:6443"}):
        seen = read(Cluster(**places, **wrong), ["Namespace", "Deployment"])
        assert seen.unread["Deployment"].startswith("another cluster was reached: expected")
        assert "Deployment" not in seen.objects
        assert seen.of("Namespace")
    right = Cluster(**places, uid=live.base.uid, server=live.base.server)
    assert read(right, ["Deployment"]).of("Deployment")


def test_reviews_are_the_apis_own(live: Live) -> None:
    cluster = Cluster(kubeconfig=live.cluster.kubeconfig, context=live.cluster.context, namespaces=(NAMESPACE,))
    seen = read(cluster, ["ServiceAccount", *REVIEWS])
    assert not seen.unread
    rows = {(row["metadata"]["name"], row["verb"], row["resource"]): row["allowed"] for row in seen.of(REVIEWS[1])}
    assert rows["chat", "list", "secrets"] is False
    assert rows["chat", "*", "*"] is False
