"""The results that a run leaves are really turned into a report by the `allure` command."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from support.project import Project

CHECKS = """
    import pytest
    from seatrial.evidence.assessment import Assessment

    pytestmark = pytest.mark.smoke

    def test_good(record):
        record(Assessment.passed("it holds", seen="200", limit="200", n=3))

    def test_bad(record):
        record(Assessment.failed("p95 is too high", seen="812", limit="500"))

    def test_unseen():
        pytest.skip("no host declared")
"""


def test_allure_generates_a_report(project: Project, need: Callable[[str], str], tmp_path: Path) -> None:
    allure = need("allure")
    project.environment()
    project.pytester.makepyfile(CHECKS)
    project.run("--env=mine")
    results = project.latest / "allure-results"
    command = [allure, "awesome", "--single-file", "--output", str(tmp_path / "report"), str(results)]
    generated = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert generated.returncode == 0, generated.stdout + generated.stderr
    stats = json.loads((tmp_path / "report" / "summary.json").read_text())["stats"]
    assert (stats["passed"], stats["failed"], stats["skipped"]) == (1, 1, 1)
    assert (tmp_path / "report" / "index.html").stat().st_size > 100_000


def test_what_an_interruption_cut_off_is_no_pass(project: Project) -> None:
    project.environment()
    project.pytester.makepyfile("""
        import pytest

        pytestmark = pytest.mark.smoke

        def test_cut_off(record):
            raise KeyboardInterrupt

        def test_after():
            pass
    """)
    project.run("--env=mine")
    results = [json.loads(path.read_text()) for path in (project.latest / "allure-results").glob("*-result.json")]
    (result,) = (one for one in results if "test_cut_off" in one["name"])
    labels = {label["name"]: label["value"] for label in result["labels"]}
    assert result["status"] == "skipped"
    assert labels["seatrial.environment"] == "mine"
    assert labels["seatrial.check"]
