"""What a test needs of the machine, and what becomes of it where that is not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from support.project import REPOSITORY


def absent(reason: str) -> NoReturn:
    """The test skips, or fails where nothing may be absent (CI)."""
    if os.environ.get("SEATRIAL_TESTS_REQUIRE_ALL"):
        pytest.fail(f"{reason}, and SEATRIAL_TESTS_REQUIRE_ALL is set")
    pytest.skip(reason)


def python_of(environment: str) -> Path:
    """The interpreter of an environment that a recipe of that name makes."""
    python = REPOSITORY / ".cache" / environment / "bin" / "python"
    if not python.exists():
        absent(f"the environment of `make {environment}` is not there")
    return python
