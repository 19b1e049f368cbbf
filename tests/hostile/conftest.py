"""A Kubernetes API that a test scripts, and reading of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.cluster.reading import read
from seatrial.environment.model import Cluster
from seatrial.snapshot.snapshot import Snapshot
from support.hostile import Api, serving, write_kubeconfig


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as running:
        yield running


@pytest.fixture
def reading(api: Api, tmp_path: Path) -> Callable[..., Snapshot]:
    """Reads kinds of the API: ``reading(kinds, timeout=...)``."""
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", api.url)

    def run(kinds: Any, **settings: Any) -> Snapshot:
        settings = {"namespaces": ("shop",), "timeout": "5s", "read_within": "10s", **settings}
        return read(Cluster(kubeconfig=str(kubeconfig), context="verifier", **settings), kinds)

    return run
