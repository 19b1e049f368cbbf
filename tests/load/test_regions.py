"""A service that has addresses in regions: each is measured and judged by itself, and told by name."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest

from seatrial.environment.model import Environment
from seatrial.fixtures.targets import copy_pairs
from seatrial.load.profile import Profile
from support.baselines import serving
from support.project import REPOSITORY, Project

PROFILE = """
rate = 60
warm_up = "500ms"
duration = "4s"
prompts = ["when?"]
timeout = "2s"
bounds = { lateness_p99 = "500ms", achieved = 0.9, overhead_p50 = "200ms", overhead_p99 = "500ms" }
"""
ENVIRONMENT = """
url.candidate = "{candidate}"
objectives = {{ relative_margin = 2.0, error_rate = 0.05 }}
latency = {{ profile = "quick" }}
[regions.eu.services.chat]
stable = "{stable}"
candidate = "{slow}"
[regions.us.services.other]
stable = "{stable}"
[services.other]
url.stable = "{stable}"
[load]
allowed = true
max_rate = 200
max_requests = 1000
"""


@pytest.mark.long
@pytest.mark.ci
def test_one_slow_region_fails_by_its_name(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "verification"))
    monkeypatch.setenv("CHAT_TOKEN", "s3cret-t0ken")
    (pytester.path / "load" / "profiles").mkdir(parents=True)
    (pytester.path / "load" / "profiles" / "quick.toml").write_text(PROFILE)
    pytester.makepyfile(test_mine="from seatrial.suites.latency.test_latency import *")
    with ExitStack() as stack:
        stable, candidate, slow = (
            stack.enter_context(serving(seed=seed, delay=delay)) for seed, delay in enumerate((0.02, 0.02, 0.2))
        )
        project = Project(pytester=pytester, url=stable)
        project.environment(more=ENVIRONMENT.format(stable=stable, candidate=candidate, slow=slow))
        project.run("--env=mine", "--track=candidate", "-m", "latency", "-k", "chat and regression")
    outcomes: dict[str, Any] = {
        case["object"]: case
        for case in project.evidence()["outcomes"]
        if case["check"] == "latency/regression" and case["outcome"]
    }
    assert set(outcomes) == {"chat", "chat/eu"}
    assert outcomes["chat"]["outcome"] == "pass", outcomes["chat"]
    assert outcomes["chat/eu"]["outcome"] == "fail", outcomes["chat/eu"]
    assert outcomes["chat/eu"]["message"].startswith("chat/eu on candidate: slower than stable")
    folder = project.latest / "samples" / "latency"
    told = {path.name: json.loads(path.read_text()) for path in folder.glob("*.summary.json")}
    assert {name: (one["service"], one["region"]) for name, one in told.items()} == {
        "chat.summary.json": ("chat", ""),
        "chat@eu.summary.json": ("chat", "eu"),
    }
    assert told["chat@eu.summary.json"]["fingerprint"]["region"] == "eu"
    header = json.loads((folder / "chat@eu.ndjson").read_text().splitlines()[0])
    assert (header["service"], header["region"]) == ("chat", "eu")
    assert {f"chat@eu.{name}.svg" for name in ("comparison", "timeline")} <= {path.name for path in folder.iterdir()}


def test_the_copies_of_a_service_share_the_allowance_for_being_wrong() -> None:
    address = {"stable": "http://127.0.0.1:1", "candidate": "http://127.0.0.1:2"}
    environment = Environment.model_validate(
        {
            "name": "mine",
            "services": {"chat": {"url": address}, "other": {"url": address}},
            "regions": {name: {"services": {"chat": address}} for name in ("eu", "us")},
        }
    )
    pairs = copy_pairs(environment, "candidate")
    assert [(pair.label, pair.copies) for pair in pairs] == [("chat", 3), ("other", 1), ("chat/eu", 3), ("chat/us", 3)]
    assert all(pair.control is not None and pair.control.region == pair.subject.region for pair in pairs)
    profile = Profile.model_validate({"rate": 1, "duration": "9s", "prompts": ["when?"], "confidence": 0.97})
    assert [profile.one_of(pair.copies).confidence for pair in pairs] == pytest.approx([0.99, 0.97, 0.99, 0.99])
