"""The latency suite where a service has no stable beside it: measured for real, judged by the runs before it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seatrial.baseline.judging import assess_alone
from seatrial.baseline.series import Series, StoredRun
from seatrial.baseline.store import Store
from seatrial.environment.model import Service, StoredBaselines
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.load.fingerprint import Fingerprint
from seatrial.load.measurement import Measurement
from seatrial.load.place import Folder
from seatrial.load.profile import parse_profile
from support.baselines import serving
from support.measured import measurement, samples
from support.project import REPOSITORY, Project

PROFILE = """
rate = 60
warm_up = "200ms"
duration = "3400ms"
prompts = ["when?"]
timeout = "2s"
bounds = { lateness_p99 = "500ms", achieved = 0.9, overhead_p50 = "200ms", overhead_p99 = "500ms" }
"""
MORE = """
objectives = { relative_margin = 0.5, error_rate = 0.05, latency_p95 = "1s" }
latency = { profile = "quick" }
[load]
allowed = true
max_rate = 100
max_requests = 1000
"""


def kept(folder: Path, count: int, p50: float = 0.024) -> Path:
    """Keep so many runs, the last of them yesterday; returns the file."""
    service = Service.model_validate({"url": {"stable": "http://127.0.0.1"}})
    fingerprint = Fingerprint.of(service, parse_profile(PROFILE, "quick.toml")).as_json()
    series = Series(environment="mine", service="chat", profile="quick", fingerprint=fingerprint)
    now = dt.datetime.now(dt.UTC)
    for number in range(count):
        odd = 1.02 if number % 2 else 0.98
        run = StoredRun(
            run=f"run-{number}",
            finished=(now - dt.timedelta(days=count - number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            release="1.0",
            requests=204,
            failed=0,
            levels={"p50": round(p50 * odd * 1e6), "p95": round(1.2 * p50 * odd * 1e6)},
            samples="0" * 64,
            decision="0" * 64,
        )
        series = series.add(run, now=now)
    place = folder / "fixtures" / "baselines"
    store = Store(place=Folder(place))
    store.change(series, lambda empty: empty)
    return place / store.name("mine", "chat", "quick", fingerprint)


def regression(project: Project) -> dict[str, Any]:
    project.run("--env=mine", "-m", "latency", "-k", "regression or error_rate")
    (case,) = [case for case in project.evidence()["outcomes"] if case["check"] == "latency/regression"]
    return case


def test_slower_than_the_runs_before_it_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "verification"))
    monkeypatch.setenv("CHAT_TOKEN", "s3cret-t0ken")
    (pytester.path / "load" / "profiles").mkdir(parents=True)
    (pytester.path / "load" / "profiles" / "quick.toml").write_text(PROFILE)
    pytester.makepyfile(test_mine="from seatrial.suites.latency.test_latency import *")
    kept(pytester.path, 12)
    with serving(spread=0.05, delay=0.15) as url:
        slow = Project(pytester=pytester, url=url)
        slow.environment(more=MORE)
        case = regression(slow)
    assert case["outcome"] == "fail", case
    assert "chat on stable: slower than the runs that were promoted before it: p" in case["message"]
    assert "the baseline is 12 latest runs, 1 to 12 days old" in case["message"]
    assert "within its objectives" in case["message"]
    assert float(case["seen"]) > float(case["limit"])
    assert case["n"] in ("10", "12")
    assert case["unit"].startswith("ms at p")
    summary = json.loads((slow.latest / "samples" / "latency" / "chat.summary.json").read_text())
    assert summary["tracks"]["stable"]["requests"] == 204


@pytest.fixture(scope="module")
def measured() -> Measurement:
    """One of about 20 ms, for all that follows."""
    taken = 0.02 * np.exp(0.1 * np.random.default_rng(1).standard_normal(204))
    made = measurement(None, samples("candidate", taken))
    return replace(made, profile=parse_profile(PROFILE, "quick.toml"))


OBJECTIVES = {"relative_margin": 0.5, "absolute_margin": "1ms"}
SAID = Assessment.passed("within the objective")


def judged(measurement: Measurement, folder: Path, **changes: Any) -> Assessment:
    service = Service.model_validate({"url": {"stable": "http://127.0.0.1"}, "objectives": OBJECTIVES, **changes})
    return assess_alone(
        measurement,
        SAID,
        service=service,
        profile="quick",
        region="",
        environment="mine",
        store=Store(place=Folder(folder / "fixtures" / "baselines")),
        rules=StoredBaselines(),
        run_id="run-now",
        now=dt.datetime.now(dt.UTC),
    )


def test_as_fast_as_the_runs_before_it_passes(measured: Measurement, tmp_path: Path) -> None:
    kept(tmp_path, 12, p50=0.05)
    found = judged(measured, tmp_path)
    assert found.outcome is Outcome.PASS, found
    assert "not slower by the margin than the runs promoted before it" in found.message
    assert found.message.endswith("; within its objectives")


def test_what_a_run_cannot_show_is_inconclusive(measured: Measurement, tmp_path: Path) -> None:
    kept(tmp_path, 12, p50=float(np.quantile(measured.of("candidate").latencies(2.0), 0.5)) / 1.45)
    found = judged(measured, tmp_path)
    assert found.outcome is Outcome.INCONCLUSIVE, found
    assert "run stable beside it" in found.remedy


def test_too_few_runs_leave_it_to_the_objectives(measured: Measurement, tmp_path: Path) -> None:
    kept(tmp_path, 9, p50=0.001)
    found = judged(measured, tmp_path)
    assert found.outcome is Outcome.PASS
    assert found.message.startswith("within the objective; the stored baseline does not decide yet: 9 latest runs")


def test_no_baseline_is_no_word(measured: Measurement, tmp_path: Path) -> None:
    assert judged(measured, tmp_path) == SAID


def test_an_unsound_measurement_is_not_compared(measured: Measurement, tmp_path: Path) -> None:
    kept(tmp_path, 12, p50=0.001)
    unsound = replace(measured, soundness=replace(measured.soundness, problems=("late",)))
    assert judged(unsound, tmp_path) == SAID


def test_a_damaged_store_is_an_error(measured: Measurement, tmp_path: Path) -> None:
    file = kept(tmp_path, 12)
    file.write_text(file.read_text().replace('"failed": 0', '"failed": 1', 1))
    found = judged(measured, tmp_path)
    assert found.outcome is Outcome.ERROR
    assert "the stored baseline cannot be relied on" in found.message
    assert "edited by hand" in found.message


def test_another_load_has_no_baseline(measured: Measurement, tmp_path: Path) -> None:
    kept(tmp_path, 12, p50=0.001)
    found = judged(measured, tmp_path, model="large")
    assert found.outcome is Outcome.PASS
    assert "the stored baseline is of another load (model 'default', now 'large')" in found.message
