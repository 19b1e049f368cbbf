from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from seatrial.demo import platform
from seatrial.demo.platform import Platform


@pytest.fixture(scope="session")
def demo() -> Iterator[Platform]:
    """The healthy demo without its cluster; tests must not change its weights."""
    with platform.start(with_kube=False) as running:
        yield running


@pytest.fixture
def candidate(demo: Platform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.variables["candidate_url"], timeout=5) as client:
        yield client


@pytest.fixture
def public(demo: Platform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.variables["public_url"], timeout=5) as client:
        yield client
