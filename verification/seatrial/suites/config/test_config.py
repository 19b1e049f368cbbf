"""Every configuration check on the workload behind each service, the rest of each namespace, and the cluster."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from seatrial.checks.check import Check
from seatrial.checks.locate import locate
from seatrial.checks.rule import View
from seatrial.evidence.assessment import Assessment
from seatrial.fixtures.plans import ConfigSubject, config_plans, own_workloads, parametrize
from seatrial.fixtures.session import RunView, context
from seatrial.snapshot.snapshot import Snapshot

pytestmark = pytest.mark.config


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check and service, namespace or cluster."""
    here = context(metafunc.config)
    own = [check for checks in metafunc.config.hook.pytest_seatrial_config_checks() for check in checks]
    parametrize(metafunc, config_plans(here.environment, here.track, live=here.manifests is None, own=own))


def test_config(
    check: Check,
    subject: ConfigSubject,
    cluster: Snapshot,
    run: RunView,
    pytestconfig: pytest.Config,
    record: Callable[[Assessment], None],
) -> None:
    """The check holds."""
    only = None
    if subject.target is not None:
        found = locate(cluster, subject.target.workload or "", subject.namespace or "")
        if isinstance(found, Assessment):
            record(found)
            return
        only = found
    view = View(
        snapshot=cluster,
        environment=run.environment,
        now=cluster.taken or dt.datetime.now(dt.UTC),
        namespace=subject.namespace,
        only=only,
        without=own_workloads(run.environment, run.track),
        directory=pytestconfig.rootpath,
    )
    record(check.run(view))
