"""Every check of metrics on each service that declares them, after the load of the same run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from seatrial.fixtures.plans import metrics_plans, parametrize
from seatrial.fixtures.session import RunView, context

if TYPE_CHECKING:
    from seatrial.checks.check import Check
    from seatrial.evidence.assessment import Assessment
    from seatrial.fixtures.metrics import ReadingOf
    from seatrial.fixtures.targets import ServicePair

pytestmark = pytest.mark.rollout


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check and service."""
    here = context(metafunc.config)
    parametrize(metafunc, () if here.offline else metrics_plans(here.environment, here.track))


def test_metrics(
    check: Check,
    subject: ServicePair,
    metrics: ReadingOf,
    run: RunView,
    after_load: Callable[[str], None],
    record: Callable[[Assessment], None],
) -> None:
    """The check holds for the service."""
    after_load(subject.name)
    record(check.run(metrics(subject), run.environment))
