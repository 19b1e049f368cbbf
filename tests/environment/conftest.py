"""Folders of environments, written by a test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.environment.loading import EnvironmentProblem, load
from seatrial.environment.locations import FixtureDirectory

REPOSITORY = Path(__file__).parents[2]

Write = Callable[..., FixtureDirectory]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write environments, by name, into a folder, and return it as a directory to load from."""

    def to(folder: str = "project", /, **texts: str) -> FixtureDirectory:
        path = tmp_path / folder
        (path / "environments").mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (path / "environments" / f"{name}.toml").write_bytes(text.encode())
        return FixtureDirectory(path=path)

    return to


@pytest.fixture
def problem(tmp_path: Path) -> Callable[..., str]:
    """The message with which an environment is refused, paths cut down to names."""

    def of(name: str, *directories: FixtureDirectory, **options: dict[str, str]) -> str:
        with pytest.raises(EnvironmentProblem) as caught:
            load(name, directories, **options)  # type: ignore[arg-type]
        text = str(caught.value)
        for directory in directories:
            text = text.replace(f"{directory.path}/environments/", "").replace(str(directory.path), directory.path.name)
        return text

    return of
