"""Installed from the wheel into an empty environment, in somebody else's repository.

The wheel is built from what the Dockerfile copies and nothing else, and installed with the extras that it installs, so
that what can be proved of the image without building it is.
"""

import json
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from support.once import once
from support.verified import REPOSITORY, clean_environment

pytestmark = [pytest.mark.long, pytest.mark.ci]


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """An interpreter with nothing but the wheel, the extras of the image and what they need."""
    return once(tmp_path_factory, worker_id, "wheel", installed) / "venv" / "bin" / "python"


def installed(folder: Path) -> None:
    stage = (REPOSITORY / "deploy" / "Dockerfile").read_text().split("\nFROM ")[1]
    (folder / "src").mkdir()
    for line in re.findall(r"^COPY (.*)$", stage, re.MULTILINE):
        for name in line.split()[:-1]:
            if (REPOSITORY / name).is_dir():
                shutil.copytree(REPOSITORY / name, folder / "src" / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(REPOSITORY / name, folder / "src" / name)
    (extras,) = re.findall(r"pip install --constraint constraints.txt '\.(\[[a-z,]+\])'", stage)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(folder / "src")]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("seatrial-*.whl")
    venv.create(folder / "venv", with_pip=False)
    # By the pip that is here, and compiled as it is imported: the one that Python brings takes three times as long.
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "venv"), "install", "--quiet", "--no-compile"]
    wanted = ["--constraint", str(REPOSITORY / "constraints.txt"), f"{wheel}{extras}"]
    subprocess.run([*pip, *wanted], check=True, capture_output=True, timeout=600)


def run(python: Path, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """A command of the wheel's environment in somebody else's repository."""
    return subprocess.run(
        [str(python), *words],
        cwd=folder,
        env={k: v for k, v in clean_environment().items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_shipped_suites_run_from_the_wheel(python: Path, tmp_path: Path) -> None:
    result = run(python, tmp_path, "-m", "pytest", "-p", "no:locust", "--pyargs", "seatrial.suites", "--env=demo")
    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads((tmp_path / "reports" / "latest" / "evidence.json").read_text())
    assert {case["suite"] for case in document["outcomes"]} >= {"smoke", "synthetic", "config", "latency", "rollout"}
    decided = run(python, tmp_path, "-m", "seatrial.cli", "gate", "reports/latest")
    assert decided.returncode == 0, decided.stdout + decided.stderr


def test_a_one_line_module_runs_a_suite(python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_release.py").write_text("from seatrial.suites.smoke.test_smoke import *\n")
    result = run(python, tmp_path, "-m", "pytest", "-p", "no:locust", "--env=demo")
    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads((tmp_path / "reports" / "latest" / "evidence.json").read_text())
    assert "smoke/ready[chat]@candidate" in {case["key"] for case in document["outcomes"]}


def test_it_is_inert_in_other_peoples_runs(python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text("import sys\ndef test_theirs(): assert 'httpx' not in sys.modules\n")
    result = run(python, tmp_path, "-m", "pytest", "-p", "no:locust")
    assert result.returncode == 0, result.stdout + result.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name == "reports"] == []


def test_init_then_check(python: Path, tmp_path: Path) -> None:
    made = run(python, tmp_path, "-m", "seatrial.cli", "init", "shop", "--url=https://chat.shop.example", "--yes")
    assert made.returncode == 0, made.stdout + made.stderr
    checked = run(python, tmp_path, "-m", "seatrial.cli", "env", "check", "shop")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_commands_of_the_image_are_there(python: Path, tmp_path: Path) -> None:
    """What a pod of the image finds on its path: `seatrial`, `pytest`, and `verify` over both."""
    for command in ("seatrial", "pytest"):
        told = subprocess.run(
            [python.with_name(command), "--help"], capture_output=True, text=True, check=True, timeout=60
        )
        assert command in told.stdout
    assert (python.parent / "seatrial").read_text().startswith("#!")
    environ = {**clean_environment(), "PATH": f"{python.parent}:/usr/bin:/bin", "REPORTS": str(tmp_path / "reports")}
    environ.pop("PYTHONPATH", None)
    verify = ["sh", str(REPOSITORY / "deploy" / "verify.sh"), "demo", "--pyargs", "seatrial.suites", "-m", "smoke"]
    ended = subprocess.run(verify, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=180)
    # The suite alone is not what the policy asks for: it holds, and says so in a record.
    assert ended.returncode == 10, ended.stdout + ended.stderr
    assert json.loads((tmp_path / "reports" / "latest" / "decision.json").read_text())["decision"] == "hold"
