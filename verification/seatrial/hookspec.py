"""Extension points that seatrial adds to pytest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from seatrial.checks.check import Check
    from seatrial.environment.model import Environment


class RunningTarget(Protocol):
    """A target that was brought up for this run."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Values for ``${target.NAME}`` in the environment file."""

    def stop(self) -> None:
        """Take the target down. Called once at the end of the run, also after an interruption; must be idempotent."""


@pytest.hookspec
def pytest_seatrial_config_checks() -> Sequence[Check]:
    """Configuration checks of your own, made with ``seatrial.checks.rule.rule``, to be planned beside the others."""
    raise NotImplementedError


@pytest.hookspec(firstresult=True)
def pytest_seatrial_start_target(environment: Environment, faults: Sequence[str], state: Path) -> RunningTarget | None:
    """Bring up the target that ``environment.target.start`` names, or return None if the name is not yours.

    Called once per run, in the process that pytest was started as, before collection. ``state`` is an empty folder for
    the target's own files. Raise :class:`seatrial.evidence.outcome.CannotLook` where it cannot be brought up.
    """
