"""Reports as the tools write them: what the gate reads in each, case by case. `samples/make.sh` runs the tools.

`SEATRIAL_REWRITE_GOLDEN=1` writes what is compared; read the diff then.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from seatrial.evidence.outcome import Outcome
from seatrial.gate import collection
from seatrial.gate.foreign import assigned
from seatrial.gate.merging import merge
from support.gate import policy

SAMPLES = Path(__file__).parent / "samples"
FOLDERS = sorted(path for path in SAMPLES.iterdir() if path.is_dir() and path.name != "sources")
EXPECTED = "expected.json"


def summary(folder: Path) -> dict[str, Any]:
    """What is in a folder of reports, as its expected summary says it."""
    evidence = assigned(merge(collection.read([folder])), policy())
    cases = evidence.cases.values()
    names = {
        "flaky": [case for case in cases if case.flaky],
        "fail": [case for case in cases if case.outcome is Outcome.FAIL],
        "error": [case for case in cases if case.outcome is Outcome.ERROR],
        "skipped": [case for case in cases if case.outcome is None and not case.expected_failure],
        "expected to fail": [case for case in cases if case.expected_failure],
    }
    passed = sorted(name for report in evidence.passes for name in report.tests)
    return {
        "cases": len(cases) + len(passed),
        "passed": passed,
        **{word: sorted(case.key.removeprefix("foreign:") for case in found) for word, found in names.items()},
        "times": sorted({run.get("finished") for run in evidence.runs}),
        "problems": [f"{problem.source}: {problem.message}" for problem in evidence.problems],
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_sample(folder: Path) -> None:
    seen = summary(folder)
    path = folder / EXPECTED
    if os.environ.get("SEATRIAL_REWRITE_GOLDEN"):
        path.write_text(json.dumps(seen, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert seen == json.loads(path.read_text(encoding="utf-8"))


def test_every_tool_has_its_sample() -> None:
    tools = {"pytest", "surefire", "gradle", "gotestsum", "jest", "playwright", "mocha", "vitest", "rspec", "phpunit"}
    tools |= {"written-nextest", "written-k6", "allure"}
    names = [folder.name for folder in FOLDERS]
    assert {tool for tool in tools if not any(name.startswith(tool) for name in names)} == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_samples_tell_nothing_of_a_machine(folder: Path) -> None:
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert re.findall(r'/(?:tmp|home|root)/|user\.name|"vm"', text) == [], path
