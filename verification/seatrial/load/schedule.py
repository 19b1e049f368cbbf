"""The schedule: every request with its due time, track and prompt, fixed before the first is sent."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seatrial.environment.model import Track
from seatrial.load.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request to come: ``due`` in seconds after the start; ``pair`` is shared by the two that are compared.

    ``prompt`` is the number of a dialogue, and ``turn`` that of what is said. ``session`` is shared by the turns of one
    conversation. A turn is due no sooner than the one before it was answered.
    """

    due: float
    track: Track
    pair: int
    prompt: int
    warm_up: bool
    session: int = 0
    turn: int = 0


def _arrivals(profile: Profile, generator: random.Random) -> Iterator[float]:
    """Due times of the pairs. Poisson is conditioned on its count (sorted uniforms), so that n is as planned."""
    warm = profile.warming
    measured = profile.requests(1) - warm
    if profile.arrival == "replay":
        yield from profile.due
    elif profile.arrival == "constant":
        yield from (number / profile.rate for number in range(warm + measured))
    elif profile.arrival == "ramp":
        yield from (number / profile.first_rate for number in range(warm))
        yield from (profile.warm_up + due for due in _rising(profile, measured))
    else:
        yield from sorted(generator.uniform(0, profile.warm_up) for _ in range(warm))
        yield from sorted(profile.warm_up + generator.uniform(0, profile.duration) for _ in range(measured))


def _rising(profile: Profile, measured: int) -> Iterator[float]:
    first, last, length = profile.first_rate, profile.rate, profile.duration
    if profile.steps is None:
        # By the moment t, first * t + slope * t^2 / 2 have arrived; solved for t.
        slope = (last - first) / length
        yield from ((math.sqrt(first**2 + 2 * slope * number) - first) / slope for number in range(measured))
        return
    stair, arrived, step = length / profile.steps, 0.0, 0
    rates = [first + (last - first) * number / (profile.steps - 1) for number in range(profile.steps)]
    for number in range(measured):
        while step < profile.steps - 1 and number >= arrived + rates[step] * stair:
            arrived += rates[step] * stair
            step += 1
        yield step * stair + (number - arrived) / rates[step]


@dataclass(frozen=True, kw_only=True)
class _Said:
    prompt: int
    session: int
    turn: int


def _sayings(profile: Profile, generator: random.Random, arrivals: Sequence[float]) -> Iterator[_Said]:
    """What is said at each arrival: the next turn of the conversation that waits longest, or the first of a new one.

    So conversations take nothing away from the rate, which stays that of requests. Those that are still going on at
    the end of the schedule remain unfinished.
    """
    dialogues = profile.prompts
    waiting: deque[tuple[float, _Said]] = deque()
    for number, due in enumerate(arrivals):
        if waiting and waiting[0][0] <= due:
            said = waiting.popleft()[1]
        else:
            said = _Said(prompt=generator.randrange(len(dialogues)), session=number, turn=0)
        if said.turn + 1 < len(dialogues[said.prompt].turns):
            following = _Said(prompt=said.prompt, session=said.session, turn=said.turn + 1)
            waiting.append((due + profile.think, following))
        yield said


def plan_schedule(profile: Profile, tracks: Sequence[Track]) -> tuple[Request, ...]:
    """All requests of a run in order of their due times; the same for the same profile and tracks.

    The members of a pair have the same prompt. Their order is drawn anew each time, and the second is due half a mean
    gap after the first, so that neither track is always first, and neither waits behind the other by design.
    """
    generator = random.Random(profile.seed)  # noqa: S311  chance for statistics, not for secrets
    gap = 1 / profile.rate / len(tracks)
    arrivals = list(_arrivals(profile, generator))
    requests: list[Request] = []
    for pair, (due, said) in enumerate(zip(arrivals, _sayings(profile, generator, arrivals), strict=True)):
        for position, track in enumerate(generator.sample(list(tracks), len(tracks))):
            requests.append(
                Request(
                    due=due + position * gap,
                    track=track,
                    pair=pair,
                    prompt=said.prompt,
                    warm_up=pair < profile.warming,
                    session=said.session,
                    turn=said.turn,
                )
            )
    return tuple(sorted(requests, key=lambda request: request.due))
