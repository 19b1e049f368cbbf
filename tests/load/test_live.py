"""A measurement while it is being taken: what is reported, and when it ends early."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seatrial.environment.model import LoadLimits, Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.fixtures.progress import Teller
from seatrial.load.assess import assess_errors, assess_latency
from seatrial.load.live import Live, PairedLooks, Progress, at_the_end, error_rule, sequential_rule
from seatrial.load.measurement import Measurement, Soundness, measure
from seatrial.load.profile import Profile
from seatrial.load.samples import Sample, SampleWriter, read_samples

OBJECTIVES = Objectives()
LIMITS = LoadLimits.model_validate({"allowed": True, "max_rate": 1000, "max_duration": "60s", "max_requests": 10_000})


def looks(objectives: Objectives = OBJECTIVES) -> PairedLooks:
    return PairedLooks(
        latency_rule=sequential_rule(objectives, confidence=0.99, timeout=2.0),
        failure_rule=error_rule(objectives, confidence=0.99),
    )


def test_looks_before_the_end_and_the_end_together_keep_the_promise() -> None:
    looked = 1 - sequential_rule(OBJECTIVES, confidence=0.99, timeout=2.0).confidence
    assert looked + (1 - at_the_end(0.99)) == pytest.approx(0.01)


def test_a_bad_candidate_ends_the_measurement_early(serve: Any, pair_of: Any, profile: Any, tmp_path: Path) -> None:
    told: list[Progress] = []
    pair = pair_of(serve(seed=1).url, serve(seed=2, delay=0.2).url)
    asked = profile(rate=50, warm_up="2s", duration="40s")
    measurement = measure(pair, asked, run_id="r", directory=tmp_path, limits=LIMITS, report=told.append)
    footer = read_samples(measurement.path, run_id="r", service="chatbot").footer
    assert footer.stopped
    assert footer.scheduled == footer.written < asked.requests(2)
    assert measurement.soundness.sound, measurement.soundness
    latency = assess_latency(measurement, OBJECTIVES)
    assert latency.outcome is Outcome.FAIL
    assert latency.message.startswith("chatbot on candidate: slower than stable by more than is tolerated after ")
    assert assess_errors(measurement, OBJECTIVES).outcome is not Outcome.FAIL
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert told[-1].latency is not None
    assert told[-1].latency.verdict is Outcome.FAIL


class File:
    """A file of samples that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream = path.open("w")
        self.writer = SampleWriter(self.stream, run_id="r", service="chat")

    def pair(self, number: int, *, control: float = 0.1, candidate: float = 0.1, **more: Any) -> None:
        for track, latency in (("stable", control), ("candidate", candidate)):
            due = number / 10
            self.writer.add(
                Sample(
                    track=track,  # type: ignore[arg-type]
                    pair=number,
                    warm_up=False,
                    prompt=0,
                    due=due,
                    sent=due,
                    end=due + latency,
                    **more,
                )
            )
        self.writer.flush()


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[File]:
    file = File(tmp_path / "chat.ndjson")
    yield file
    file.stream.close()


def follower(path: Path, told: Callable[[Progress], None] | None = None, objectives: Objectives = OBJECTIVES) -> Live:
    return Live(
        [path],
        service="chat",
        scheduled=1000,
        subject="candidate",
        control="stable",
        timeout=2.0,
        looks=looks(objectives),
        report=told,
    )


def test_nothing_is_said_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    told: list[Progress] = []
    assert follower(tmp_path / "none", told.append).follow() is False
    assert told == []


def test_a_line_that_is_still_being_written_waits(growing: File) -> None:
    live = follower(growing.path)
    growing.pair(0)
    line = json.dumps({"kind": "sample", "track": "stable", "pair": 1, "warm_up": False, "due": 0.1, "sent": None})
    growing.stream.write(line[:20])
    growing.stream.flush()
    live.follow()
    assert live.progress().done == 2
    growing.stream.write(line[20:] + "\n")
    growing.stream.flush()
    live.follow()
    assert live.progress().done == 3


def test_a_good_one_ends_early_where_both_are_shown(growing: File) -> None:
    """Latency and failures: one of them alone ends nothing."""
    generator = np.random.default_rng(1)

    def took() -> float:
        return 0.1 * float(np.exp(0.2 * generator.standard_normal()))

    lenient = {"relative_margin": 5.0, "error_rate": 0.3}
    live = follower(growing.path, objectives=Objectives.model_validate(lenient))
    # What 0.1 % of failures would need is not there yet, whatever the latencies show.
    strict = follower(growing.path, objectives=Objectives.model_validate({**lenient, "error_rate": 0.001}))
    for number in range(1000):
        growing.pair(number, control=took(), candidate=took())
        if number % 50 == 49 and live.follow():
            break
    progress = live.progress()
    assert progress.latency is not None
    assert progress.latency.verdict is Outcome.PASS
    assert progress.done < 1000
    assert not strict.follow()


def test_the_line_for_people(growing: File) -> None:
    generator = np.random.default_rng(1)
    for number in range(300):
        growing.pair(number, control=0.1 * float(np.exp(0.2 * generator.standard_normal())), candidate=0.11)
    growing.pair(300, candidate=0.3, error="http-503")
    live = follower(growing.path)
    live.follow()
    text = str(live.progress())
    assert text.startswith("chat: 602 of 1000 requests, 2 failed, p95 stable ")
    assert "candidate 110.0 ms; evidence slower " in text
    assert text.endswith(" of 500")


def test_people_are_told_now_and_then(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from seatrial.fixtures.progress import Teller

        def test_long(pytestconfig):
            clock = iter([0.0, 4.0, 6.0, 6.0, 7.0])
            tell = Teller(pytestconfig, lambda: next(clock))
            for word in ("early", "in time", "soon after"):
                tell(word)
        """
    )
    result = pytester.runpytest("-p", "no:locust", "-p", "no:seatrial.plugin")
    result.assert_outcomes(passed=1)
    assert "  in time" in result.stdout.str()
    assert "early" not in result.stdout.str()
    assert "soon after" not in result.stdout.str()


def test_on_a_terminal_one_line_is_renewed_and_fits(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    pytester.makepyfile(
        """
        from seatrial.fixtures.progress import Teller

        def test_long(pytestconfig):
            clock = iter(range(100))
            pytestconfig.pluginmanager.getplugin("terminalreporter").isatty = True
            tell = Teller(pytestconfig, lambda: next(clock))
            for word in ("long" * 20, "short"):
                tell(word)
            tell.close()
        """
    )
    result = pytester.runpytest("-p", "no:locust", "-p", "no:seatrial.plugin")
    result.assert_outcomes(passed=1)
    lines = result.stdout.str().replace("\n", "\r").split("\r")
    assert [line.rstrip() for line in lines if line.startswith("  ")] == [
        "  longlonglonglonglonglonglonglonglo…",
        "  short",
    ]


def test_workers_tell_nobody(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytestconfig.option, "verbose", -1)
    assert Teller(pytestconfig)("anything") is None


def test_what_was_not_decided_says_what_the_budget_can_see(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    ones = []
    for pair in range(500):
        for track in ("stable", "candidate"):
            due, took = pair / 50, 0.1 * float(np.exp(0.5 * generator.standard_normal()))
            ones.append(
                Sample(
                    track=track,  # type: ignore[arg-type]
                    pair=pair,
                    warm_up=False,
                    prompt=0,
                    due=due,
                    sent=due,
                    end=due + took,
                    status=200,
                )
            )
    path = tmp_path / "chat.ndjson"
    with path.open("w") as stream:
        writer = SampleWriter(stream, run_id="r", service="chat")
        for one in ones:
            writer.add(one)
        writer.finish(scheduled=len(ones), wall=10.0, cpu=0.1)
    profile = Profile.model_validate({"rate": 50, "duration": "10s", "prompts": ["when?"], "timeout": "5s"})
    measurement = Measurement(
        service="chat",
        subject="candidate",
        control="stable",
        profile=profile,
        path=path,
        samples=read_samples(path, run_id="r", service="chat").samples,
        soundness=Soundness(),
    )
    assessment = assess_latency(measurement, OBJECTIVES)
    assert assessment.outcome is Outcome.INCONCLUSIVE
    assert "with the spread of 500 pairs measured lately it takes " in assessment.message
    assert "; the budget of 500 sees +" in assessment.message
