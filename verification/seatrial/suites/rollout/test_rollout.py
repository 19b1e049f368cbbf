"""Every rollout check on the workload behind each service, and on its Helm release."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seatrial.checks.check import Check
from seatrial.checks.locate import locate
from seatrial.environment.model import Environment
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment
from seatrial.fixtures.plans import parametrize, rollout_plans
from seatrial.fixtures.session import RunView, context
from seatrial.snapshot.snapshot import Snapshot, Unread

pytestmark = pytest.mark.rollout


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check and workload or release, or for the environment."""
    here = context(metafunc.config)
    parametrize(metafunc, rollout_plans(here.environment, here.track))


def test_rollout(
    check: Check,
    subject: ServiceTarget | Environment,
    cluster: Snapshot,
    run: RunView,
    record: Callable[[Assessment], None],
) -> None:
    """The check holds for the workload, the release, or the environment."""
    if isinstance(subject, Environment):
        record(check.run(run.environment))
        return
    service = subject.service
    try:
        if check.per == "release":
            record(check.run(service.helm_release, service.namespace or "", cluster))
            return
        workload = locate(cluster, subject.workload or "", service.namespace or "")
        outcome = workload if isinstance(workload, Assessment) else check.run(workload, run.environment.rollout)
    except Unread as problem:
        outcome = Assessment.error(str(problem), remedy="see the rights of the verifier, and the network")
    record(outcome)
