"""`seatrial env` and `seatrial init`, secrets, permissions, and where a setting comes from."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.environment import command, init_command, loading
from seatrial.environment.locations import FixtureDirectory, fixture_directories
from seatrial.environment.model import Environment, SecretFromEnv, SecretFromFile
from seatrial.environment.permission import refuse_load, refuse_write
from seatrial.environment.precedence import choose
from seatrial.environment.secrets import SecretProblem, SecretStore
from seatrial.gate import policy

REPOSITORY = Path(__file__).parents[2]
HERE = """
description = "ours"
[run]
track = "candidate"
[services.chat]
url.stable = "https://a.example"
auth = { env = "CHAT_TOKEN" }
"""
Write = Callable[..., list[FixtureDirectory]]


def env(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def init(*words: str) -> int:
    parser = argparse.ArgumentParser()
    init_command.add_arguments(parser)
    return init_command.run(parser.parse_args(words))


@pytest.fixture
def project(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(here=HERE, wrong="[run]\ntrack = 'x'")
    monkeypatch.chdir(tmp_path)
    for name in ("SEATRIAL_TRACK", "SEATRIAL_PHASE", "SEATRIAL_RELEASE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_list(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert env("list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "demo         the embedded demo, with a candidate beside stable",
        "here         ours",
        "wrong        (not valid: see `seatrial env check wrong`)",
    ]


def test_check(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert env("check", "here") == 0
    assert capsys.readouterr().out.startswith("here: valid, 1 service, sha256 ")
    assert env("check") == 2
    out, err = capsys.readouterr()
    assert [line.split(":")[0] for line in out.splitlines()] == ["demo", "here"]
    assert err.endswith("wrong.toml:2: run.track: input should be 'stable' or 'candidate', seen 'x'\n")
    assert env("check", "hre") == 2
    assert "Did you mean here?" in capsys.readouterr().err


def test_show(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_TOKEN", "hunter2")
    monkeypatch.setenv("SEATRIAL_PHASE", "pre")
    assert env("show", "here") == 0
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "# track: candidate (file)",
        "# phase: pre (SEATRIAL_PHASE)",
        "# release: any (default)",
        'services.chat.url.stable = "https://a.example"',
        'services.chat.auth = { env = "CHAT_TOKEN" }',
        "data.allow_writes = false",
    ):
        assert line in lines
    assert "hunter2" not in "\n".join(lines)


def test_show_as_json(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_TOKEN", "hunter2")
    assert env("show", "here", "--json") == 0
    text = capsys.readouterr().out
    document = json.loads(text)
    assert "hunter2" not in text
    assert document["environment"]["services"]["chat"]["auth"] == {"env": "CHAT_TOKEN"}
    assert document["settled"]["track"] == {"value": "candidate", "origin": "file"}
    assert document["sha256"] == loading.load("here", fixture_directories(project)).sha256


@pytest.mark.parametrize("words", [("show",), ("show", "a", "b"), ("show", "wrong"), ("show", "none")])
def test_show_what_cannot_be_shown(project: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert env(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"command_line": "a", "environ": {"SEATRIAL_TRACK": "b"}, "file": "c", "default": "d"}, ("a", "command line")),
        ({"environ": {"SEATRIAL_TRACK": "b"}, "file": "c", "default": "d"}, ("b", "SEATRIAL_TRACK")),
        ({"environ": {}, "file": "c", "default": "d"}, ("c", "file")),
        ({"environ": {}, "default": "d"}, ("d", "default")),
        ({"environ": {}}, (None, "default")),
        ({"command_line": "", "environ": {"SEATRIAL_TRACK": ""}, "file": "", "default": "d"}, ("d", "default")),
        ({"environ": {"SEATRIAL_OTHER": "b"}, "file": "c"}, ("c", "file")),
    ],
)
def test_precedence(given: dict[str, object], expected: tuple[str | None, str]) -> None:
    choice = choose("track", **given)  # type: ignore[arg-type]
    assert (choice.value, choice.origin) == expected


def test_names_of_variables() -> None:
    assert choose("two-words", environ={"SEATRIAL_TWO_WORDS": "x"}).value == "x"


def test_secrets(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from file\r\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff")
    store = SecretStore({"TOKEN": "from variable", "EMPTY": ""})
    assert store.values() == frozenset()
    assert store.resolve(SecretFromEnv(env="TOKEN"), "a") == "from variable"
    assert store.resolve(SecretFromFile(file=str(tmp_path / "token")), "a") == "from file"
    store.remember("elsewhere")
    assert store.values() == {"from variable", "from file", "elsewhere"}
    wrong = {
        "a: expected a secret in the variable NONE, which is not set": SecretFromEnv(env="NONE"),
        "a: expected a secret in the variable EMPTY, which is not set": SecretFromEnv(env="EMPTY"),
        f"a: expected a secret in the file {tmp_path}/none: No such file or directory": SecretFromFile(
            file=f"{tmp_path}/none"
        ),
        f"a: expected a secret in the file {tmp_path}/empty, which is empty": SecretFromFile(file=f"{tmp_path}/empty"),
        f"a: expected a secret in the file {tmp_path}/binary: not text": SecretFromFile(file=f"{tmp_path}/binary"),
    }
    for words, reference in wrong.items():
        with pytest.raises(SecretProblem) as caught:
            store.resolve(reference, "a")
        assert str(caught.value) == words
    assert len(store.values()) == 3


def test_permissions() -> None:
    closed = Environment(name="here")
    opened = Environment.model_validate({"name": "here", "data": {"allow_writes": True}, "load": {"allowed": True}})
    assert refuse_write(closed) == "writes are not allowed in here: data.allow_writes is false"
    assert refuse_load(closed) == "load is not allowed in here: load.allowed is false"
    assert refuse_write(opened) is None
    assert refuse_load(opened) is None


FLAGS = (
    "--url=https://a.example/",
    "--candidate-url=https://b.example",
    "--namespace=chat",
    "--workload=deployment/chat",
    "--context=ours",
    "--token-env=CHAT_TOKEN",
    "--yes",
)


def test_init_round_trip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("shop", *FLAGS, f"--directory={tmp_path}") == 0
    assert "next:  seatrial env check shop" in capsys.readouterr().out
    loaded = loading.load("shop", fixture_directories(tmp_path)).environment
    chat = loaded.services["chat"]
    assert (chat.url.stable, chat.url.candidate) == ("https://a.example", "https://b.example")
    assert (loaded.run.track, loaded.run.phase) == ("candidate", "canary")
    assert (chat.namespace, chat.workload, chat.auth) == ("chat", "deployment/chat", SecretFromEnv(env="CHAT_TOKEN"))
    assert loaded.cluster is not None
    assert (loaded.cluster.context, loaded.cluster.namespaces) == ("ours", ("chat",))
    assert not loaded.data.allow_writes
    assert not loaded.load.allowed
    made = policy.load(tmp_path / "fixtures/policies/shop.toml", [REPOSITORY / "fixtures" / "policies"])
    assert made.environment == "shop"
    compile((tmp_path / "verification/test_smoke.py").read_text(), "test_smoke.py", "exec")


def test_init_with_little(tmp_path: Path) -> None:
    assert init("shop", "--url=http://a", "--yes", f"--directory={tmp_path}") == 0
    loaded = loading.load("shop", fixture_directories(tmp_path)).environment
    assert loaded.cluster is None
    assert (loaded.run.track, loaded.services["chat"].auth) == ("stable", None)


def test_init_words_are_data(tmp_path: Path) -> None:
    odd = 'a"]\n[data]\nallow_writes = true #'
    assert init("shop", "--url=http://a", f"--namespace={odd}", "--yes", f"--directory={tmp_path}") == 0
    loaded = loading.load("shop", fixture_directories(tmp_path)).environment
    assert loaded.services["chat"].namespace == odd
    assert not loaded.data.allow_writes


def test_init_replaces_nothing_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "verification" / "test_smoke.py"
    taken.parent.mkdir()
    taken.write_text("ours")
    assert init("shop", *FLAGS, f"--directory={tmp_path}") == 2
    assert capsys.readouterr().err == "seatrial init: verification/test_smoke.py exists; --force replaces it\n"
    assert taken.read_text() == "ours"
    assert not (tmp_path / "fixtures").exists()
    assert init("shop", *FLAGS, "--force", f"--directory={tmp_path}") == 0
    assert taken.read_text() != "ours"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "NAME is missing"),
        (("shop",), "--url is missing"),
        (("shop", "--url=a"), "--url: expected http:// or https://, seen 'a'"),
        (("shop", "--url=http://a", "--candidate-url=b"), "--candidate-url: expected http:// or https://, seen 'b'"),
        (("shop", "--url=http://a", "--workload=chat"), "--workload: expected kind/name"),
        (("base", "--url=http://a"), "NAME: expected letters, digits, dots and dashes, and not base; seen 'base'"),
        (("../shop", "--url=http://a"), "NAME: expected letters"),
    ],
)
def test_init_wrong_use(
    tmp_path: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(*words, "--yes", f"--directory={tmp_path}") == 2
    assert f"seatrial init: {message}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_init_where_nothing_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fixtures").write_text("in the way")
    assert init("shop", *FLAGS, f"--directory={tmp_path}") == 2
    assert "cannot be written" in capsys.readouterr().err
