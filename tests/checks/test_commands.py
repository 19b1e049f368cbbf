"""`seatrial role`, `seatrial snapshot` and `seatrial checks` as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from seatrial import cli
from seatrial.checks.catalogue import CONFIG, catalogue
from seatrial.snapshot import storage
from support.world import world

REPOSITORY = Path(__file__).parents[2]
SHOP = """
[services.chat]
url.stable = "https://chat.example"
workload = "deployment/chat"
namespace = "shop"
[cluster]
namespaces = ["shop"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "fixtures" / "environments"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_demo_reads_with_the_rights_that_are_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert cli.main(["role", "demo"]) == 0
    printed = list(yaml.safe_load_all(capsys.readouterr().out))
    shipped = list(yaml.safe_load_all((REPOSITORY / "fixtures/manifests/demo/access.yaml").read_text()))
    assert [item for item in shipped if item["kind"] != "ServiceAccount"] == printed, "run `seatrial role demo` anew"


def test_only_what_the_chosen_checks_read(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["role", "shop", "pdb/unhealthy-eviction", "--account", "ops/verifier"]) == 0
    role, binding = yaml.safe_load_all(capsys.readouterr().out)
    assert role["rules"] == [{"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["list"]}]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "namespace": "ops", "name": "verifier"}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere"),
        (["shop", "nothing/*"], "no check is called nothing/*"),
        (["shop", "--account", "me"], "expected NAMESPACE/NAME, seen 'me'"),
    ],
)
def test_role_used_wrongly(words: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["role", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_snapshot_is_saved_and_checked_later(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = world()
    spoilt.container["image"] = "registry.example/shop/chat:latest"
    storage.save(spoilt.snapshot(), project / "shop.snapshot")
    assert cli.main(["snapshot", "check", "shop.snapshot", "image/*", "probe/*", "--env", "shop"]) == 1
    out = capsys.readouterr().out
    assert "fail         image/tag  (major)" in out
    assert "Deployment shop/chat spec.template.spec.containers[0].image: expected a version" in out
    assert "-> name the version that was tested" in out
    assert cli.main(["snapshot", "check", "shop.snapshot", "image/tag", "--env", "shop", "--json"]) == 1
    (document,) = json.loads(capsys.readouterr().out)
    assert document["findings"][0]["name"] == "chat"
    assert cli.main(["snapshot", "check", "shop.snapshot", "probe/*", "--env", "shop"]) == 0


def test_what_a_snapshot_lacks_is_no_pass(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = world()
    spoilt.unread["Pod"] = "403 pods is forbidden"
    storage.save(spoilt.snapshot(), project / "shop.snapshot")
    assert cli.main(["snapshot", "check", "shop.snapshot", "workload/pod-state", "--env", "shop"]) == 3
    assert "Pod could not be read: 403 pods is forbidden" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b\x08\x00broken"])
def test_a_file_that_is_no_snapshot(content: bytes, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "x").write_bytes(content)
    assert cli.main(["snapshot", "check", "x", "--env", "shop"]) == 2
    assert "no whole snapshot" in capsys.readouterr().err


def test_a_snapshot_comes_back_the_same(tmp_path: Path) -> None:
    before = world().snapshot()
    storage.save(before, tmp_path / "x")
    after = storage.load(tmp_path / "x")
    assert after.objects == before.objects
    assert (after.taken, after.server, after.version, after.namespaces) == (
        before.taken,
        before.server,
        before.version,
        before.namespaces,
    )
    assert "c2VjcmV0" not in str(after)


def test_an_unreachable_cluster_is_not_saved(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "fixtures/environments/shop.toml").write_text(SHOP + 'kubeconfig = "nothing"\n')
    assert cli.main(["snapshot", "save", "x", "--env", "shop"]) == 3
    assert "not read: Pod: nothing: " in capsys.readouterr().err
    assert not (project / "x").exists()


def test_checks_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["checks", "--json"]) == 0
    documents = json.loads(capsys.readouterr().out)
    assert len(documents) == len(catalogue()) >= len(CONFIG) >= 90
    assert {"id", "suite", "severity", "why", "remedy", "needs"} <= set(documents[0])


def test_what_a_rollout_follows_is_watched(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = project / "fixtures" / "environments" / "shop.toml"
    content = environment.read_text()
    assert "[rollout]" not in content
    environment.write_text(
        f'{content}\n[rollout]\nstrategy = "rolling"\n\n'
        '[services.told]\nurl.stable = "http://127.0.0.1:1"\nworkload = "statefulset/told"\n'
        'shifter = { httproute = "told", candidate = "told-canary" }\n'
    )
    assert cli.main(["role", "shop"]) == 0
    role = next(item for item in yaml.safe_load_all(capsys.readouterr().out) if item["kind"] == "Role")
    watched = {name for rule in role["rules"] if "watch" in rule["verbs"] for name in rule["resources"]}
    assert {"httproutes", "statefulsets", "pods", "poddisruptionbudgets", "events"} <= watched
    assert cli.main(["role", "shop", "pdb/*"]) == 0
    assert "watch" not in capsys.readouterr().out
