"""The shipped suite as a user runs it, over stand-ins for the plugin's fixtures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = """
import dataclasses, json, pathlib, sys
import pytest
sys.path.insert(0, {tests!r})
from conftest_of_load import build_pair, LIMITS
from seatrial.environment.model import Environment, Release
from seatrial.environment.secrets import SecretStore
from seatrial.fixtures.plans import stands_for_nothing

PLAN = json.loads({plan!r})

class Pairs:
    def pytest_generate_tests(self, metafunc):
        if "copy_pair" in metafunc.fixturenames:
            pair = build_pair(PLAN["stable"], PLAN["candidate"], **PLAN["service"])
            metafunc.parametrize("copy_pair", [pair], ids=["chatbot"], scope="session")

def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if not stands_for_nothing(item)]

def pytest_configure(config):
    config.addinivalue_line("markers", "latency: x")
    config.addinivalue_line("markers", "check(id, **options): x")
    config.pluginmanager.register(Pairs())

@dataclasses.dataclass(frozen=True)
class Run:
    id: str
    directory: pathlib.Path
    release: Release
    environment: Environment

@pytest.fixture(scope="session")
def run():
    environment = Environment(name="qa", load=LIMITS)
    return Run("run-9", pathlib.Path({directory!r}), Release(), environment)

@pytest.fixture(scope="session")
def secrets():
    return SecretStore()

@pytest.fixture
def record(request):
    def conclude(assessment):
        line = request.node.get_closest_marker("check").args[0] + " " + assessment.outcome + chr(10)
        with open(pathlib.Path({directory!r}) / "outcomes", "a") as out:
            out.write(line)
    return conclude

def pytest_sessionfinish():
    stray = [name for name in sys.modules if name.split(".")[0] in ("gevent", "locust")]
    assert not stray, stray
"""
PROFILE = """
rate = 60
warm_up = "500ms"
duration = "3s"
prompts = ["when?"]
timeout = "2s"
bounds = { lateness_p99 = "500ms", achieved = 0.9, overhead_p50 = "200ms", overhead_p99 = "500ms" }
"""


@pytest.mark.parametrize("processes", [0, 2])
def test_pytest_load_measures_once_and_concludes_for_each_check(serve, tmp_path, processes):
    stable, candidate = serve(seed=1), serve(seed=2, delay=0.06)
    project, reports = tmp_path / "project", tmp_path / "reports"
    (project / "load" / "profiles").mkdir(parents=True)
    reports.mkdir()
    (project / "load" / "profiles" / "quick.toml").write_text(PROFILE)
    (project / "load" / "test_load.py").write_text((ROOT / "load" / "test_load.py").read_text())
    (project / "pytest.toml").write_text('[pytest]\nstrict = true\nfilterwarnings = ["error"]\n')
    (project / "conftest_of_load.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    plan = {
        "stable": stable.url,
        "candidate": candidate.url,
        "service": {"latency": {"profile": "quick"}, "objectives": {"error_rate": 0.03}},
    }
    (project / "conftest.py").write_text(
        CONFTEST.format(tests=str(project), plan=json.dumps(plan), directory=str(reports))
    )
    result = subprocess.run(
        [
            sys.executable,
            *["-m", "pytest", "-p", "no:locust", "-p", "no:cacheprovider", "--import-mode=importlib"],
            *["-n", str(processes)],
            "load/",
        ],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT / "verification")},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert sorted((reports / "outcomes").read_text().splitlines()) == [
        "latency/error-rate pass",
        # Not applicable is a pass of nothing: the profile asks for no streams.
        "latency/first-token pass",
        "latency/regression fail",
        "latency/token-rate pass",
    ]
    assert stable.seen()["requests"] == candidate.seen()["requests"] == 210
    assert (reports / "samples" / "latency" / "chatbot.ndjson").exists()
