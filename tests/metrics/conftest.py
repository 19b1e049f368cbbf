"""A team's repository whose service exposes metrics."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from support.metrics import Counting, counting
from support.project import REPOSITORY, Project


@dataclass
class Shop:
    """The repository, and what its service counts."""

    project: Project
    service: Counting
    suites: tuple[str, ...] = field(default=("--pyargs", "seatrial.suites", "--env=mine"))


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "verification"))
    monkeypatch.setenv("CHAT_TOKEN", "s3cret-t0ken")
    for name in ("SEATRIAL_ENV", "SEATRIAL_TRACK", "SEATRIAL_PHASE", "SEATRIAL_RELEASE", "SEATRIAL_CHANGED_AT"):
        monkeypatch.delenv(name, raising=False)
    with counting() as service:
        yield Shop(project=Project(pytester=pytester, url=service.url), service=service)
