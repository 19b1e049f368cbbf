"""The demo's processes with a router between two releases, and an environment in which drills are allowed."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from seatrial import cli
from seatrial.demo import platform

_ROUTE = (
    "import json, sys, urllib.request as u; stable, candidate = map(float, sys.argv[2:4]); "
    "body = json.dumps({'stable': stable, 'candidate': candidate}).encode(); "
    "u.urlopen(u.Request(sys.argv[1] + '/weights', body, method='PUT'), timeout=5)"
)


@dataclass
class Stage:
    """A folder with an environment, and the router whose weights are the release."""

    folder: Path
    variables: dict[str, str]
    keys: dict[str, str] = field(default_factory=dict)

    def command(self, stable: int, candidate: int, after: str = "", exit_code: int = 0) -> list[str]:
        """A command that gives stable and candidate so much of the traffic, and then runs ``after``."""
        code = f"{_ROUTE}; {after or 'pass'}; sys.exit({exit_code})"
        return [sys.executable, "-c", code, self.variables["router_admin_url"], str(stable), str(candidate)]

    def release(self, stable: int = 0, candidate: int = 1) -> None:
        body = json.dumps({"stable": stable, "candidate": candidate}).encode()
        request = urllib.request.Request(f"{self.variables['router_admin_url']}/weights", body, method="PUT")
        urllib.request.urlopen(request, timeout=5).read()

    def version(self) -> str:
        with urllib.request.urlopen(f"{self.variables['public_url']}/version", timeout=5) as answer:
            return str(json.loads(answer.read())["version"])

    def environment(self, *, name: str = "near", service: str = "", more: str = "", **changes: Any) -> None:
        """Write the environment; a change is a value of [drills], or of another table where it is named so."""
        drills: dict[str, Any] = {
            "allowed": True,
            "promote_command": self.command(0, 1),
            "within": "3s",
            "command_within": "5s",
            "probe_rate": 50,
        }
        tables: dict[str, dict[str, Any]] = {
            "data": {"classification": "synthetic"},
            "recovery": {"time_objective": "3s"},
            "rollout": {"rollback_command": self.command(1, 0)},
        }
        for key, value in changes.items():
            table = next((table for table in tables.values() if key in table), drills)
            table[key] = value
        lines = ["[services.chat]", f'url.stable = "{self.variables["stable_url"]}"']
        lines += [f'url.public = "{self.variables["public_url"]}"', service]
        for table, values in {**tables, "drills": drills}.items():
            lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items() if value != "")]
        folder = self.folder / "fixtures" / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.toml").write_text("\n".join([*lines, more, ""]))

    def drill(self, *words: str, env: str = "near") -> int:
        return cli.main(["drill", *(words or ("rollback",)), "--env", env])

    def record(self) -> dict[str, Any]:
        (path,) = self.folder.glob("reports/*/drill.json")
        found: dict[str, Any] = json.loads(path.read_text())
        return found


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, str]]:
    with platform.start(with_kube=False) as running:
        yield running.variables


@pytest.fixture
def stage(demo: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.chdir(tmp_path)
    made = Stage(folder=tmp_path, variables=demo)
    made.release()
    return made
