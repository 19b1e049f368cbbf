"""A plan under Locust's own master and workers, as it is sent from several machines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seatrial.load.measurement import judge_soundness
from seatrial.load.plan import read_plan
from seatrial.load.samples import read_samples

REPOSITORY = Path(__file__).parents[2]


@contextmanager
def locust(plan: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", "load/locustfile.py", "--loglevel", "WARNING", *words],
        cwd=REPOSITORY,
        env={**os.environ, "SEATRIAL_LOAD_PLAN": str(plan)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def master(plan: Path, port: int, workers: int) -> Any:
    bound = ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
    users = ["--headless", "-u", str(workers), "-r", str(workers), "--expect-workers", str(workers)]
    return locust(plan, "--master", *bound, *users)


def worker(plan: Path, port: int) -> Any:
    return locust(plan, "--worker", "--master-host", "127.0.0.1", "--master-port", str(port))


@pytest.fixture
def planned(serve: Any, run: Any, pair_of: Any, tmp_path: Path) -> tuple[Any, Any, Path]:
    """Two servers, a measurement by two processes of our own, and the plan that it left."""
    servers = serve(seed=1), serve(seed=2)
    measurement = run(pair_of(*(server.url for server in servers)), rate=40, duration="2s", workers=2)
    (tmp_path / "samples" / "chatbot.ndjson").unlink()
    return servers, measurement, tmp_path / "samples" / "chatbot.plan.json"


@pytest.mark.long
@pytest.mark.ci
def test_a_master_and_two_workers_make_a_sound_measurement(planned: Any, unused_port: int) -> None:
    servers, measurement, plan = planned
    before = [server.seen()["requests"] for server in servers]
    # With another number of workers than the plan was made for nothing is sent.
    with master(plan, unused_port, 1) as lead, worker(plan, unused_port):
        output, _ = lead.communicate(timeout=60)
        assert lead.returncode == 2, output
    assert "expected 2 workers, as the plan has; seen 1: nothing is sent" in output
    assert [server.seen()["requests"] for server in servers] == before
    assert not measurement.path.exists()
    with master(plan, unused_port, 2) as lead, worker(plan, unused_port) as one, worker(plan, unused_port) as other:
        output, _ = lead.communicate(timeout=60)
        assert lead.returncode == 0, output
        assert [process.wait(timeout=20) for process in (one, other)] == [0, 0]
    assert [server.seen()["requests"] for server in servers] == [2 * count for count in before]
    file = read_samples(measurement.path, run_id="run-1", service="chatbot")
    assert file.footer.written == file.footer.scheduled == len(read_plan(plan).requests)
    sound = judge_soundness(file, measurement.profile, scheduled=file.footer.scheduled, tracks=["stable", "candidate"])
    assert sound.sound, sound
    assert sound.overhead_p50 > 0
    for track in ("stable", "candidate"):
        assert np.array_equal(np.sort(file.samples.of(track).pair), np.arange(100))
        assert not file.samples.of(track).errors()
    assert sorted(path.name for path in plan.parent.glob("*.ndjson")) == ["chatbot.ndjson"]
