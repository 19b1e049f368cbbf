"""``seatrial conversation check`` and ``run``, as somebody at a shell uses them."""

import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.cli import main
from seatrial.conversation.journal import Debt, Journal
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


class TestSweep:
    STEPS = ({"method": "POST", "path": "/orders/${number}/delete", "body": {}, "status": [200]},)

    def project(self, chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, allowed: str = "true") -> Path:
        folder = tmp_path / "fixtures" / "environments"
        folder.mkdir(parents=True)
        text = f'[services.chat]\nurl.stable = "{chat.url}"\n[data]\nallow_writes = {allowed}\n'
        (folder / "qa.toml").write_text(text)
        run = tmp_path / "reports" / "run-1"
        run.mkdir(parents=True)
        for session, values in (("made", {"number": "A-7"}), ("never made", {})):
            debt = Debt(
                session=session, environment="qa", service="chat", track="stable", steps=self.STEPS, values=values
            )
            Journal(run).owe(debt)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    @pytest.mark.parametrize(
        ("status", "code", "words"),
        [
            (200, 0, "made of run run-1: nothing is left"),
            (404, 0, "made of run run-1: nothing is left"),
            (
                500,
                10,
                "made of run run-1: cleanup 1, POST /orders/${number}/delete: expected HTTP 200 or 404 or 410, seen HTTP 500",
            ),
        ],
    )
    def test_what_an_interrupted_run_left(
        self,
        status: int,
        code: int,
        words: str,
        chat: Chat,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.project(chat, tmp_path, monkeypatch)
        paths: list[str] = []

        def answer(handler: Any, _: Any) -> None:
            paths.append(handler.path)
            handler.reply(status, b"{}")

        chat.answer = answer
        assert main(["conversation", "sweep", "--env", "qa"]) == code
        assert words in capsys.readouterr().out
        assert paths == ["/orders/A-7/delete"]
        if code == 0:
            assert main(["conversation", "sweep", "--env", "qa"]) == 0
            assert "has left anything behind" in capsys.readouterr().out

    def test_where_nothing_may_be_written(
        self, chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.project(chat, tmp_path, monkeypatch, allowed="false")
        assert main(["conversation", "sweep", "--env", "qa"]) == 2
        assert "does not allow writes" in capsys.readouterr().err

    def test_a_run_that_may_still_be_going_on_is_left_alone(
        self, chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project = self.project(chat, tmp_path, monkeypatch)
        (project / "reports" / "run-1" / "evidence.json").write_text(json.dumps({"state": "running"}))
        assert main(["conversation", "sweep", "--env", "qa"]) == 10
        assert "may still be going on" in capsys.readouterr().out
        assert not chat.requests
        assert main(["conversation", "sweep", "--env", "qa", "--even-running"]) == 0
