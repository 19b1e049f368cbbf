"""What is told beside a verdict: classes of prompt, pace of streams, a paragraph, and pictures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.judge.latency import LatencyRule, compare_latency
from seatrial.load.assess import assess_errors, assess_latency
from seatrial.load.classes import class_differences, told
from seatrial.load.comparison_picture import comparison
from seatrial.load.explain import explained, write_comparison
from seatrial.load.pace import assess_token_rate
from seatrial.load.picture import ecdf
from seatrial.load.samples import Samples
from support.measured import measurement, samples

RULE = LatencyRule(ceiling=5.0)
OBJECTIVES = Objectives()


def latencies(n: int, seed: int, *, factor: float = 1.0) -> Any:
    return factor * 0.1 * np.exp(0.2 * np.random.default_rng(seed).standard_normal(n))


def classed(n: int, seed: int, slow: dict[str, float]) -> tuple[Samples, Samples]:
    """Both tracks with as many requests of each class of ``slow``, the candidate's slower by the factor."""
    names = np.array(list(slow))[np.arange(n) % len(slow)]
    factors = np.array([slow[name] for name in names])
    return (
        samples("stable", latencies(n, seed), prompt_class=names),
        samples("candidate", latencies(n, seed + 1) * factors, prompt_class=names),
    )


def test_a_class_that_is_slower_is_noted_first() -> None:
    differences = class_differences(measurement(*classed(2000, 1, {"order": 1.5, "greeting": 1.0})), RULE)
    assert differences[0].name == "order"
    assert differences[0].slower
    assert not any(one.slower for one in differences if one.name == "greeting")
    words = told(differences)
    assert words.startswith("by class of prompt order +")
    assert "(n=1000, slower beyond the margin)" in words
    assert "; greeting " in words


def test_one_class_alone_is_not_told_of() -> None:
    assert class_differences(measurement(*classed(500, 1, {"default": 1.0})), RULE) == ()
    assert told(()) == ""


def test_many_classes_are_told_in_few_words() -> None:
    words = told(class_differences(measurement(*classed(3000, 1, dict.fromkeys("abcdefg", 1.0))), RULE))
    assert words.endswith(", and 3 more classes")


def test_classes_with_too_few_pairs_are_left_out() -> None:
    differences = class_differences(measurement(*classed(150, 1, {"a": 1.0, "b": 1.0})), RULE)
    assert {one.comparison.level for one in differences} == {0.5}


def test_many_classes_make_no_more_false_notes_than_one() -> None:
    """Ten classes of equal releases, the margin as good as nothing: every note is a false one."""
    rule = replace(RULE, relative_margin=1e-9, absolute_margin=1e-9, confidence=0.95)
    noted = 0
    for seed in range(20):
        pair = classed(400, 100 + 2 * seed, dict.fromkeys("abcdefghij", 1.0))
        noted += any(one.slower for one in class_differences(measurement(*pair), rule))
    # Of 20 runs with one false note in twenty, six or more happen once in a thousand times.
    assert noted < 6


def paced(n: int, factor: float = 1.0, *, pieces: int = 11, seed: int = 1) -> tuple[Samples, Samples]:
    def one(track: str, its_seed: int, by: float) -> Samples:
        made = samples(track, np.full(n, 0.05), pieces=np.full(n, pieces))
        spread = np.exp(0.1 * np.random.default_rng(its_seed).standard_normal(n))
        return replace(made, last=made.first + 0.2 * by * spread, end=made.first + 0.2 * by * spread)

    return one("stable", seed, 1.0), one("candidate", seed + 1, factor)


@pytest.mark.parametrize(
    ("pairs", "factor", "outcome", "told"),
    [
        (500, 1.0, Outcome.PASS, "not slower than stable"),
        (500, 1.5, Outcome.FAIL, "slower than stable beyond the margin"),
        # Between what is tolerated and the margin, and too few to tell.
        (60, 1.08, Outcome.INCONCLUSIVE, "neither shown"),
    ],
)
def test_streams_that_drip_fail(pairs: int, factor: float, outcome: Outcome, told: str) -> None:
    found = assess_token_rate(measurement(*paced(pairs, factor)), OBJECTIVES)
    assert found.outcome is outcome, found
    assert told in found.message
    assert "pieces a second at the median" in found.message
    assert found.unit.startswith("pieces/s at p")
    # Ten pieces in 0.2 s, and the limit a tenth slower.
    if found.unit.endswith("p50"):
        assert float(found.limit) == pytest.approx(50 / 1.1, rel=0.05)
    low, _, high = found.interval.partition(" to ")
    assert float(low) <= float(found.seen) <= float(high)


def test_the_floor_is_that_of_a_whole_answer() -> None:
    """A quarter slower, and each answer takes 50 ms longer, which an absolute margin of 100 ms tolerates."""
    lax = Objectives.model_validate({"relative_margin": 0.01, "absolute_margin": "100ms"})
    assert assess_token_rate(measurement(*paced(500, 1.25)), lax).outcome is Outcome.PASS
    strict = Objectives.model_validate({"relative_margin": 0.01, "absolute_margin": "10ms"})
    assert assess_token_rate(measurement(*paced(500, 1.25)), strict).outcome is Outcome.FAIL


def test_a_single_piece_has_no_pace() -> None:
    found = assess_token_rate(measurement(*paced(500, pieces=1)), OBJECTIVES)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "buffers streams" in found.remedy


def test_streams_that_fail_are_slow() -> None:
    stable, candidate = paced(500)
    broken = replace(candidate, error=np.where(np.arange(500) % 5 == 0, "truncated", ""))
    found = assess_token_rate(measurement(stable, broken), OBJECTIVES)
    assert found.outcome is Outcome.FAIL
    assert found.unit == "pieces/s at p95"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (measurement(*paced(50), stream=False), "the load profile does not ask for streams"),
        (measurement(None, paced(50)[1]), "there is no stable beside it"),
    ],
    ids=["no streams", "alone"],
)
def test_where_there_is_nothing_to_compare(made: Any, told: str) -> None:
    found = assess_token_rate(made, OBJECTIVES)
    assert not found.applicable
    assert told in found.message


def test_an_unsound_measurement_is_an_error_here_too() -> None:
    made = measurement(*paced(50))
    unsound = replace(made, soundness=replace(made.soundness, problems=("late",)))
    assert assess_token_rate(unsound, OBJECTIVES).outcome is Outcome.ERROR


def test_the_paragraph_has_what_the_verdict_rests_on(tmp_path: Path) -> None:
    stable, candidate = classed(500, 1, {"order": 1.6, "greeting": 1.5})
    failed = replace(candidate, error=np.where(np.arange(500) % 100 == 0, "http-503", ""))
    path = tmp_path / "samples" / "latency" / "chat.ndjson"
    made = measurement(stable, failed, path=path)
    path.parent.mkdir(parents=True)
    for name in ("ecdf", "timeline"):
        path.with_name(f"chat.{name}.svg").write_text("<svg/>")
    assert write_comparison(made, OBJECTIVES) is not None
    found = explained(assess_latency(made, OBJECTIVES), made, OBJECTIVES, root=tmp_path)
    assert found.outcome is Outcome.FAIL
    for part in (
        "Fail: chat on candidate: slower than stable by more than is tolerated after 200 pairs: evidence ",
        "Over all 500 pairs, at 0.99 confidence: p50 ",
        "p99 undecidable: 500 pairs, and it takes at least 1000.",
        "Looked at while it ran: ",
        "By class of prompt order +",
        "classes are noted, and decide nothing.",
        "It cost 1000 requests of 1100 planned",
        "Stable: 500 requests, p50 ",
        "100 bytes an answer, no failure, ",
        "100 bytes an answer, 5 http-503 (1.00%), ",
        "pieces a second.",
    ):
        assert part in found.explanation, found.explanation
    assert found.pictures == tuple(f"samples/latency/chat.{name}.svg" for name in ("comparison", "ecdf", "timeline"))
    assert "; 5 http-503" in assess_errors(made, OBJECTIVES).message


def test_alone_and_unsound_have_a_paragraph_too(tmp_path: Path) -> None:
    alone = measurement(None, paced(200)[1])
    objectives = Objectives.model_validate({"latency_p95": "1s"})
    found = explained(assess_latency(alone, objectives), alone, objectives, root=tmp_path)
    assert found.explanation.startswith("Pass: chat on candidate: within the objective: p95 ")
    assert "Candidate: 200 requests" in found.explanation
    assert write_comparison(alone, objectives) is None
    unsound = replace(alone, soundness=replace(alone.soundness, problems=("late",)))
    found = explained(assess_latency(unsound, objectives), unsound, objectives, root=tmp_path)
    assert found.explanation.startswith("Error: the measurement of chat is not sound: late")
    nothing = replace(alone, samples=alone.samples.where(np.zeros(200, dtype=bool)))
    assert (
        "Nothing was sent."
        in explained(assess_latency(nothing, objectives), nothing, objectives, root=tmp_path).explanation
    )


def texts(picture: str) -> list[str]:
    root = ElementTree.fromstring(picture)
    return [element.text or "" for element in root.iter() if element.tag.endswith("text")]


def test_the_comparison_is_drawn_with_intervals_and_margins() -> None:
    stable, candidate = samples("stable", latencies(1500, 1)), samples("candidate", latencies(1500, 2, factor=1.5))
    verdict = compare_latency(*measurement(stable, candidate).paired_latencies(), RULE)
    picture = comparison(verdict.levels, "<chat>", 0.99)
    words = texts(picture)
    assert "Candidate less stable of <chat>, 99% confidence" in words
    assert [word for word in words if word.startswith("p")] == ["p50", "p95", "p99"]
    assert picture.count('class="margin"') == picture.count('class="whisker"') == 3
    assert picture.count("var(--bad)") >= 3
    assert "NaN" not in picture
    assert "nan" not in picture


def test_nothing_to_compare_is_said() -> None:
    verdict = compare_latency(np.full(10, 0.1), np.full(10, 0.1), RULE)
    assert "too few pairs to compare" in texts(comparison(verdict.levels, "chat", 0.99))


@pytest.mark.parametrize("values", [[0.1], [0.1, 0.1], [1e-9, 5.0], list(np.linspace(0.01, 0.2, 2000))])
def test_the_distribution_ends_at_all_requests(values: list[float]) -> None:
    picture = ecdf({"stable": np.array(values)}, "chat")
    assert "100 %" in texts(picture)
    assert "nan" not in picture.lower().replace("title", "")
    (path,) = [e for e in ElementTree.fromstring(picture).iter() if e.tag.endswith("path")]
    assert path.attrib["d"].rsplit(" ", 1)[1] == "40.0"
    assert math.isfinite(float(path.attrib["d"].rsplit(" ", 1)[1]))


def test_no_requests_are_drawn_as_nothing() -> None:
    assert "<path" not in ecdf({}, "chat")
