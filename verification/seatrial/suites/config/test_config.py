"""Every configuration check on the workload behind each service."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seatrial.checks.check import Check
from seatrial.checks.snapshot import Snapshot, Unread, locate
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment
from seatrial.fixtures.plans import config_plans, parametrize
from seatrial.fixtures.session import context

pytestmark = pytest.mark.config


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check and workload."""
    here = context(metafunc.config)
    parametrize(metafunc, config_plans(here.environment, here.track))


def test_workload(
    check: Check, subject: ServiceTarget, cluster: Snapshot, record: Callable[[Assessment], None]
) -> None:
    """The check holds for the workload."""
    workload = locate(cluster, subject.workload or "", subject.service.namespace or "")
    if isinstance(workload, Assessment):
        record(workload)
        return
    try:
        assessment = check.run(workload)
    except Unread as problem:
        assessment = Assessment.error(str(problem), remedy="see the rights of the verifier, and the network")
    record(assessment)
