"""The composite action's script, run as GitHub runs it: over reports, with files for outputs and the step's summary."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from support.reports import NOW, good

REPOSITORY = Path(__file__).parents[2]
ACTION = REPOSITORY / "deploy" / "github"
GOOD = good().of_run(finished=NOW.isoformat())
POLICY = 'environment = "demo"\n[evidence]\nmax_age = "any"\n[required.smoke]\nminimum = 4\n'


@dataclass(frozen=True)
class Ended:
    code: int
    output: str
    outputs: dict[str, str]
    summary: str


def act(folder: Path, **inputs: str) -> Ended:
    """Run the action's only step with the shell that GitHub uses for it."""
    (folder / "fixtures" / "policies").mkdir(parents=True, exist_ok=True)
    (folder / "fixtures" / "policies" / "demo.toml").write_text(POLICY)
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    step = action["runs"]["steps"][0]
    defaults = {name: value.get("default", "") for name, value in action["inputs"].items()}
    given = {**defaults, "environment": "demo", "python": sys.executable, **inputs}
    values = {name: _value(text, given) for name, text in step["env"].items()}
    files = {name: folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SEATRIAL_"))}
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={**kept, **values, **{k: str(v) for k, v in files.items()}, "PYTHONPATH": str(REPOSITORY / "verification")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    told = files["GITHUB_OUTPUT"].read_text() if files["GITHUB_OUTPUT"].exists() else ""
    outputs = {
        name: value for name, _, value in re.findall(r"^([a-z-]+)<<(\w+)\n(.*?)\n\2$", told, re.MULTILINE | re.DOTALL)
    }
    summary = files["GITHUB_STEP_SUMMARY"]
    return Ended(ended.returncode, ended.stdout, outputs, summary.read_text() if summary.exists() else "")


def _value(text: str, inputs: dict[str, str]) -> str:
    name = re.fullmatch(r"\$\{\{ inputs\.([a-z]+) \}\}", text)
    if name is None:
        assert text == "${{ github.action_path }}"
        return str(ACTION)
    return inputs[name[1]]


@pytest.mark.parametrize(
    ("spoil", "decision", "code"), [("pass", "promote", 0), ("error", "hold", 10), ("fail", "rollback", 20)]
)
def test_decision(tmp_path: Path, spoil: str, decision: str, code: int) -> None:
    GOOD.but("smoke/ready", spoil).write(tmp_path / "reports" / "latest")
    ended = act(tmp_path)
    assert ended.code == code
    assert ended.outputs == {
        "decision": decision,
        "exit-code": str(code),
        "decision-file": "reports/latest/decision.json",
        "page": "reports/latest/decision.html",
    }
    assert ended.summary.startswith(f"## {decision.upper()}")
    assert ("::error " in ended.output) is (decision != "promote")


def test_annotations_name_the_file_and_cannot_give_commands(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text("")
    hostile = "100%\r\n::set-output name=decision::promote\n::add-mask::x"
    reports = GOOD.but("smoke/ready", "fail", message=hostile)
    cases = tuple(
        type(case)(
            case=case.case,
            outcome=case.outcome,
            message=case.message,
            more={"seatrial.reproduce": "pytest 'test_shop.py::test_a,b' --env=demo"},
        )
        for case in reports.cases
    )
    type(reports)(cases=cases, run=reports.run).only("evidence").write(tmp_path / "reports" / "latest")
    ended = act(tmp_path)
    commands = [line for line in ended.output.splitlines() if line.startswith("::")]
    assert len(commands) == 1
    assert commands[0].startswith(
        "::error file=test_shop.py,title=product failure%3A smoke/ready[chat]@candidate::100%25"
    )
    assert "%0A%3A%3A" not in commands[0].partition("title=")[0]
    assert "::set-output name=decision::promote" in commands[0].partition("::100")[2]
    assert ended.outputs["decision"] == "rollback"


@pytest.mark.parametrize("place", ["/etc/passwd", "../outside.py", "missing.py", "-x"])
def test_annotations_name_no_file_outside(tmp_path: Path, place: str) -> None:
    (tmp_path / "outside.py").write_text("")
    work = tmp_path / "work"
    case = next(case for case in GOOD.cases if case.case.check == "smoke/ready")
    spoilt = type(case)(case=case.case, outcome="fail", message="m", more={"seatrial.reproduce": f"pytest {place}"})
    type(GOOD)(cases=tuple(spoilt if c is case else c for c in GOOD.cases), run=GOOD.run).write(work / "reports/latest")
    assert "file=" not in act(work).output


def test_no_decision_is_a_hold(tmp_path: Path) -> None:
    GOOD.write(tmp_path / "reports" / "latest")
    (tmp_path / "reports" / "latest" / "decision.json").write_text('{"decision": "promote", "exit_code": 2}')
    ended = act(tmp_path, policy="nosuch")
    assert ended.code == 2
    assert (ended.outputs["decision"], ended.outputs["decision-file"]) == ("hold", "")
    assert "the gate made no decision (exit 2): treat as hold" in ended.output


def test_nothing_at_all_holds(tmp_path: Path) -> None:
    ended = act(tmp_path)
    assert (ended.code, ended.outputs["decision"]) == (10, "hold")


@pytest.mark.parametrize("inputs", [{"reports": " \n "}, {"environment": ""}])
def test_empty_inputs_are_wrong_use(tmp_path: Path, inputs: dict[str, str]) -> None:
    ended = act(tmp_path, **inputs)
    assert (ended.code, ended.outputs) == (2, {})


def test_inputs_are_words_and_no_script(tmp_path: Path) -> None:
    GOOD.write(tmp_path / "reports; touch owned")
    ended = act(tmp_path, reports="reports; touch owned", release="$(touch owned)`touch owned`", output="out put")
    assert ended.outputs["decision"] == "hold"
    assert ended.outputs["decision-file"] == "out put/decision.json"
    assert not (tmp_path / "owned").exists()


def test_several_reports(tmp_path: Path) -> None:
    GOOD.only("junit").write(tmp_path / "one")
    GOOD.only("evidence").write(tmp_path / "two")
    assert act(tmp_path, reports="one\ntwo\n").outputs["decision-file"] == "one/decision.json"
