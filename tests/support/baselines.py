"""Runs that measured a service by itself, with the decision that the gate made over them."""

import datetime as dt
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seatrial import cli
from seatrial.evidence.run import timestamp
from support.reports import Reports, run, told

FINGERPRINT = {
    "profile": "a" * 64,
    "protocol": "openai",
    "model": "default",
    "path": "/v1/chat/completions",
    "region": "",
    "samples": "3",
}
BEGIN = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
ENVIRONMENT = """
[services.chat]
url.stable = "http://127.0.0.1:9"
objectives = {{ relative_margin = {margin} }}
latency = {{ profile = "baseline" }}
[load]
allowed = true
max_requests = 4000
max_rate = 100
{more}
"""
POLICY = 'environment = "qa"\nevidence = { release = "any" }\n[budgets]\ninconclusive = 1\n'


def project(folder: Path, *, margin: float = 0.25, more: str = "") -> Path:
    """A repository with an environment and its policy; ``more`` ends the environment's file."""
    for kind in ("environments", "policies"):
        (folder / "fixtures" / kind).mkdir(parents=True, exist_ok=True)
    (folder / "fixtures" / "environments" / "qa.toml").write_text(ENVIRONMENT.format(margin=margin, more=more))
    (folder / "fixtures" / "policies" / "qa.toml").write_text(POLICY)
    return folder


def measured(folder: Path, number: int, *, p50: float = 0.1, **changes: Any) -> Path:
    """The folder of the run of a day, in which ``chat`` answered in ``p50`` seconds."""
    identity = f"run-{number:03}"
    moment = BEGIN + dt.timedelta(days=number)
    regression = changes.pop("regression", "inconclusive")
    path = folder / identity
    Reports(
        cases=(
            told("latency/error-rate", changes.pop("errors", "pass"), track="stable", trigger="error-rate"),
            told("latency/regression", regression, track="stable", trigger="latency"),
        ),
        run=run(
            id=identity,
            environment="qa",
            track="stable",
            release_wanted=f"1.{number}.0",
            release_seen=(f"1.{number}.0",),
            started=timestamp(moment - dt.timedelta(minutes=5)),
            finished=timestamp(moment),
        ),
    ).only("junit", "evidence").write(path)
    samples = path / "samples" / "latency"
    samples.mkdir(parents=True)
    raw = f"samples of {identity}\n".encode()
    (samples / "chat.ndjson").write_bytes(raw)
    content = {
        "schema": 1,
        "run": identity,
        "environment": "qa",
        "service": "chat",
        "profile": "baseline",
        "fingerprint": FINGERPRINT,
        "subject": "stable",
        "control": "",
        "planned": 500,
        "sound": True,
        "problems": [],
        "samples": hashlib.sha256(raw).hexdigest(),
        "tracks": {
            "stable": {
                "requests": changes.pop("requests", 500),
                "failed": 0,
                "latency": {"p50": round(p50 * 1e6), "p95": round(2 * p50 * 1e6)},
            }
        },
        **changes,
    }
    (samples / "chat.summary.json").write_text(json.dumps(content))
    return path


def decide(path: Path) -> int:
    """Let the gate decide over a run, an hour after its end."""
    ended = json.loads((path / "evidence.json").read_text())["run"]["finished"]
    now = dt.datetime.fromisoformat(ended) + dt.timedelta(hours=1)
    return cli.main(["gate", str(path), "--env=qa", f"--now={now.isoformat()}"])


def promoted(folder: Path, number: int, **changes: Any) -> Path:
    """A run that the gate promoted."""
    path = measured(folder, number, **changes)
    assert decide(path) == 0
    return path


def after(days: int) -> str:
    """So many days after the first of the runs, as `--now` takes it."""
    return (BEGIN + dt.timedelta(days=days, hours=2)).isoformat()


@contextmanager
def serving(**settings: object) -> Iterator[str]:
    """Address of a chat server with these settings, in a process of its own."""
    server = Path(__file__).parents[1] / "load" / "server.py"
    process = subprocess.Popen(
        [sys.executable, str(server), json.dumps(settings)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.communicate()
