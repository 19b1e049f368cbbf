"""Sessions, weights, pace and metrics on their own."""

from __future__ import annotations

import statistics

import pytest

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


def test_pace_is_repeatable_and_slowdown_is_a_factor() -> None:
    usual, again, slow = Pace(seed="s"), Pace(seed="s"), Pace(seed="s", slowdown=2)
    draws = [usual.first_token() for _ in range(2_000)]
    assert draws == [again.first_token() for _ in range(2_000)]
    assert [slow.first_token() for _ in range(2_000)] == pytest.approx([2 * draw for draw in draws])
    assert statistics.median(draws) == pytest.approx(0.018, rel=0.05)


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
