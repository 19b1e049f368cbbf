"""What is made of the time in which a release settles: a story with one thing in it that rises, or should not count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.rollout.settling import settled
from seatrial.rollout.story import Story
from seatrial.rollout.traffic import Kind, Seen

BEGAN, ENDED = 100.0, 700.0


def seen(
    kind: Kind, version: str, *, every: float, took: float, rise: float = 0.0, spread: float = 0.1, seed: int = 0
) -> list[Seen]:
    """Requests from the word of the last step on, which take longer by ``rise`` of the first until the end."""
    generator, times = np.random.default_rng(seed), np.arange(BEGAN, ENDED, every)
    values = took * (1 + rise * (times - BEGAN) / (ENDED - BEGAN)) * np.exp(spread * generator.normal(size=len(times)))
    return [
        Seen(kind=kind, user=0, at=float(at), took=float(value), status=200, version=version)
        for at, value in zip(times, values, strict=True)
    ]


def memory(rise: float = 0.0) -> list[tuple[float, float]]:
    return [(at, 200 * 2.0**20 * (1 + rise * (at - BEGAN) / (ENDED - BEGAN))) for at in np.arange(BEGAN, ENDED, 2.0)]


USERS = seen("fresh", "1.5.0", every=0.2, took=0.1)
STABLE = seen("fresh", "1.4.2", every=0.4, took=0.1, seed=1)
SLOWER = seen("fresh", "1.5.0", every=0.2, took=0.1, rise=0.5)
LEVEL = Story(
    strategy="canary",
    stable="1.4.2",
    candidate="1.5.0",
    seen=USERS,
    direct=STABLE,
    memory=memory(),
    memory_expected=True,
    settle_began=BEGAN,
    ended=ENDED,
    ending="settled",
)
LONGER = seen("talking", "", every=1.0, took=0.8, rise=0.6)


@pytest.mark.parametrize(
    ("story", "outcome", "words"),
    [
        pytest.param(LEVEL, Outcome.PASS, "memory 200.0 MiB, rise +0.0", id="nothing rises"),
        pytest.param(replace(LEVEL, seen=SLOWER), Outcome.FAIL, "latency 10", id="latency"),
        pytest.param(replace(LEVEL, memory=memory(0.5)), Outcome.FAIL, "rise +100.0", id="memory"),
        pytest.param(replace(LEVEL, seen=[*USERS, *LONGER]), Outcome.FAIL, "answers", id="answers"),
        pytest.param(
            replace(LEVEL, seen=SLOWER, direct=seen("fresh", "1.4.2", every=0.4, took=0.1, rise=0.5, seed=1)),
            Outcome.INCONCLUSIVE,
            "beside what stable's own address shows it is none",
            id="stable as well",
        ),
        pytest.param(
            replace(LEVEL, seen=SLOWER, direct=seen("fresh", "1.5.0", every=0.4, took=0.1, rise=0.5, seed=1)),
            Outcome.FAIL,
            "latency 10",
            id="stable's address gives the candidate by now",
        ),
        pytest.param(replace(LEVEL, seen=SLOWER, direct=[]), Outcome.FAIL, "latency 10", id="stable is gone"),
        pytest.param(
            replace(LEVEL, seen=[*USERS, *LONGER[:299]]), Outcome.PASS, "latency 10", id="too few answers to look at"
        ),
        pytest.param(
            replace(LEVEL, seen=[*USERS, *seen("talking", "", every=1.0, took=0.8, spread=0.8)]),
            Outcome.PASS,
            "answers",
            id="answers that tell nothing",
        ),
        pytest.param(replace(LEVEL, memory=[]), Outcome.INCONCLUSIVE, "memory: 0 values", id="memory that is not told"),
        pytest.param(replace(LEVEL, memory=[], memory_expected=False), Outcome.PASS, "latency", id="none declared"),
        pytest.param(replace(LEVEL, ending="aborted"), Outcome.INCONCLUSIVE, "aborted", id="it never settled"),
    ],
)
def test_settled(story: Story, outcome: Outcome, words: str) -> None:
    found = settled.run(story, Objectives(), 30.0)
    assert found.outcome is outcome, found.message
    assert words in found.message
