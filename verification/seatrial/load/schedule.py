"""The schedule: every request with its due time, track and prompt, fixed before the first is sent."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seatrial.environment.model import Track
from seatrial.load.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request to come: ``due`` in seconds after the start; ``pair`` is shared by the two that are compared."""

    due: float
    track: Track
    pair: int
    prompt: int
    warm_up: bool


def _arrivals(profile: Profile, generator: random.Random) -> Iterator[float]:
    """Due times of the pairs. Poisson is conditioned on its count (sorted uniforms), so that n is as planned."""
    warm = round(profile.first_rate * profile.warm_up)
    measured = profile.requests(1) - warm
    if profile.arrival == "constant":
        yield from (number / profile.rate for number in range(warm + measured))
        return
    if profile.arrival == "ramp":
        first, last, length = profile.first_rate, profile.rate, profile.duration
        yield from (number / first for number in range(warm))
        for number in range(measured):
            # By the moment t, first * t + (last - first) / length * t^2 / 2 have arrived; solved for t.
            slope = (last - first) / length
            yield profile.warm_up + (math.sqrt(first**2 + 2 * slope * number) - first) / slope
        return
    yield from sorted(generator.uniform(0, profile.warm_up) for _ in range(warm))
    yield from sorted(profile.warm_up + generator.uniform(0, profile.duration) for _ in range(measured))


def plan_schedule(profile: Profile, tracks: Sequence[Track]) -> tuple[Request, ...]:
    """All requests of a run in order of their due times; the same for the same profile and tracks.

    The members of a pair have the same prompt. Their order is drawn anew each time, and the second is due half a mean
    gap after the first, so that neither track is always first, and neither waits behind the other by design.
    """
    generator = random.Random(profile.seed)  # noqa: S311  chance for statistics, not for secrets
    warm = round(profile.first_rate * profile.warm_up)
    gap = 1 / profile.rate / len(tracks)
    requests: list[Request] = []
    for pair, due in enumerate(_arrivals(profile, generator)):
        prompt = generator.randrange(len(profile.prompts))
        for position, track in enumerate(generator.sample(list(tracks), len(tracks))):
            requests.append(
                Request(due=due + position * gap, track=track, pair=pair, prompt=prompt, warm_up=pair < warm)
            )
    return tuple(sorted(requests, key=lambda request: request.due))
