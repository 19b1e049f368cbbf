"""What all tests share."""

import shutil
from collections.abc import Callable

import pytest

from support.required import absent

pytest_plugins = ["pytester"]


@pytest.fixture
def need() -> Callable[[str], str]:
    """Path of an external command; without it the test skips, or fails where all of them are required (CI)."""

    def find(command: str) -> str:
        path = shutil.which(command)
        if path is None:
            absent(f"the command {command!r} is not installed")
        return path

    return find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The demo first: nothing else takes as long, and at the end one worker would wait for the other."""
    items.sort(key=lambda item: "whole" not in item.path.parts)
