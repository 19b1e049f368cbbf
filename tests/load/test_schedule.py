import itertools
from collections import Counter

import numpy as np
import pytest

from seatrial.load.profile import Profile
from seatrial.load.schedule import plan_schedule

BOTH = ("stable", "candidate")


def test_pairs_share_their_prompt_and_come_in_both_orders(profile):
    requests = plan_schedule(profile(duration="10s"), BOTH)
    pairs = {}
    for request in requests:
        pairs.setdefault(request.pair, []).append(request)
    assert len(pairs) == 525
    assert all({r.track for r in pair} == set(BOTH) and len({r.prompt for r in pair}) == 1 for pair in pairs.values())
    first = Counter(pair[0].track for pair in pairs.values())
    assert 200 < first["stable"] < 325
    assert {request.prompt for request in requests} == {0, 1}


def test_constant_arrivals_are_even_and_the_warm_up_is_marked(profile):
    requests = plan_schedule(profile(duration="1s"), BOTH)
    assert [request.due for request in requests] == pytest.approx([n / 100 for n in range(150)])
    assert [request.warm_up for request in requests] == [True] * 50 + [False] * 100


def test_poisson_arrivals_are_irregular_and_as_many_as_planned(profile):
    requests = plan_schedule(profile(arrival="poisson", duration="20s"), ("stable",))
    gaps = [b.due - a.due for a, b in itertools.pairwise(requests)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert len(requests) == 1025
    assert 0.85 < deviation / mean < 1.15
    assert [r.due for r in requests] == sorted(r.due for r in requests)


def test_the_same_seed_gives_the_same_schedule(profile):
    build = [plan_schedule(profile(arrival="poisson", seed=seed), BOTH) for seed in (1, 1, 2)]
    assert build[0] == build[1] != build[2]


def test_a_ramp_rises_evenly():
    ramp = Profile.model_validate(
        {"rate": 90, "rate_from": 10, "arrival": "ramp", "duration": "10s", "warm_up": "2s", "prompts": ["when?"]}
    )
    due = np.array([request.due for request in plan_schedule(ramp, ["stable"]) if not request.warm_up])
    assert ramp.requests(1) == 20 + 500
    assert len(due) == 500
    assert due[0] == pytest.approx(2.0)
    assert due.max() < 12.0
    counts = np.histogram(due, bins=10, range=(2.0, 12.0))[0]
    # 10 a second at the beginning, 8 more each second: 14, 22, 30 and so on in the middle of each.
    assert counts == pytest.approx(14 + 8 * np.arange(10), abs=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arrival": "ramp"}, "belong together"),
        ({"rate_from": 5}, "belong together"),
        ({"arrival": "ramp", "rate_from": 20}, "a ramp rises: rate_from is 20, and rate, where it ends, 20"),
    ],
)
def test_a_ramp_has_two_ends(changes, words):
    with pytest.raises(ValueError, match=words):
        Profile.model_validate({"rate": 20, "duration": "10s", "prompts": ["when?"], **changes})


def test_a_ramp_in_steps_is_even_within_each():
    stairs = Profile.model_validate(
        {
            "rate": 30,
            "rate_from": 10,
            "arrival": "ramp",
            "steps": 3,
            "duration": "6s",
            "warm_up": "1s",
            "prompts": ["when?"],
        }
    )
    due = np.array([request.due for request in plan_schedule(stairs, ["stable"]) if not request.warm_up]) - 1.0
    assert len(due) == 120
    assert np.histogram(due, bins=3, range=(0.0, 6.0))[0].tolist() == [20, 40, 60]
    assert np.diff(due[:20]) == pytest.approx(np.full(19, 0.1))
    assert np.diff(due[61:]) == pytest.approx(np.full(58, 1 / 30))


def test_steps_are_those_of_a_ramp():
    with pytest.raises(ValueError, match='steps are those of arrival = "ramp"'):
        Profile.model_validate({"rate": 20, "duration": "10s", "prompts": ["when?"], "steps": 3})
