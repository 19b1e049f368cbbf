"""What runs in a cluster, held to seatrial's own checks, and taken by an API server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from support.kubeapi import start

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
ENVIRONMENT = """
[run]
track = "stable"
phase = "pre"
[cluster]
context = "verifier"
namespaces = ["seatrial"]
[config]
pod_security = "restricted"
image_digests = true
registries = ["registry.chatbot.example"]
labels = ["app.kubernetes.io/name", "app.kubernetes.io/part-of"]
account_access = ["seatrial-verifier list secrets"]
"""
SECRET = """
apiVersion: v1
kind: Secret
metadata:
  name: seatrial-tokens
  namespace: seatrial
  labels: {app.kubernetes.io/name: seatrial, app.kubernetes.io/part-of: seatrial}
data:
  staging: eA==
"""
"""What only its owner can write: the Job names it."""


def rendered(kubectl: str) -> str:
    words = [kubectl, "kustomize", str(DEPLOY / "kubernetes")]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return "\n---\n".join([ended.stdout, (DEPLOY / "kubernetes" / "job.yaml").read_text(), SECRET])


def test_own_checks(need: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "verifier.toml").write_text(ENVIRONMENT)
    (tmp_path / "all.yaml").write_text(rendered(need("kubectl")))
    words = [sys.executable, "-m", "pytest", "-q", "--env=verifier", "-m", "config", "--seatrial-manifests-complete"]
    words += [f"--seatrial-fixtures={tmp_path}", f"--seatrial-manifests={tmp_path / 'all.yaml'}"]
    words += [f"--seatrial-reports={tmp_path / 'reports'}", "-p", "no:cacheprovider"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SEATRIAL_", "PYTEST_"))}
    ended = subprocess.run(words, cwd=REPOSITORY, env=kept, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout[-4_000:]
    passed = re.search(r"(\d+) pass", ended.stdout)
    assert passed is not None
    assert int(passed[1]) >= 75


def test_an_api_server_takes_them(need: Callable[[str], str], tmp_path: Path) -> None:
    kubectl = need("kubectl")
    api = start(tmp_path)
    try:
        admin = api.state / "admin.kubeconfig"
        platform = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "chatbot-staging"}}
        applied(kubectl, admin, yaml.safe_dump(platform))
        said = applied(kubectl, admin, rendered(kubectl))
        kinds = {line.split("/")[0].partition(".")[0] for line in said.splitlines()}
        assert {
            "deployment",
            "job",
            "cronjob",
            "role",
            "clusterrole",
            "networkpolicy",
            "persistentvolumeclaim",
        } <= kinds
    finally:
        api.child.stop(3)


def applied(kubectl: str, kubeconfig: Path, text: str) -> str:
    words = [kubectl, f"--kubeconfig={kubeconfig}", "apply", "--validate=false", "-f", "-"]
    ended = subprocess.run(words, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_schemas_of_kubernetes(need: Callable[[str], str], tmp_path: Path) -> None:
    """Every object, also those that stand inside of custom resources, without a field that would be pruned."""
    tool, parts = need("kubernetes-validate"), [rendered(need("kubectl")), yaml.safe_dump(helm_pod())]
    look, _, _ = yaml.safe_load_all((DEPLOY / "pipelines" / "argo-rollouts.yaml").read_text())
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "look"}}
    parts.append(yaml.safe_dump({**job, **look["spec"]["metrics"][0]["provider"]["job"]}))
    task, _ = yaml.safe_load_all((DEPLOY / "pipelines" / "tekton.yaml").read_text())
    (step,) = task["spec"]["steps"]
    container = {name: step[name] for name in ("name", "image", "env", "securityContext")}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "step"}, "spec": {"containers": [container]}}
    parts.append(yaml.safe_dump(pod))
    whole = "\n---\n".join(parts)
    assert validated(tool, tmp_path / "all.yaml", whole) == (0, "")
    # It would see one.
    for known, unknown in (("backoffLimit:", "backofLimit:"), ("readOnlyRootFilesystem:", "readOnlyRootFileSystem:")):
        code, told = validated(tool, tmp_path / "bad.yaml", whole.replace(known, unknown))
        assert code != 0
        assert unknown.rstrip(":") in told


def validated(tool: str, path: Path, text: str) -> tuple[int, str]:
    path.write_text(text)
    words = [tool, "--strict", "--quiet", "--no-warn", str(path)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    return ended.returncode, ended.stdout + ended.stderr


def helm_pod() -> Any:
    """The test pod of the chart, with a word in the place of every value."""
    chart = (DEPLOY / "pipelines" / "helm-test.yaml").read_text()
    chart = re.sub(r"\{\{-.*?\}\}\n", "", chart, flags=re.DOTALL)
    return yaml.safe_load(re.sub(r"\{\{.*?\}\}", "x", chart))


def test_rights_are_those_that_the_checks_take() -> None:
    words = [sys.executable, "-m", "seatrial.cli", "role", "staging", "--account", "seatrial/seatrial-verifier"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")}
    told = subprocess.run(words, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=True, timeout=60)
    text = (DEPLOY / "kubernetes" / "rbac.yaml").read_text()
    assert text.partition("\n")[2] == told.stdout
    verbs = {verb for doc in yaml.safe_load_all(text) for rule in doc.get("rules", ()) for verb in rule["verbs"]}
    # Creating is asking for an access review, which writes nothing.
    assert verbs <= {"list", "get", "create"}
    creating = [r for d in yaml.safe_load_all(text) for r in d.get("rules", ()) if "create" in r["verbs"]]
    assert [rule["resources"] for rule in creating] == [["subjectaccessreviews"]]


def test_pods_of_the_templates_are_as_strict() -> None:
    helm = helm_pod()["spec"]
    look, _, _ = yaml.safe_load_all((DEPLOY / "pipelines" / "argo-rollouts.yaml").read_text())
    argo = look["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"]["spec"]
    job = yaml.safe_load((DEPLOY / "kubernetes" / "job.yaml").read_text())["spec"]["template"]["spec"]
    for pod in (helm, argo):
        assert pod["securityContext"] == job["securityContext"]
        (container,), (wanted,) = pod["containers"], job["containers"]
        assert container["securityContext"] == wanted["securityContext"]
        assert container["command"] == ["verify"]


def test_dockerfile() -> None:
    words = [str(Path(sys.executable).with_name("hadolint")), str(DEPLOY / "Dockerfile")]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_image_copies_what_there_is_and_runs_as_a_number() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]]
    for name in copied:
        assert name.startswith("--") or (REPOSITORY / name).exists(), name
    allowed = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert {name for name in copied if not name.startswith("--")} <= set(allowed)
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    # The base has no default: whoever builds says which, by digest.
    assert re.search(r"^ARG BASE$", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}


def test_the_last_stage_of_the_image_runs_and_installs_nothing() -> None:
    """What builds stays in the stage that builds: the last one only copies, and runs as somebody without rights."""
    last = (DEPLOY / "Dockerfile").read_text().split("\nFROM ")[-1]
    words = [line.split()[0] for line in last.splitlines()[1:] if line and not line.startswith(("#", " "))]
    assert set(words) <= {"ENV", "COPY", "WORKDIR", "USER", "CMD"}
    assert words[-2:] == ["USER", "CMD"]
    # From the build comes the installation alone, without sources or caches.
    assert re.findall(r"^COPY --from=(.*)$", last, re.MULTILINE) == ["build /opt/seatrial /opt/seatrial"]
    example = re.search(r"--build-arg BASE=(\S+)", (DEPLOY / "Dockerfile").read_text())
    assert example is not None
    assert re.fullmatch(r"[a-z./]+:[0-9.]+-[a-z-]+@sha256:\.\.\.", example[1])


def test_image_finds_suites_and_conversations(tmp_path: Path) -> None:
    """The working folder of the image, as the Dockerfile fills it."""
    shutil.copy(DEPLOY / "pytest.toml", tmp_path)
    for name in ("fixtures", "synthetic", "load"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:locust", "--env=demo"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SEATRIAL_", "PYTEST_"))}
    ended = subprocess.run(
        [*words, f"--seatrial-reports={tmp_path / 'reports'}", "--collect-only", "-q"],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout[-2_000:] + ended.stderr
    for part in ("smoke/ready-chat", "test_config[", "test_regression[", "synthetic/conversations/greeting.toml::"):
        assert part in ended.stdout, part
