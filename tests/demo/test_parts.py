"""Sessions, weights, pace and metrics on their own."""

from __future__ import annotations

import statistics

import pytest

from seatrial.demo.behaviour import Behaviour
from seatrial.demo.exposition import Counter, Histogram, exposition
from seatrial.demo.intents import Memory
from seatrial.demo.pace import Pace
from seatrial.demo.sessions import Sessions
from seatrial.demo.weights import Places, Weights, place_of


def test_sessions_are_bounded_in_number() -> None:
    sessions = Sessions(limit=2)
    for name in "abc":
        sessions.keep(name, Memory(name=name))
    assert len(sessions) == 2
    assert sessions.recall("a") == Memory()
    assert sessions.recall("c").name == "c"


def test_idle_sessions_are_forgotten_and_used_ones_are_not() -> None:
    now = 0.0
    sessions = Sessions(idle=10, clock=lambda: now)
    sessions.keep("a", Memory(name="a"))
    sessions.keep("b", Memory(name="b"))
    now = 6.0
    sessions.keep("a", Memory(name="a"))
    now = 12.0
    assert sessions.recall("b") == Memory()
    assert sessions.recall("a").name == "a"
    assert len(sessions) == 1


def test_ending_a_session() -> None:
    sessions = Sessions()
    sessions.keep("a", Memory(name="a"))
    assert sessions.end("a")
    assert not sessions.end("a")


@pytest.mark.parametrize(("stable", "candidate"), [(95, 5), (50, 50), (0, 1), (1, 0), (0.5, 1.5)])
@pytest.mark.parametrize("n", [20, 200, 5_000])
def test_places_meet_the_share_to_within_three(stable: float, candidate: float, n: int) -> None:
    weights, places = Weights(stable=stable, candidate=candidate), Places()
    served = sum(weights.track_of(places.take()) == "candidate" for _ in range(n))
    assert abs(served - n * weights.share) <= 3


def test_a_growing_share_moves_nobody_back() -> None:
    places = [place_of(f"user-{i}") for i in range(300)]
    before: set[float] = set()
    for candidate in (0, 5, 20, 50, 100):
        weights = Weights(stable=100 - candidate, candidate=candidate)
        now = {place for place in places if weights.track_of(place) == "candidate"}
        assert before <= now
        before = now
    assert len(before) == 300


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"stable": 1},
        {"stable": 1, "candidate": 1, "canary": 1},
        {"stable": -1, "candidate": 2},
        {"stable": 0, "candidate": 0},
        {"stable": "1", "candidate": 1},
        {"stable": True, "candidate": 1},
        {"stable": float("nan"), "candidate": 1},
        {"stable": float("inf"), "candidate": 1},
        {"stable": 1e308, "candidate": 1e308},
    ],
)
def test_weights_that_mean_nothing_are_refused(content: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        Weights.parse(content)


def first_tokens(**behaviour: float) -> list[float]:
    pace = Pace(seed="s", behaviour=Behaviour(**behaviour))
    return [pace.tempo().first_token() for _ in range(2_000)]


def test_pace_is_repeatable_and_slowdown_is_a_factor() -> None:
    draws = first_tokens()
    assert draws == first_tokens()
    assert first_tokens(slowdown=2.0) == pytest.approx([2 * draw for draw in draws])
    assert first_tokens(first_token_delay=0.1) == pytest.approx([0.1 + draw for draw in draws])
    assert statistics.median(draws) == pytest.approx(0.018, rel=0.05)


def test_a_slow_tail_leaves_the_others_alone() -> None:
    usual, seen = first_tokens(), first_tokens(tail_share=1 / 12, tail_factor=3.0)
    factors = [slow / fast for slow, fast in zip(seen, usual, strict=True)]
    assert {round(factor, 6) for factor in factors} == {1.0, 3.0}
    # 99.9 % of 2,000 draws at 1/12 lie between these.
    assert 126 <= sum(factor > 2 for factor in factors) <= 209


def test_exposition_text() -> None:
    requests = Counter("requests_total", "Requests.", ("path",))
    requests.increment('a"b\\c\nd')
    seconds = Histogram("seconds", "Durations.", (0.1, 1.0))
    for duration in (0.1, 0.5, 7):
        seconds.observe(duration)
    assert exposition([requests, seconds]) == (
        "# HELP requests_total Requests.\n"
        "# TYPE requests_total counter\n"
        'requests_total{path="a\\"b\\\\c\\nd"} 1\n'
        "# HELP seconds Durations.\n"
        "# TYPE seconds histogram\n"
        'seconds_bucket{le="0.1"} 1\n'
        'seconds_bucket{le="1.0"} 2\n'
        'seconds_bucket{le="+Inf"} 3\n'
        "seconds_sum 7.6\n"
        "seconds_count 3\n"
    )
