"""A team's own repository, and pytest run in it as its user would."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Junit:
    """A JUnit file as a reader sees it."""

    suite: dict[str, str]
    cases: list[dict[str, str]]


@dataclass
class Project:
    """A repository of a team: its folder, and how to run pytest in it."""

    pytester: pytest.Pytester
    url: str
    base: list[str] = field(
        default_factory=lambda: [
            f"-p{name}" for name in ("seatrial.plugin", "no:locust", "no:cacheprovider", "no:hypothesispytest")
        ]
    )

    def environment(self, name: str = "mine", more: str = "") -> None:
        folder = self.pytester.path / "fixtures" / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        text = f'[services.chat]\nauth = {{ env = "CHAT_TOKEN" }}\nurl.stable = "{self.url}"\n{more}\n'
        (folder / f"{name}.toml").write_text(text)

    def run(self, *args: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess(*self.base, *args)

    @property
    def latest(self) -> Path:
        return self.pytester.path / "reports" / "latest"

    def evidence(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.latest / "evidence.json").read_text())
        return document

    def outcomes(self) -> dict[str, str | None]:
        return {case["check"]: case["outcome"] for case in self.evidence()["outcomes"]}

    def junit(self) -> Junit:
        (suite,) = ElementTree.parse(self.latest / "junit.xml").getroot().iter("testsuite")

        def properties(element: ElementTree.Element) -> dict[str, str]:
            return {p.get("name", ""): p.get("value", "") for p in element.findall("properties/property")}

        return Junit(suite=properties(suite), cases=[properties(case) for case in suite.iter("testcase")])
