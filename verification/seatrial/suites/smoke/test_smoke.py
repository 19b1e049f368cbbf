"""Every smoke check on every service, and on every declared host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seatrial.checks.check import Check
from seatrial.environment.model import Host
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Role
from seatrial.fixtures.http import ClientFor
from seatrial.fixtures.plans import host_plans, parametrize, smoke_plans
from seatrial.fixtures.session import RunView, context

pytestmark = pytest.mark.smoke


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check and service or host."""
    here = context(metafunc.config)
    if metafunc.function is test_service:
        parametrize(metafunc, smoke_plans(here.environment, here.track))
    elif metafunc.function is test_host:
        parametrize(metafunc, host_plans(here.environment))


def test_service(
    check: Check, subject: ServiceTarget, http: ClientFor, run: RunView, record: Callable[[Assessment], None]
) -> None:
    """The check holds for the service."""
    # Stable runs another release than the one that is asked for, unless it is itself under test.
    wanted = run.release.version if subject.role is Role.SUBJECT else ""
    record(check.run(subject, http(subject), wanted))


def test_host(check: Check, subject: Host, hosts: Callable[[Host], Any], record: Callable[[Assessment], None]) -> None:
    """The check holds on the host."""
    record(check.run(subject, hosts(subject)))
