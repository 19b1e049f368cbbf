"""Rendered manifests as a snapshot: folders, files, streams, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.snapshot.manifests import SOURCE, ManifestProblem, read
from seatrial.snapshot.objects import annotations_of, name_of, namespace_of
from seatrial.snapshot.snapshot import Unread

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n"


def config(name: str) -> str:
    return CONFIG.format(name=name)


def names(snapshot, kind: str = "ConfigMap") -> list[str]:
    return [name_of(item) for item in snapshot.of(kind)]


def test_a_folder_and_those_below_it(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.yaml").write_text(config("one") + "---\n" + config("two"))
    (tmp_path / "b" / "c.yml").write_bytes(b"\xef\xbb\xbf" + config("three").replace("\n", "\r\n").encode())
    (tmp_path / "d.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "four"}}')
    (tmp_path / "notes.txt").write_text("no manifest: [")
    (tmp_path / ".git" / "x.yaml").write_text("no manifest: [")
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    snapshot = read(str(tmp_path), namespace="shop")
    assert names(snapshot) == ["one", "two", "four", "three"]
    assert {namespace_of(item) for item in snapshot.of("ConfigMap")} == {"shop"}
    assert annotations_of(snapshot.of("ConfigMap")[1])[SOURCE] == f"{tmp_path / 'a.yaml'}:6"
    assert (snapshot.source, snapshot.complete, snapshot.namespaces) == ("manifests", False, ("shop",))


def test_one_file_and_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "all"
    path.write_text(config("one"))
    assert names(read(str(path), namespace="shop")) == ["one"]
    snapshot = read("-", namespace="shop", stdin=config("two"))
    assert names(snapshot) == ["two"]
    assert annotations_of(snapshot.of("ConfigMap")[0])[SOURCE] == "standard input:1"


def test_lists_are_taken_apart_and_own_namespaces_kept() -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: own}}\n"
        "- {apiVersion: v1, kind: Namespace, metadata: {name: own}}\n"
    )
    snapshot = read("-", namespace="shop", stdin=text)
    assert [namespace_of(item) for item in snapshot.of("ConfigMap")] == ["own"]
    assert namespace_of(snapshot.of("Namespace")[0]) == ""


def test_secrets_are_hidden() -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: hunter2}\ndata: {b: aHVudGVyMg==}\n"
    )
    snapshot = read("-", namespace="shop", stdin=text)
    (secret,) = snapshot.of("Secret")
    # The same value, once in plain text and once encoded.
    assert secret["data"]["password"] == secret["data"]["b"]
    assert secret["data"]["b"].startswith("hidden:")
    assert "hunter2" not in str(snapshot)
    assert "aHVudGVyMg" not in str(snapshot)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\n", "standard input:2: did not find expected ',' or ']'"),
        ("a: 1\n", "standard input:1: expected a Kubernetes object with apiVersion and kind"),
        ("- 1\n", "standard input:1: expected a Kubernetes object with apiVersion and kind"),
        ("apiVersion: v1\nkind: ConfigMap\n", "standard input:1: ConfigMap: expected metadata.name"),
        (config("ok") + "---\n{{ template }}\n", "standard input:6: "),
    ],
)
def test_what_cannot_be_read_leaves_nothing_vouched_for(text: str, problem: str) -> None:
    snapshot = read("-", namespace="shop", stdin=text)
    assert snapshot.problems[0].startswith(problem)
    with pytest.raises(Unread, match="a manifest could not be read: standard input"):
        snapshot.of("Deployment")


def test_an_object_that_is_there_twice(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(config("one"))
    (tmp_path / "b.yaml").write_text(config("one"))
    snapshot = read(str(tmp_path), namespace="shop")
    (problem,) = snapshot.problems
    assert problem == (
        f"{tmp_path / 'b.yaml'}:1: ConfigMap one stands already in {tmp_path / 'a.yaml'}:1; "
        "the last one counts when they are applied"
    )
    assert names(snapshot) == ["one"]


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n---\n"])
def test_nothing_is_no_evidence(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(ManifestProblem, match="expected Kubernetes manifests, seen none"):
        read(str(tmp_path), namespace="shop")


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestProblem, match="seen nothing there"):
        read(str(tmp_path / "gone"), namespace="shop")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    snapshot = read(str(tmp_path), namespace="shop")
    assert "codec can't decode" in snapshot.problems[0]
