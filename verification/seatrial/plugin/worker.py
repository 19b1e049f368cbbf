"""An xdist worker: leaves the plan for the controller before it runs, and publishes what it learned when it ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from seatrial.fixtures.session import Context
from seatrial.plugin import options
from seatrial.plugin.evidence import plan_as_text, planned_cases, publish_plan


class Worker:
    """Hooks of one worker process."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.deselected: list[pytest.Item] = []
        self.plan = "{}"

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember what was left out, as the controller would."""
        self.deselected += items

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Leave the plan before xdist tells the controller that this worker has collected."""
        plan = planned_cases(session.items, self.deselected)
        self.plan = plan_as_text(plan)
        if self.context.folder is not None and self.context.folder.path.is_dir():
            publish_plan(self.context.folder, plan)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Publish the plan and the secrets that were resolved here, so that the controller can mask them too."""
        session.config.workeroutput[options.WORKER_KEY] = {  # type: ignore[attr-defined]
            "plan": self.plan,
            "secrets": sorted(self.context.secrets.values()),
        }
