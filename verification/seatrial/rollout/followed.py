"""What the checks of a rolling update have in common: the rollout that the cluster showed, and what was wrong when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import CannotLook
from seatrial.rollout.replay import Moment, Rolled
from seatrial.rollout.story import Story

MOST_SHOWN: Final = 10


def rolling(strategy: str) -> bool:
    """To which strategy these checks apply."""
    return strategy == "rolling"


def rolled_of(story: Story) -> Rolled:
    """What the cluster showed. Raises CannotLook where it could not be followed."""
    if story.rolling_problem:
        raise CannotLook(f"the cluster could not be followed: {story.rolling_problem}")
    if story.rolled is None:
        raise CannotLook("the workload was not seen in the cluster")
    return story.rolled


def unseen_of(rolled: Rolled) -> Assessment | None:
    """What to say where no rollout was seen; None where one was."""
    if rolled.changed:
        return None
    words = f"no rollout of {rolled.workload.kind} {rolled.workload.name} was seen: its pods are of one revision"
    return Assessment.inconclusive(words, n=0, remedy="begin to watch before the release is deployed")


def moments_when(
    rolled: Rolled,
    broken: Callable[[Moment], bool],
    *,
    expected: Callable[[Moment], str],
    seen: Callable[[Moment], str],
) -> list[Finding]:
    """The moments of the rollout in which the number of pods was ``broken``, the first few of them."""
    begin = rolled.began or 0.0
    # A change a moment before the workload's own: objects come by different ways, in no order among each other.
    bad = [one for one in rolled.moments if one.at >= begin - 1.0 and one.steady and broken(one)]
    return [
        Finding(where=f"at {one.at:.1f} s", path=one.cause, expected=expected(one), seen=seen(one))
        for one in bad[:MOST_SHOWN]
    ]
