"""Templates of pipelines: valid by the schemas of those who read them, and with shell lines that do as they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
PIPELINES = DEPLOY / "pipelines"
SCHEMAS = {
    "github/action.yml": "vendor.github-actions",
    "github/verify.yml": "vendor.github-workflows",
    "github/release.yml": "vendor.github-workflows",
    "pipelines/gitlab-ci.yml": "vendor.gitlab-ci",
    "pipelines/azure-pipelines.yml": "vendor.azure-pipelines",
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema(name: str) -> None:
    words = [sys.executable, "-m", "check_jsonschema", f"--builtin-schema={SCHEMAS[name]}", str(DEPLOY / name)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout[-2_000:]


def test_every_job_of_github_has_an_end() -> None:
    for name in ("verify", "release"):
        jobs = yaml.safe_load((DEPLOY / "github" / f"{name}.yml").read_text())["jobs"]
        assert [key for key, job in jobs.items() if "uses" not in job and "timeout-minutes" not in job] == []


def test_github_puts_no_input_into_a_script() -> None:
    for name in ("action", "verify", "release"):
        for script in scripts(yaml.safe_load((DEPLOY / "github" / f"{name}.yml").read_text())):
            assert "${{" not in script, script


def test_only_a_rollback_rolls_back_on_github() -> None:
    jobs = yaml.safe_load((DEPLOY / "github" / "release.yml").read_text())["jobs"]
    assert jobs["rollback"]["if"] == "always() && needs.verify-production.outputs.decision == 'rollback'"
    # No `if` on the way up: a job runs only where the one that it needs succeeded, and that is a promote.
    upward = ["deploy-qa", "deploy-staging", "deploy-canary", "promote"]
    assert [(name, jobs[name].get("if"), bool(jobs[name]["needs"])) for name in upward] == [
        (name, None, True) for name in upward
    ]
    assert jobs["deploy-canary"]["environment"] == "production"


def scripts(node: Any) -> Iterator[str]:
    """Texts that a shell runs, wherever they stand."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("run", "bash") and isinstance(value, str):
                yield value
            elif key == "script":
                yield from [value] if isinstance(value, str) else value
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for value in node:
            yield from scripts(value)


def named_scripts() -> Iterator[tuple[str, str]]:
    for path in sorted([*DEPLOY.glob("github/*.yml"), *PIPELINES.glob("*.y*ml")]):
        if path.name == "helm-test.yaml":
            continue
        found = [script for document in yaml.safe_load_all(path.read_text()) for script in scripts(document)]
        yield from ((f"{path.name}:{number}", script) for number, script in enumerate(found))
    for number, script in enumerate(re.findall(r"sh '([^']*)'", (PIPELINES / "Jenkinsfile").read_text())):
        yield f"Jenkinsfile:{number}", script
    yield "verify.sh", (DEPLOY / "verify.sh").read_text()


@pytest.mark.parametrize(("name", "script"), [pytest.param(*pair, id=pair[0]) for pair in named_scripts()])
def test_shell(need: Callable[[str], str], name: str, script: str) -> None:
    text = re.sub(r"\$\((params|workspaces|results|tasks)\.[a-z.-]+\)", "x", script)
    text = text if text.startswith("#!") else f"#!/bin/bash\n{text}"
    # 2154: variables that the pipeline sets.
    words = [need("shellcheck"), "--severity=style", "--exclude=SC2154", "-"]
    ended = subprocess.run(words, input=text, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 0, ended.stdout


def gate_script(name: str) -> str:
    """The shell lines of a template that turn the exit code into a decision."""
    found = [script for key, script in named_scripts() if key.startswith(name) and "decision=rollback" in script]
    assert len(found) == 1
    return found[0]


def run(script: str, folder: Path, code: int, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it with a `verify` that ends with ``code``."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "verify").write_text(f'#!/bin/sh\necho "$@" > asked\nexit {code}\n')
    (tools / "verify").chmod(0o755)
    (folder / "deploy").mkdir(exist_ok=True)
    shutil.copy(tools / "verify", folder / "deploy" / "verify.sh")
    path = f"{tools}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": path, "ENVIRONMENT": "staging", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


CODES = [(0, "promote"), (10, "hold"), (20, "rollback"), (1, "hold"), (2, "hold"), (3, "hold"), (137, "hold")]


@pytest.mark.parametrize(("code", "decision"), CODES)
def test_gitlab_maps_codes(tmp_path: Path, code: int, decision: str) -> None:
    ended = run(gate_script("gitlab-ci"), tmp_path, code)
    assert (tmp_path / "decision.env").read_text() == f"SEATRIAL_DECISION={decision}\n"
    assert ended.returncode == (code if decision == "hold" else 0)
    assert (tmp_path / "asked").read_text() == "staging\n"


@pytest.mark.parametrize(("code", "decision"), CODES)
def test_azure_maps_codes(tmp_path: Path, code: int, decision: str) -> None:
    ended = run(gate_script("azure"), tmp_path, code)
    assert ended.stdout == f"##vso[task.setvariable variable=decision;isOutput=true]{decision}\n"
    assert ended.returncode == (code if decision == "hold" else 0)


@pytest.mark.parametrize(("code", "decision"), CODES)
def test_tekton_maps_codes(tmp_path: Path, code: int, decision: str) -> None:
    ended = run(gate_script("tekton"), tmp_path, code, DECISION_FILE="decision", EXIT_CODE_FILE="code")
    assert ended.returncode == 0
    assert ((tmp_path / "decision").read_text(), (tmp_path / "code").read_text()) == (decision, str(code))


def test_tekton_acts_on_its_decision_alone() -> None:
    _, pipeline = yaml.safe_load_all((PIPELINES / "tekton.yaml").read_text())
    tasks = {task["name"]: task for task in pipeline["spec"]["tasks"]}
    for name in ("promote", "rollback"):
        assert tasks[name]["when"] == [
            {"input": "$(tasks.verify.results.decision)", "operator": "in", "values": [name]}
        ]


def test_jenkins_is_declarative_and_acts_on_two_codes_alone() -> None:
    """The structure alone: there is no parser of Groovy here."""
    text = (PIPELINES / "Jenkinsfile").read_text()
    bare = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|//.*", "", text)
    assert bare.lstrip().startswith("pipeline {")
    assert all(bare.count(one) == bare.count(other) for one, other in ("{}", "()", "[]"))
    for section in ("agent", "parameters", "options", "environment", "stages", "post"):
        assert re.search(rf"^  {section} \{{", text, re.MULTILINE), section
    stages = re.split(r"^    stage\(", text, flags=re.MULTILINE)[1:]
    named = {stage.split("'")[1]: stage for stage in stages}
    assert list(named) == ["verify", "promote", "rollback", "hold"]
    assert "returnStatus: true" in named["verify"]
    assert "when { environment name: 'SEATRIAL_EXIT', value: '0' }" in named["promote"]
    assert "when { environment name: 'SEATRIAL_EXIT', value: '20' }" in named["rollback"]
    assert re.search(r"always \{\s*junit testResults: 'reports/\*/junit\.xml'", text)


def test_argo_judges_the_decision_and_never_the_job() -> None:
    look, decision, rollout = yaml.safe_load_all((PIPELINES / "argo-rollouts.yaml").read_text())
    names = {metric["name"] for metric in look["spec"]["metrics"]}
    assert {entry["metricName"] for entry in look["spec"]["dryRun"]} == names
    (metric,) = decision["spec"]["metrics"]
    # Neither holds for a hold, or for none: Inconclusive, which pauses.
    assert metric["successCondition"] == 'result == "promote"'
    assert metric["failureCondition"] == 'result == "rollback"'
    assert metric["provider"]["web"]["jsonPath"] == "{$.decision}"
    templates = {template["metadata"]["name"] for template in (look, decision)}
    steps = rollout["spec"]["strategy"]["canary"]["steps"]
    used = [t["templateName"] for step in steps if "analysis" in step for t in step["analysis"]["templates"]]
    assert used == ["seatrial-look", "seatrial-decision"]
    assert set(used) == templates


def test_flagger_asks_both_gates_about_one_release() -> None:
    canary = yaml.safe_load((PIPELINES / "flagger.yaml").read_text())
    hooks = {hook["type"]: hook for hook in canary["spec"]["analysis"]["webhooks"]}
    assert {kind: hook["url"].rpartition("/")[2] for kind, hook in hooks.items()} == {
        "confirm-promotion": "confirm-promotion",
        "rollback": "rollback",
    }
    assert hooks["rollback"]["metadata"] == hooks["confirm-promotion"]["metadata"]
    assert set(hooks["rollback"]["metadata"]) == {"environment", "release"}


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """`pytest` and `seatrial` that write down how they were called, and end as a test says."""
    (tmp_path / "bin").mkdir()
    for name in ("pytest", "seatrial"):
        script = f'#!/bin/sh\necho "{name} $*" >> calls\nexit "${{{name.upper()}_EXIT:-0}}"\n'
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def verify(folder: Path, *words: str, **environ: str) -> tuple[int, list[str]]:
    ended = subprocess.run(
        ["sh", str(DEPLOY / "verify.sh"), *words],
        cwd=folder,
        env={"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", **environ},
        capture_output=True,
        check=False,
        timeout=30,
    )
    calls = folder / "calls"
    return ended.returncode, calls.read_text().splitlines() if calls.exists() else []


@pytest.mark.parametrize("code", [0, 10, 20, 2, 3])
@pytest.mark.parametrize("checks", ["0", "1"])
def test_verify_ends_as_the_gate_ends(tools: Path, code: int, checks: str) -> None:
    ended, calls = verify(tools, "staging", "-m", "smoke", PYTEST_EXIT=checks, SEATRIAL_EXIT=str(code), RELEASE="1.5.0")
    assert ended == code
    assert calls == [
        "pytest -p no:cacheprovider -p no:locust --env=staging --seatrial-reports=reports --release=1.5.0 -m smoke",
        "seatrial gate reports/latest --env=staging --release=1.5.0",
    ]


@pytest.mark.parametrize("checks", ["2", "3", "4", "5", "137"])
def test_verify_does_not_decide_from_an_earlier_run(tools: Path, checks: str) -> None:
    ended, calls = verify(tools, "staging", PYTEST_EXIT=checks)
    assert ended == 3
    assert [call.split()[0] for call in calls] == ["pytest"]


def test_verify_wants_an_environment(tools: Path) -> None:
    assert verify(tools) == (2, [])
