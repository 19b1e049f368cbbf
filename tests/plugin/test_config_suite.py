"""The configuration suite over manifests and saved snapshots, as its users run it."""

import json
from pathlib import Path

import pytest

from seatrial.snapshot import storage
from support.project import REPOSITORY, Project
from support.world import world

CLUSTER = 'workload = "deployment/chat"\nnamespace = "shop"\n[cluster]\nnamespaces = ["shop"]\n'
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
  labels: {app.kubernetes.io/name: chat, app.kubernetes.io/part-of: platform}
spec:
  replicas: 2
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec:
      containers:
      - {name: chat, image: "registry.example/chat:latest"}
---
apiVersion: v1
kind: Service
metadata: {name: chat}
spec: {selector: {app: chatt}, ports: [{port: 80}]}
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    # Nothing is asked of any address: there is no server behind it.
    made = Project(pytester=pytester, url="http://127.0.0.1:9")
    monkeypatch.setenv("CHAT_TOKEN", "token")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "verification"))
    made.environment(more=CLUSTER)
    folder = pytester.path / "rendered"
    folder.mkdir()
    (folder / "chat.yaml").write_text(MANIFEST)
    return made


SUITES = ("--pyargs", "seatrial.suites", "--env=mine")


def case(project: Project, key: str) -> dict[str, object]:
    return next(outcome for outcome in project.evidence()["outcomes"] if outcome["key"] == key)


def test_manifests_before_a_deploy(project: Project) -> None:
    result = project.run(*SUITES, "--seatrial-manifests=rendered")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "seatrial: release seen: none, *rendered is looked at instead",
            "platform",
            "  image/tag (major): Deployment shop/chat",
            "    -> name the version that was tested, best with its digest.",
            "*cases * expected: * not applicable*",
        ]
    )
    assert {outcome["suite"] for outcome in project.evidence()["outcomes"]} == {"config"}
    told = case(project, "image/tag[chat]@stable")
    assert told["outcome"] == "fail"
    assert told["findings"] == [
        {
            "where": "Deployment shop/chat",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "chat",
            "path": "spec.template.spec.containers[0].image",
            "expected": "a version",
            "seen": "registry.example/chat:latest",
            "owner": "platform",
            "source": "rendered/chat.yaml:1",
        }
    ]
    # Whether other objects have the label cannot be known from a part.
    assert case(project, "svc/no-matching-pods[shop]")["outcome"] == "inconclusive"
    assert not any(outcome["check"] == "workload/pod-state" for outcome in project.evidence()["outcomes"])


def test_the_whole_set_is_certain(project: Project) -> None:
    project.run(*SUITES, "--seatrial-manifests=rendered", "--seatrial-manifests-complete", "-k", "no-matching-pods")
    assert case(project, "svc/no-matching-pods[shop]")["outcome"] == "fail"


def test_findings_for_a_code_scanning_page(project: Project) -> None:
    project.run(*SUITES, "--seatrial-manifests=rendered", "-k", "image/tag")
    document = json.loads((project.latest / "findings.sarif").read_text())
    (run,) = document["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert (rule["id"], rule["defaultConfiguration"]) == ("image/tag", {"level": "warning"})
    (result,) = run["results"]
    assert result["ruleIndex"] == 0
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "rendered/chat.yaml"},
        "region": {"startLine": 1},
    }
    assert "expected a version, seen registry.example/chat:latest" in result["message"]["text"]


def test_a_broken_manifest_is_an_error_with_its_line(project: Project) -> None:
    (project.pytester.path / "rendered" / "x.yaml").write_text("a: [1\n")
    project.run(*SUITES, "--seatrial-manifests=rendered", "-k", "image/tag")
    told = case(project, "image/tag[chat]@stable")
    assert told["outcome"] == "error"
    assert "x.yaml:2: did not find expected ',' or ']'" in str(told["message"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seatrial-manifests=gone"], "*--seatrial-manifests: there is nothing at *gone*"),
        (["--seatrial-snapshot=gone"], "*--seatrial-snapshot: there is nothing at *gone*"),
        (["--seatrial-manifests=-", "-n2"], "*standard input is read once*"),
        (["--seatrial-manifests=rendered", "--seatrial-snapshot=rendered"], "*give one of them*"),
    ],
)
def test_wrong_use(options: list[str], message: str, project: Project) -> None:
    result = project.run(*SUITES, *options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([message])


def test_an_empty_folder_is_no_pass(project: Project) -> None:
    (project.pytester.path / "rendered" / "chat.yaml").write_text("# nothing\n")
    result = project.run(*SUITES, "--seatrial-manifests=rendered", "-k", "image/tag")
    assert result.ret == 1
    assert case(project, "image/tag[chat]@stable")["outcome"] == "error"


def test_a_saved_snapshot(project: Project) -> None:
    spoilt = world()
    spoilt.deployment["status"]["availableReplicas"] = 1
    path = Path(project.pytester.path / "shop.snapshot")
    storage.save(spoilt.snapshot(), path)
    result = project.run(*SUITES, f"--seatrial-snapshot={path}", "-n2", "-k", "unavailable or rollout/complete")
    assert result.ret == 1
    assert case(project, "workload/unavailable[chat]@stable")["outcome"] == "fail"
    assert case(project, "rollout/complete[chat]@stable")["outcome"] == "fail"


def test_a_mistake_in_the_environment_is_said_at_once(project: Project) -> None:
    project.environment(more=CLUSTER + '[config.severity]\n"image/tags" = "minor"\n')
    result = project.run(*SUITES, "--seatrial-manifests=rendered")
    assert result.ret != 0
    assert "config.severity: there is no configuration check 'image/tags'" in result.stdout.str() + result.stderr.str()
    assert "Traceback" not in result.stdout.str()


OWN = '''
from seatrial.checks.rule import finding, rule

@rule("team/replicas-odd", severity="minor", per="workload")
def replicas_odd(workload, view):
    """Workloads have an odd number of replicas.

    Why: an even number finds no majority.

    Remedy: add or remove one.
    """
    if workload.replicas % 2 == 0:
        yield finding(workload, "spec.replicas", "an odd number", workload.replicas, view=view)

def pytest_seatrial_config_checks():
    return [replicas_odd]
'''


def test_a_check_of_ones_own_in_python(project: Project) -> None:
    project.pytester.makeconftest(OWN)
    project.run(*SUITES, "--seatrial-manifests=rendered", "-k", "team/replicas-odd")
    assert case(project, "team/replicas-odd[chat]@stable")["outcome"] == "fail"


def test_a_check_of_ones_own(project: Project) -> None:
    expression = """
[[config.expressions]]
id = "team/two-replicas"
kinds = ["Deployment"]
expression = "object.spec.replicas > 2"
message = "more than two replicas"
why = "the licence."
remedy = "scale up."
"""
    project.environment(more=CLUSTER + expression)
    project.run(*SUITES, "--seatrial-manifests=rendered", "-k", "team/two-replicas")
    assert case(project, "team/two-replicas[shop]")["outcome"] == "fail"
