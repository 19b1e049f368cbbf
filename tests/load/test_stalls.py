"""Moments in which nobody was answered, and the histograms that a measurement leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from load.test_samples import sample, write
from seatrial.evidence.outcome import Outcome
from seatrial.load.assess import assess_first_token
from seatrial.load.histograms import write_histograms
from seatrial.load.samples import Samples, read_samples
from seatrial.load.stalls import find_stalls, told


def samples(tmp_path: Path, *ones: Any) -> Samples:
    return read_samples(write(tmp_path / "chatbot.ndjson", ones), run_id="run-1", service="chatbot").samples


def frozen(begin: float, end: float, *, sent_late: bool = False, count: int = 200) -> list[Any]:
    """50 requests a second, of which those due between ``begin`` and ``end`` are answered at ``end``."""
    ones = []
    for pair in range(count):
        due = pair / 50
        answered = end + 0.001 * (pair % 5) if begin <= due < end else due + 0.02
        late = end - due if sent_late and begin <= due < end else 0.0
        ones.append(sample(pair, late=late, end=answered))
    return ones


def test_a_track_that_stood_still(tmp_path: Path) -> None:
    (stall,) = find_stalls(samples(tmp_path, *frozen(1.0, 1.8)), "stable")
    assert stall.start == pytest.approx(1.0, abs=0.05)
    assert stall.length == pytest.approx(0.8, abs=0.05)
    assert stall.waiting > 15
    assert not stall.ours
    assert told((stall,), 4.0).startswith("stable stood still for 0.")
    assert told((stall,), 4.0).endswith("(20% of the time)")


def test_a_sender_that_stood_still_blames_itself(tmp_path: Path) -> None:
    (stall,) = find_stalls(samples(tmp_path, *frozen(1.0, 1.8, sent_late=True)), "stable")
    assert stall.ours
    assert str(stall).startswith("our own process stood still")


def test_several_are_told_by_the_longest(tmp_path: Path) -> None:
    both = frozen(1.0, 1.5)[:100] + frozen(2.5, 3.5)[100:]
    stalls = find_stalls(samples(tmp_path, *both), "stable")
    assert len(stalls) == 2
    assert told(stalls, 4.0).startswith("2 stalls, 3")
    assert "the longest: stable stood still for 1.0" in told(stalls, 4.0)


@pytest.mark.parametrize(
    "ones",
    [
        [],
        [sample(0)],
        [sample(pair) for pair in range(100)],
        # One slow request is no stall.
        [sample(pair, end=pair / 50 + (1.0 if pair == 50 else 0.02)) for pair in range(100)],
        # Five requests a second pause by themselves.
        [sample(pair * 10) for pair in range(40)],
    ],
    ids=["nothing", "one", "steady", "one slow", "few"],
)
def test_what_is_no_stall(tmp_path: Path, ones: list[Any]) -> None:
    assert find_stalls(samples(tmp_path, *ones), "stable") == ()
    assert told((), 4.0) == ""


def test_histograms_hold_every_latency(tmp_path: Path) -> None:
    ones = [sample(pair, end=pair / 50 + 0.010 + pair / 10_000) for pair in range(100)]
    ones[7] = sample(7, error="http-503")
    read = samples(tmp_path, *ones)
    write_histograms({"stable": read}, tmp_path, service="chatbot", timeout=2.0)
    document = json.loads((tmp_path / "chatbot.histograms.json").read_text())
    histogram = HdrHistogram.decode(document["histograms"]["stable"]["latency"])
    assert document["unit"] == "us"
    assert histogram.get_total_count() == 100
    assert histogram.get_max_value() == pytest.approx(2_000_000, rel=1e-3)
    exact = float(np.quantile(read.latencies(2.0), 0.5, method="inverted_cdf"))
    assert histogram.get_value_at_percentile(50) == pytest.approx(exact * 1e6, rel=2e-3)
    assert "1/(1-Percentile)" in (tmp_path / "chatbot.stable.latency.hgrm").read_text()
    assert not list(tmp_path.glob("*.first-token.hgrm"))


def test_a_stream_that_begins_late_is_seen(serve: Any, run: Any, pair_of: Any) -> None:
    pair = pair_of(serve(seed=1).url, serve(seed=2, delay=0.06).url)
    measurement = run(pair, rate=50, duration="5s", stream=True)
    first = assess_first_token(measurement, pair.service.objectives)
    assert first.outcome is Outcome.FAIL, first.message
    assert first.message.startswith("chatbot on candidate, first token: slower than stable beyond the margin: p")
    subject = measurement.of("candidate")
    assert (subject.pieces > 1).all()
    assert (subject.gap >= 0).all()
    assert (measurement.path.parent / "chatbot.candidate.first-token.hgrm").exists()
    assert (measurement.path.parent / "chatbot.candidate.longest-gap.hgrm").exists()


def test_without_streams_there_is_no_first_token(serve: Any, run: Any, pair_of: Any) -> None:
    pair = pair_of(serve(seed=1).url, serve(seed=2).url)
    first = assess_first_token(run(pair, rate=20, duration="1s"), pair.service.objectives)
    assert not first.applicable
