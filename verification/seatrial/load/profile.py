"""Load profiles: ``load/profiles/<name>.toml``, what is sent, how fast, for how long, and when it counts as sound."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError, model_validator

import seatrial
from seatrial.environment.locations import shipped
from seatrial.environment.model import LoadLimits, Model
from seatrial.environment.units import Duration

PositiveDuration = Annotated[Duration, Field(gt=0)]


class ProfileError(Exception):
    """A profile is missing, malformed, or asks for more than the environment allows; the message says all of it."""


class Bounds(Model):
    """Outside of these the measurement is not sound, and its result is an error whatever the latencies say."""

    unsent: float = Field(default=0.001, ge=0, lt=1, description="largest share of scheduled requests not sent")
    lateness_p99: PositiveDuration = Field(default=0.050, description="99th percentile of sending later than due")
    achieved: float = Field(default=0.99, gt=0, le=1, description="smallest share of the scheduled rate")
    cpu: float = Field(default=0.9, gt=0, description="largest use of one core by the sending process")
    refused: float = Field(default=0.01, ge=0, le=1, description="largest share of 401, 403 and 429 on every track")


class Profile(Model):
    """One load profile. ``rate`` is per track: beside a candidate, stable gets as much again."""

    description: str = ""
    rate: float = Field(gt=0, description="requests per second to each track")
    duration: PositiveDuration = Field(description="measured time, without the warm-up")
    warm_up: Annotated[Duration, Field(ge=0)] = 1.0
    arrival: Literal["constant", "poisson", "ramp"] = Field(
        default="constant", description="`ramp` rises evenly from `rate_from` in the measured time, and then ends"
    )
    rate_from: float | None = Field(default=None, gt=0, description="rate at which a ramp begins")
    seed: int = Field(default=1, ge=0, description="of arrivals, order within pairs, and prompts")
    prompts: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    path: str | None = Field(
        default=None, pattern="^/", description="path requested; that of the protocol where absent"
    )
    stream: bool = False
    max_tokens: int | None = Field(default=None, gt=0)
    timeout: PositiveDuration = Field(default=10.0, description="for a whole request, from when it was due")
    confidence: float = Field(default=0.99, gt=0.5, lt=1)
    bounds: Bounds = Bounds()

    @model_validator(mode="after")
    def _something_to_send(self) -> Profile:
        if self.rate * self.duration < 1:
            raise ValueError(f"rate x duration is {self.rate * self.duration:g}: not one request would be sent")
        if (self.arrival == "ramp") != (self.rate_from is not None):
            raise ValueError('arrival = "ramp" and rate_from belong together: where it begins, and that it rises')
        if self.rate_from is not None and self.rate_from >= self.rate:
            raise ValueError(f"a ramp rises: rate_from is {self.rate_from:g}, and rate, where it ends, {self.rate:g}")
        return self

    @property
    def first_rate(self) -> float:
        """Requests per second to each track at the beginning, and in the warm-up."""
        return self.rate if self.rate_from is None else self.rate_from

    def requests(self, tracks: int) -> int:
        """Requests that a run over so many tracks is expected to send, warm-up included."""
        mean = (self.first_rate + self.rate) / 2
        return tracks * (round(self.first_rate * self.warm_up) + round(mean * self.duration))


def _line_of(text: str, path: Sequence[int | str]) -> int | None:
    """Line of the key at ``path`` in a TOML text; of its table where the key itself is absent."""
    table = ""
    found = None
    keys = [str(part) for part in path if isinstance(part, str)]
    if not keys:
        return None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = header[1].strip()
            if table == ".".join(keys):
                return number
        elif re.match(rf"\s*[\"']?{re.escape(keys[-1])}[\"']?\s*=", line) and table == ".".join(keys[:-1]):
            return number
        elif re.match(rf"\s*{re.escape(keys[0])}\s*=\s*{{", line) and not table and len(keys) > 1:
            found = number
    return found


def _known(path: Sequence[int | str]) -> Iterable[str]:
    return Bounds.model_fields if len(path) > 1 and path[0] == "bounds" else Profile.model_fields


def parse_profile(text: str, source: str) -> Profile:
    """The profile in ``text``; ``source`` names it in messages.

    Raises ProfileError with every mistake, each with its line and key.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{source}: not TOML: {error}") from None
    try:
        return Profile.model_validate(content)
    except ValidationError as error:
        lines = []
        for mistake in error.errors():
            path = mistake["loc"]
            line = _line_of(text, path)
            key = ".".join(str(part) for part in path) or "the profile"
            message = mistake["msg"].removeprefix("Value error, ")
            if mistake["type"] == "extra_forbidden":
                near = difflib.get_close_matches(str(path[-1]), list(_known(path)), n=1)
                message = "no such key" + (f", did you mean {near[0]!r}?" if near else "")
            elif mistake["type"] == "missing":
                message = "is missing"
            elif mistake["type"] != "value_error" and path:
                message += f"; seen {mistake['input']!r}"
            lines.append(f"{source}{f':{line}' if line else ''}: {key}: {message}")
        raise ProfileError("\n".join(lines)) from None


PACKAGE: Final = Path(seatrial.__file__).resolve().parent


def profile_folders(root: Path | None = None) -> tuple[Path, ...]:
    """Where profiles are looked for, first come first: the repository at ``root``, then what is shipped."""
    folders = [] if root is None else [root / "load" / "profiles"]
    return tuple(dict.fromkeys([*folders, shipped() / "load" / "profiles"]))


def load_profile(name: str, root: Path | None = None) -> Profile:
    """The profile called ``name``. Raises ProfileError where there is none, naming those there are, or it is bad."""
    folders = profile_folders(root)
    for folder in folders:
        path = folder / f"{name}.toml"
        if path.is_file():
            return parse_profile(path.read_text(encoding="utf-8"), str(path))
    known = sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
    raise ProfileError(
        f"expected a load profile named {', '.join(known) or '(there are none)'}; seen {name!r}; "
        f"looked in {', '.join(str(folder) for folder in folders)}"
    )


def check_limits(profile: Profile, limits: LoadLimits, *, tracks: int, environment: str) -> None:
    """Raises ProfileError, with every excess, where the environment does not allow ``profile`` over ``tracks``."""
    if not limits.allowed:
        raise ProfileError(
            f"the environment {environment!r} does not allow load: set `allowed = true` under [load] in its file, "
            "with the limits that it can bear, or leave the latency suite out"
        )
    rate, duration, requests = tracks * profile.rate, profile.warm_up + profile.duration, profile.requests(tracks)
    over = []
    if rate > limits.max_rate:
        over.append(f"{rate:g} requests/s over {tracks} track(s), load.max_rate is {limits.max_rate:g}")
    if duration > limits.max_duration:
        over.append(f"{duration:g} s with warm-up, load.max_duration is {limits.max_duration:g} s")
    if requests > limits.max_requests:
        over.append(f"{requests} requests, load.max_requests is {limits.max_requests}")
    if over:
        raise ProfileError(f"the profile asks for more than the environment {environment!r} allows: {'; '.join(over)}")
