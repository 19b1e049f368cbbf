"""``seatrial conversation check`` and ``run``, as somebody at a shell uses them."""

from pathlib import Path

import pytest

from seatrial.cli import main
from support.chat import Chat, says

GREETING = 'title = "greets"\n[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\n'


def write(folder: Path, name: str, text: str = GREETING) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def test_check_says_that_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "b")
    write(tmp_path, "a")
    assert main(["conversation", "check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "2 scripts in order: a, b\n"


def test_check_prints_every_mistake_of_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, twin = write(tmp_path, "bad", "titel = 1\n"), write(tmp_path, "twin", f"id = 'good'\n{GREETING}")
    good = write(tmp_path, "good")
    assert main(["conversation", "check", str(tmp_path)]) == 2
    assert capsys.readouterr().out.splitlines() == [
        f"{bad}:1: title: expected this key, seen nothing",
        f"{bad}:1: turn: expected this key, seen nothing",
        f"{bad}:1: titel: unknown key; did you mean title?",
        f"{twin}: id: expected an id of its own, seen 'good', which {good} has already",
        "2 of 3 scripts cannot be used",
    ]


def test_check_of_an_empty_folder_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conversation", "check", str(tmp_path)]) == 2
    assert "seen none" in capsys.readouterr().err


def test_run_prints_the_transcript(tmp_path: Path, chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "greeting")
    assert main(["conversation", "run", str(path), "--url", chat.url]) == 0
    assert "bot  Hello, how can I help you?" in capsys.readouterr().out
    chat.answer = says("Go away.")
    assert main(["conversation", "run", str(path), "--url", chat.url]) == 20
    assert "fail: turn 1 of 1" in capsys.readouterr().out
    chat.answer = lambda handler, _: handler.reply(403, b"")
    assert main(["conversation", "run", str(path), "--url", chat.url]) == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--url", "ftp://x"], "--url: expected http:// or https://"),
        (["--url", "http://x", "--track", "candidate"], "--track needs --env"),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "greeting")
    assert main(["conversation", "run", str(path), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_run_of_a_broken_script_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conversation", "run", str(write(tmp_path, "x", "a = 1")), "--url", "http://x"]) == 2
    assert "cannot be used" in capsys.readouterr().err


@pytest.fixture
def environments(tmp_path: Path, chat: Chat) -> Path:
    folder = tmp_path / "fixtures" / "environments"
    folder.mkdir(parents=True)
    service = f'url.stable = "http://127.0.0.1:1"\nurl.candidate = "{chat.url}"\nauth = {{ env = "CHAT_TOKEN" }}\n'
    (folder / "mine.toml").write_text(f"[services.chat]\n{service}")
    (folder / "own.toml").write_text(f'[target]\nstart = "demo"\n[services.chat]\n{service}')
    return folder.parent


def test_run_in_an_environment(
    tmp_path: Path, environments: Path, chat: Chat, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(write(tmp_path, "greeting"))
    there = ["--seatrial-fixtures", str(environments), "--track", "candidate"]
    monkeypatch.delenv("CHAT_TOKEN", raising=False)
    assert main(["conversation", "run", path, "--env", "mine", *there]) == 2
    assert "CHAT_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("CHAT_TOKEN", "s3cret")
    assert main(["conversation", "run", path, "--env", "mine", *there]) == 0
    assert chat.requests[0][0]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in capsys.readouterr().out
    assert main(["conversation", "run", path, "--env", "nowhere", *there]) == 2
    assert "mine" in capsys.readouterr().err
    assert main(["conversation", "run", path, "--env", "own", *there]) == 2
    assert "with --url" in capsys.readouterr().err
    writing = str(write(tmp_path, "order", f"writes = true\n{GREETING}"))
    assert main(["conversation", "run", writing, "--env", "mine", *there]) == 2
    assert "data.allow_writes" in capsys.readouterr().err
