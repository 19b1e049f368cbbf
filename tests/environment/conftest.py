"""A project's fixtures folder, and what loading it says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.environment import loading
from seatrial.environment.locations import FixtureDirectory

Problems = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., list[FixtureDirectory]]:
    """Write environment files, and return where they are."""

    def written(**files: str) -> list[FixtureDirectory]:
        folder = tmp_path / "fixtures" / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        return [FixtureDirectory(path=tmp_path / "fixtures")]

    return written


@pytest.fixture
def problems(tmp_path: Path, write: Callable[..., list[FixtureDirectory]]) -> Problems:
    """What is wrong with ``here`` beside the other files; paths are shortened."""

    def said(here: str, *, name: str = "here", variables: dict[str, str] | None = None, **files: str) -> str:
        directories = write(here=here, **files)
        with pytest.raises(loading.EnvironmentProblem) as caught:
            loading.load(name, directories, variables=variables)
        return str(caught.value).replace(f"{tmp_path}/fixtures/environments/", "")

    return said
