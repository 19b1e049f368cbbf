"""A rollout while it happens, with ``--seatrial-watch``: what users get of it, until it has settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from seatrial.checks.check import Check
from seatrial.evidence.assessment import Assessment
from seatrial.fixtures.plans import parametrize
from seatrial.fixtures.rollouts import assess, strategy_of, watch_plans
from seatrial.fixtures.session import RunView, context
from seatrial.fixtures.targets import ServicePair

if TYPE_CHECKING:
    from seatrial.rollout.story import Story

pytestmark = [pytest.mark.rollout, pytest.mark.watch]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check and service."""
    here = context(metafunc.config)
    strategy = strategy_of(metafunc.config, here.environment)
    parametrize(metafunc, watch_plans(here.environment, here.track, strategy) if strategy else ())


def test_watch(
    check: Check,
    subject: ServicePair,
    rollout_story: Callable[[ServicePair], Story],
    run: RunView,
    record: Callable[[Assessment], None],
) -> None:
    """The check holds of the rollout of the service."""
    record(assess(check, subject, rollout_story(subject), run.environment))
