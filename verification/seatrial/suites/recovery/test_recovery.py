"""Every recovery check that the environment asks for, over the records of its drills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from seatrial.checks.check import Check
from seatrial.environment.model import Environment
from seatrial.evidence.assessment import Assessment
from seatrial.fixtures.plans import parametrize, recovery_plans
from seatrial.fixtures.session import RunView, active

pytestmark = pytest.mark.recovery


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check that is asked for."""
    here = active(metafunc.config)
    parametrize(metafunc, () if here is None else recovery_plans(here.environment))


def test_recovery(
    check: Check,
    subject: Environment,  # noqa: ARG001
    run: RunView,
    pytestconfig: pytest.Config,
    record: Callable[[Assessment], None],
) -> None:
    """The check holds for the environment."""
    record(check.run(run.environment, project=pytestconfig.rootpath, now=dt.datetime.now(dt.UTC)))
