"""What the tests of checks share."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.world import VALUES


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reviewed values of the Helm release."""
    folder = tmp_path_factory.mktemp("values")
    (folder / "values.yaml").write_text(VALUES)
    return folder
