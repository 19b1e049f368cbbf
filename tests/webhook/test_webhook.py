"""`seatrial webhook` over a real socket, asked as Flagger and Argo Rollouts ask."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.gate import collection, record
from seatrial.gate.decision import decide
from seatrial.webhook.decisions import Asked, answer
from support.gate import ask, policy, question
from support.reports import NOW, good

GOOD = good()
FLAGGER = {"name": "chatbot", "namespace": "chatbot-staging", "phase": "Progressing", "checksum": "85d557f47b"}
ABOUT = {"environment": "demo", "release": "1.5.0"}


def decided(reports: Path, name: str, spoil: str = "", *, at: dt.datetime | None = None, shadow: bool = False) -> Path:
    """A run that was decided as the gate does, now or ``at``."""
    moment = at or dt.datetime.now(dt.UTC)
    runs = GOOD.of_run(finished=(moment - dt.timedelta(minutes=5)).isoformat())
    folder = (runs.but("smoke/ready", spoil) if spoil else runs).write(reports / name)
    rules, asked = policy(), question(now=moment)
    decision = decide(collection.read([folder]), rules, asked)
    text = record.dumps(record.document(decision, rules, asked, shadow=shadow))
    (folder / "decision.json").write_text(text)
    return folder / "decision.json"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


@pytest.fixture
def url(reports: Path) -> Iterator[str]:
    words = [sys.executable, "-m", "seatrial.cli", "webhook", f"--reports={reports}", "--listen=127.0.0.1:0"]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "verification"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def post(url: str, gate: str, metadata: object, **more: object) -> tuple[int, dict[str, Any]]:
    return send(f"{url}/{gate}", json.dumps({**FLAGGER, "metadata": metadata, **more}).encode())


def send(url: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            content = error.read()
        return error.code, json.loads(content) if content.startswith(b"{") else {}


@pytest.mark.parametrize(
    ("spoil", "decision", "promotion", "rollback"),
    [("", "promote", 200, 403), ("error", "hold", 403, 403), ("fail", "rollback", 403, 200)],
)
def test_each_decision_opens_its_gate_alone(
    reports: Path, url: str, spoil: str, decision: str, promotion: int, rollback: int
) -> None:
    decided(reports, "run", spoil)
    status, said = post(url, "confirm-promotion", ABOUT)
    assert (status, said["decision"]) == (promotion, decision)
    assert said["reason"]
    assert said["source"] == "run/decision.json"
    assert post(url, "rollback", ABOUT)[0] == rollback
    # Argo's web metric reads the word; neither of its conditions holds for a hold, which pauses.
    assert send(f"{url}/decision?environment=demo&release=1.5.0")[1]["decision"] == decision


def test_no_decision_opens_nothing(reports: Path, url: str) -> None:
    assert send(f"{url}/healthz")[0] == 200
    for gate in ("confirm-promotion", "rollback"):
        assert post(url, gate, ABOUT)[0] == 403
    assert send(f"{url}/decision?environment=demo&release=1.5.0") == (
        200,
        {
            "decision": "none",
            "reason": "there is no decision about 1.5.0 in demo; 0 others are known",
            "decided": "",
            "source": "",
        },
    )
    # One that comes while it runs is seen.
    decided(reports, "run")
    assert post(url, "confirm-promotion", ABOUT)[0] == 200
    assert post(url, "confirm-promotion", {**ABOUT, "release": "1.5.1"})[0] == 403
    assert post(url, "confirm-promotion", {**ABOUT, "environment": "production"})[0] == 403


BODIES = (
    b"",
    b"{",
    b"\xff",
    b"[]",
    b"3",
    b"[" * 60_000,
    b'{"metadata": 3}',
    b'{"metadata": {}}',
    b'{"metadata": {"environment": "demo"}}',
    b'{"metadata": {"environment": "demo", "release": ""}}',
    b'{"metadata": {"environment": "demo", "release": 3}}',
    b'{"metadata": {"environment": ["demo"], "release": "1.5.0"}}',
)


def test_what_nobody_asks_is_refused(reports: Path, url: str) -> None:
    decided(reports, "run")
    for body in BODIES:
        for gate in ("confirm-promotion", "rollback"):
            status, said = send(f"{url}/{gate}", body)
            assert (status, said["decision"]) == (400, "none"), body
    # The others are served as before.
    assert post(url, "confirm-promotion", ABOUT)[0] == 200


def test_other_ways_in(reports: Path, url: str) -> None:
    decided(reports, "run")
    assert send(f"{url}/confirm-promotion")[0] == 405
    assert send(f"{url}/decision", b"{}")[0] == 405
    assert send(f"{url}/decision?environment=demo")[0] == 400
    assert send(f"{url}/nothing")[0] == 404
    assert send(f"{url}/confirm-promotion", b"x" * 100_000)[0] == 413
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as held:
        held.sendall(b"POST /rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        # One that does not finish its request keeps nobody else waiting.
        assert post(url, "confirm-promotion", ABOUT)[0] == 200


HOUR = dt.timedelta(hours=1)
ASKED = Asked(environment="demo", release="1.5.0")


def test_the_newest_counts(reports: Path) -> None:
    decided(reports, "a", at=NOW)
    decided(reports, "b", "error", at=NOW + dt.timedelta(minutes=1))
    now = NOW + dt.timedelta(minutes=2)
    assert answer(reports, ASKED, now=now, max_age=HOUR).decision == "hold"
    decided(reports, "c", "fail", at=NOW + dt.timedelta(minutes=1))
    assert answer(reports, ASKED, now=now, max_age=HOUR).decision == "rollback"
    decided(reports, "d", at=NOW + dt.timedelta(minutes=2))
    assert answer(reports, ASKED, now=now, max_age=HOUR).decision == "promote"


@pytest.mark.parametrize("spoil", ["", "fail"])
@pytest.mark.parametrize(
    ("minutes", "words"),
    [(61, "is 3660 s old, allowed are 3600 s"), (-6, "from the future")],
)
def test_one_that_is_not_fresh_is_none(reports: Path, spoil: str, minutes: int, words: str) -> None:
    decided(reports, "a", spoil, at=NOW)
    said = answer(reports, ASKED, now=NOW + dt.timedelta(minutes=minutes), max_age=HOUR)
    assert said.decision == "none"
    assert words in said.reason


@pytest.mark.parametrize("spoil", ["", "fail"])
def test_one_of_the_shadow_is_none(reports: Path, spoil: str) -> None:
    decided(reports, "a", spoil, at=NOW, shadow=True)
    assert answer(reports, ASKED, now=NOW, max_age=HOUR).decision == "none"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"schema": 99}',
    ],
)
def test_one_that_cannot_be_read_might_have_been_the_newest(reports: Path, content: str) -> None:
    decided(reports, "a", at=NOW)
    (reports / "b").mkdir()
    (reports / "b" / "decision.json").write_text(content)
    said = answer(reports, ASKED, now=NOW, max_age=HOUR)
    assert said.decision == "none"
    assert "b/decision.json" in said.reason


def test_one_that_contradicts_itself(reports: Path) -> None:
    path = decided(reports, "a", "error", at=NOW)
    path.write_text(path.read_text().replace('"decision":"hold"', '"decision":"promote"'))
    said = answer(reports, ASKED, now=NOW, max_age=HOUR)
    assert (said.decision, "contradict" in said.reason) == ("none", True)


def test_links_and_pipes_are_not_opened(reports: Path, tmp_path: Path) -> None:
    real = decided(tmp_path, "elsewhere", at=NOW)
    (reports / "latest").symlink_to(real.parent, target_is_directory=True)
    assert "no decision about" in answer(reports, ASKED, now=NOW, max_age=HOUR).reason
    (reports / "a").mkdir()
    (reports / "a" / "decision.json").symlink_to(real)
    assert "cannot be read" in answer(reports, ASKED, now=NOW, max_age=HOUR).reason
    (reports / "a" / "decision.json").unlink()
    os.mkfifo(reports / "a" / "decision.json")
    assert "no regular file" in answer(reports, ASKED, now=NOW, max_age=HOUR).reason
    assert "no folder" in answer(reports / "none", ASKED, now=NOW, max_age=HOUR).reason


def test_the_decision_of_the_gate_is_what_is_read(reports: Path) -> None:
    assert (
        ask(decided(reports, "a", at=NOW).parent).verdict.value
        == answer(reports, ASKED, now=NOW, max_age=HOUR).decision
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--reports=nowhere",), "--reports: nowhere is no folder"),
        (("--reports=.", "--listen=8080"), "expected HOST:PORT"),
        (("--reports=.", "--max-age=1 week"), "expected a duration"),
        ((), "the following arguments are required: --reports"),
    ],
)
def test_wrong_use(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "verification")}
    command = [sys.executable, "-m", "seatrial.cli", "webhook", *words]
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
