"""The suites of this repository against the demo."""

from functools import partial
from pathlib import Path

import pytest

from support import verified
from support.once import once
from support.verified import Verified, Verify


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Run the suites of this repository against the demo and let the gate decide."""
    return partial(verified.verify, tmp_path)


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Verified:
    """A good release, verified in full by one process."""

    def make(folder: Path) -> None:
        verified.verify(folder, "-n", "0", journeys=True).save(folder / "verified.json")

    return Verified.load(once(tmp_path_factory, worker_id, "good", make) / "verified.json")
