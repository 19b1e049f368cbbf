"""Load profiles: ``load/profiles/<name>.toml``, what is sent, how fast, for how long, and when it counts as sound."""

from __future__ import annotations

import bisect
import difflib
import itertools
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, ValidationError, WithJsonSchema, model_validator

import seatrial
from seatrial.environment.locations import shipped
from seatrial.environment.model import LoadLimits
from seatrial.environment.section import Section
from seatrial.environment.units import Duration, parse_duration
from seatrial.load.dialogue import Dialogue, DialogueError, as_dialogues, read_conversations
from seatrial.load.replay import ReplayError, peak_rate, read_offsets

PositiveDuration = Annotated[Duration, Field(gt=0)]


class ProfileError(Exception):
    """A profile is missing, malformed, or asks for more than the environment allows; the message says all of it."""


class Bounds(Section):
    """Outside of these the measurement is not sound, and its result is an error whatever the latencies say."""

    unsent: float = Field(default=0.001, ge=0, lt=1, description="largest share of scheduled requests not sent")
    lateness_p99: PositiveDuration = Field(default=0.050, description="99th percentile of sending later than due")
    achieved: float = Field(default=0.99, gt=0, le=1, description="smallest share of the scheduled rate")
    cpu: float = Field(default=0.9, gt=0, description="largest use of one core by the sending process")
    overhead_p50: PositiveDuration = Field(
        default=0.010, description="median of what a request to a server takes that answers at once, measured before"
    )
    overhead_p99: PositiveDuration = Field(default=0.050, description="99th percentile of the same")
    refused: float = Field(default=0.01, ge=0, le=1, description="largest share of 401, 403 and 429 on every track")


_SAID = {"type": "string", "minLength": 1}
_LIST = {
    "type": "array",
    "minItems": 1,
    "items": {"anyOf": [_SAID, {"type": "array", "items": _SAID, "minItems": 1}]},
}
_PROMPTS: Final = {"anyOf": [_LIST, {"type": "object", "minProperties": 1, "additionalProperties": _LIST}]}
Prompts = Annotated[tuple[Dialogue, ...], PlainValidator(as_dialogues), WithJsonSchema(_PROMPTS)]


class Profile(Section):
    """One load profile. ``rate`` is per track: beside a candidate, stable gets as much again."""

    description: str = Field(default="", description="what it is for, in a line")
    rate: float = Field(
        gt=0, description="requests per second to each track; where a file is replayed, its highest, and not given here"
    )
    duration: PositiveDuration = Field(
        description="measured time, without the warm-up; where a file is replayed, its own, and not given here"
    )
    warm_up: Annotated[Duration, Field(ge=0)] = Field(
        default=1.0, description="time before the measured one, whose requests are sent and do not count"
    )
    arrival: Literal["constant", "poisson", "ramp", "replay"] = Field(
        default="constant",
        description="`constant`: evenly; `poisson`: at random, as users come; `ramp`: from `rate_from` to `rate` in "
        "the measured time; `replay`: as recorded in the file that `replay` names",
    )
    rate_from: float | None = Field(default=None, gt=0, description="rate at which a ramp begins")
    steps: int | None = Field(
        default=None, ge=2, le=100, description="a ramp rises in so many stairs of equal length; evenly where absent"
    )
    replay: str | None = Field(
        default=None,
        min_length=1,
        description="file of due offsets in seconds, beside the profile: CSV with a column `due`, or NDJSON",
    )
    due: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        default=(), description="the offsets themselves, in order; read from `replay` where they are absent"
    )
    seed: int = Field(default=1, ge=0, description="of arrivals, order within pairs, and prompts")
    prompts: Prompts = Field(
        description="what is asked: a list, or a table of lists by class. A list inside is a conversation, whose turns "
        "are asked one after the other",
    )
    conversations: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="ids or tags of conversations in `synthetic/conversations`, instead of `prompts`; an id is a class",
    )
    think: Annotated[Duration, Field(ge=0)] = Field(
        default=1.0, description="least time between two turns of a conversation"
    )
    path: str | None = Field(
        default=None, pattern="^/", description="path requested; that of the protocol where absent"
    )
    stream: bool = Field(default=False, description="whether answers are asked for as a stream")
    max_tokens: int | None = Field(default=None, gt=0, description="longest answer that is asked for")
    timeout: PositiveDuration = Field(default=10.0, description="for a whole request, from when it was due")
    confidence: float = Field(default=0.99, gt=0.5, lt=1, description="of every verdict")
    workers: int = Field(
        default=1, ge=1, le=64, description="processes that share the schedule, for a rate that one cannot send"
    )
    bounds: Bounds = Field(default=Bounds(), description="outside of these the measurement is not sound")

    @model_validator(mode="before")
    @classmethod
    def _rate_of_what_is_replayed(cls, content: Any) -> Any:
        """Rate and duration of recorded arrivals are theirs."""
        due = content.get("due") if isinstance(content, dict) else None
        if not due or not all(isinstance(offset, int | float) for offset in due):
            return content
        given = [key for key in ("rate", "duration") if key in content]
        if given:
            raise ValueError(f"{' and '.join(given)}: what is replayed has its own; leave it out")
        warm_up = parse_duration(content.get("warm_up", "1s"))
        return {**content, "rate": peak_rate(tuple(due)), "duration": f"{max(due[-1] - warm_up, 0.001):.6f}s"}

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        if (self.arrival == "replay") != bool(self.due):
            raise ValueError('arrival = "replay" and a file named by `replay` belong together')
        if any(later < earlier for earlier, later in itertools.pairwise(self.due)):
            raise ValueError("due: expected offsets in order")
        if self.due and len(self.due) <= self.warming:
            raise ValueError("every offset lies in the warm-up: not one request would count")
        if not self.due and self.rate * self.duration < 1:
            raise ValueError(f"rate x duration is {self.rate * self.duration:g}: not one request would be sent")
        if (self.arrival == "ramp") != (self.rate_from is not None):
            raise ValueError('arrival = "ramp" and rate_from belong together: where it begins, and that it rises')
        if self.rate_from is not None and self.rate_from >= self.rate:
            raise ValueError(f"a ramp rises: rate_from is {self.rate_from:g}, and rate, where it ends, {self.rate:g}")
        if self.steps is not None and self.arrival != "ramp":
            raise ValueError('steps are those of arrival = "ramp"')
        return self

    @property
    def first_rate(self) -> float:
        """Requests per second to each track at the beginning, and in the warm-up."""
        return self.rate if self.rate_from is None else self.rate_from

    @property
    def warming(self) -> int:
        """Requests to each track in the warm-up."""
        return bisect.bisect_left(self.due, self.warm_up) if self.due else round(self.first_rate * self.warm_up)

    def requests(self, tracks: int) -> int:
        """Requests that a run over so many tracks is expected to send, warm-up included."""
        if self.due:
            return tracks * len(self.due)
        mean = (self.first_rate + self.rate) / 2
        return tracks * (self.warming + round(mean * self.duration))

    def one_of(self, copies: int) -> Profile:
        """The same load for one of so many copies of a service: they share the allowance for being wrong."""
        return self.model_copy(update={"confidence": 1 - (1 - self.confidence) / copies})


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


def _complete(content: dict[str, Any], source: str, conversations: Path) -> None:
    """Read the files that ``content`` names into it."""
    replay, chosen = content.get("replay"), content.get("conversations")
    try:
        if isinstance(replay, str) and replay and "due" not in content:
            content["due"] = read_offsets(Path(source).parent / replay)
        if isinstance(chosen, list) and chosen and all(isinstance(name, str) for name in chosen):
            if "prompts" in content:
                raise DialogueError("expected either `prompts` or `conversations`, seen both")
            content["prompts"] = read_conversations(conversations, chosen)
    except (ReplayError, DialogueError) as error:
        raise ProfileError("\n".join(f"{source}: {line}" for line in str(error).splitlines())) from None


def parse_profile(text: str, source: str, conversations: Path | None = None) -> Profile:
    """The profile in ``text``; ``source`` is its file, in messages and for what it names beside itself.

    ``conversations`` is the folder of those that it may name; that of what is shipped where absent. Raises ProfileError
    with every mistake, each with its line and key.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{source}: not TOML: {error}") from None
    _complete(content, source, conversations or shipped_conversations())
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


def shipped_conversations() -> Path:
    """Where the shipped conversations are: beside their suite in the wheel, in the repository of a clone."""
    inside = PACKAGE / "suites" / "synthetic" / "conversations"
    return inside if inside.is_dir() else shipped() / "synthetic" / "conversations"


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
            own = root / "synthetic" / "conversations" if root is not None else None
            conversations = own if own is not None and own.is_dir() else None
            return parse_profile(path.read_text(encoding="utf-8"), str(path), conversations)
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
