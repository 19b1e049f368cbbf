"""Pictures of a measurement: well-formed, bounded, and of what was measured."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from load.test_samples import sample, write
from seatrial.load.picture import percentiles, timeline, write_pictures
from seatrial.load.samples import Samples, read_samples

SVG = "{http://www.w3.org/2000/svg}"


def samples(tmp_path: Path, ones: list[Any]) -> Samples:
    return read_samples(write(tmp_path / "chatbot.ndjson", ones), run_id="run-1", service="chatbot").samples


def test_both_tracks_are_drawn(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    drawn = percentiles(
        {"stable": 0.1 * np.exp(generator.standard_normal(500)), "candidate": np.full(500, 0.2)}, "<chat>"
    )
    root = ET.fromstring(drawn)
    assert root.findtext(f"{SVG}title") == "Latency of <chat> by percentile"
    assert [path.get("class") for path in root.iter(f"{SVG}path")] == ["a", "b"]
    labels = [text.text for text in root.iter(f"{SVG}text")]
    assert {"stable", "candidate", "p50", "p99"} <= set(labels)
    assert "p99.9" not in labels  # 500 requests do not know it


def test_a_flat_track_is_a_flat_line() -> None:
    root = ET.fromstring(percentiles({"stable": np.full(100, 0.05)}, "chat"))
    (path,) = root.iter(f"{SVG}path")
    heights = {point.split()[1] for point in path.get("d", "")[1:].split("L")}
    assert len(heights) == 1


def test_every_failure_is_on_the_timeline(tmp_path: Path) -> None:
    ones = [sample(pair, error="http-503" if pair % 50 == 0 else "") for pair in range(5000)]
    root = ET.fromstring(timeline({"stable": samples(tmp_path, ones)}, "chat", 2.0))
    assert len([path for path in root.iter(f"{SVG}path") if path.get("class") == "failed"]) == 100
    assert len(list(root.iter(f"{SVG}circle"))) <= 3000


@pytest.mark.parametrize("ones", [[], [sample(0)]], ids=["nothing", "one"])
def test_little_is_drawn_too(tmp_path: Path, ones: list[Any]) -> None:
    paths = write_pictures({"stable": samples(tmp_path, ones)}, tmp_path, service="chatbot", timeout=2.0)
    assert [path.name for path in paths] == ["chatbot.percentiles.svg", "chatbot.ecdf.svg", "chatbot.timeline.svg"]
    for path in paths:
        ET.parse(path)
