"""`seatrial watch`: rounds on a schedule, metrics that a Prometheus can read, and an end that leaves nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from seatrial.cli import main
from support.chat import Chat, Handler, completion, says

GREETING = 'title = "greets"\ntags = ["monitoring"]\n[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\n'


@pytest.fixture
def project(chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    environments = tmp_path / "fixtures" / "environments"
    environments.mkdir(parents=True)
    text = f'[services.chat]\nurl.stable = "{chat.url}"\n[regions.eu.services.chat]\nstable = "{chat.url}"\n'
    (environments / "prod.toml").write_text(text)
    scripts = tmp_path / "synthetic" / "conversations"
    scripts.mkdir(parents=True)
    (scripts / "greeting.toml").write_text(GREETING)
    (scripts / "other.toml").write_text(GREETING.replace("monitoring", "release"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Watching:
    """The command in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        words = [sys.executable, "-m", "seatrial.cli", "watch", "--env=prod", "--port=0", *arguments]
        path = os.pathsep.join([str(Path(__file__).parents[2] / "verification"), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
        )
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline()
        found = re.search(r"http://\S+", self.first)
        assert found is not None, self.first
        self.url = found[0]

    def samples(self) -> dict[tuple[str, str, str, str], float]:
        with urllib.request.urlopen(self.url, timeout=5) as answer:
            text = answer.read().decode()
        return {
            (
                sample.name,
                sample.labels.get("conversation", ""),
                sample.labels.get("region", ""),
                sample.labels.get("outcome", ""),
            ): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def asked_for(chat: Chat, count: int, seen: Any) -> None:
    """Wait until the service was asked so often."""
    while len(chat.requests) < count:
        assert seen.wait(20), "the service was not asked"
        seen.clear()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_rounds_metrics_and_the_end(number: signal.Signals, project: Path, chat: Chat) -> None:
    import threading

    seen, answers = threading.Event(), iter([True, True, False, False])

    def answer(handler: Handler, body: Any) -> None:
        text = "I can help." if next(answers, False) else "No."
        handler.reply(200, json.dumps(completion(text)).encode())
        seen.set()

    chat.answer = answer
    watching = Watching("--tag=monitoring", "--every=0.2s")
    assert watching.first.startswith("2 conversations with prod each 0.2 s; metrics on http://127.0.0.1:")
    # The seventh comes in the fourth round: by then the third is counted.
    asked_for(chat, 7, seen)
    samples = watching.samples()
    for region in ("", "eu"):
        assert samples["seatrial_conversation_outcome", "greeting", region, "fail"] == 1
        assert samples["seatrial_conversation_outcome", "greeting", region, "pass"] == 0
        assert samples["seatrial_conversation_runs_total", "greeting", region, "pass"] == 1
        assert samples["seatrial_conversation_runs_total", "greeting", region, "fail"] >= 2
        assert samples["seatrial_turn_latency_seconds_count", "greeting", region, ""] >= 3
        assert samples["seatrial_conversation_last_run_timestamp_seconds", "greeting", region, ""] > 1.7e9
    assert samples["seatrial_watch_cycles_total", "", "", ""] >= 3
    assert not any(conversation == "other" for _, conversation, _, _ in samples)
    assert watching.end(number) == 0


def test_so_many_rounds(project: Path, chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    chat.answer = says("I can help.")
    watching = Watching("--every=0.1s", "--cycles=2")
    assert watching.process.wait(20) == 0
    assert watching.process.stdout is not None
    watching.process.stdout.close()
    assert len(chat.requests) == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env=nowhere"], "nowhere"),
        (["--env=prod", "--tag=nothing"], "no conversation with the tag nothing is for prod"),
        (["--env=prod", "--track=candidate"], "is for prod on candidate"),
        (["--env=prod", "nothing"], "nothing: cannot be read"),
    ],
)
def test_wrong_use(words: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_broken_script_is_not_watched(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "synthetic/conversations/broken.toml").write_text("titel = 1\n")
    assert main(["watch", "--env=prod"]) == 2
    assert "did you mean title?" in capsys.readouterr().err
