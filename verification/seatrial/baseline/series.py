"""A series: the promoted runs of one service under one profile and fingerprint, and the anchors that were set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from seatrial.judge.baseline import Reference
from seatrial.load.fingerprint import canonical, sha256_of
from seatrial.load.summary import LEVELS

KIND: Final = "seatrial baseline"
SCHEMA: Final = 1
LEAST: Final = 10
"""Runs that it takes to decide, and of which the first anchor is made."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Count = Annotated[int, Meta(ge=0)]


class SeriesProblem(ValueError):
    """A series that cannot be relied on, or a change to one that makes no sense; the message says why."""


class StoredRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One promoted run. ``levels`` are quantiles of latency in microseconds, by name."""

    run: Annotated[str, Meta(min_length=1, max_length=200)]
    finished: Moment
    release: str
    requests: Annotated[int, Meta(ge=1)]
    failed: Count
    levels: dict[Literal["p50", "p95", "p99"], Annotated[int, Meta(ge=1)]]
    samples: Sha256
    """Of the file of samples that it was made from."""
    decision: Sha256
    """Of the decision that promoted it."""

    @property
    def moment(self) -> dt.datetime:
        """When the run ended."""
        return dt.datetime.fromisoformat(self.finished)


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Runs that later ones are held against for good, so that small steps do not add up unseen."""

    runs: tuple[str, ...]
    set: Moment
    reason: Annotated[str, Meta(min_length=1)]


class Series(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``runs`` are in order of their ends. ``anchors`` are all that there were; the last one holds."""

    kind: Literal["seatrial baseline"] = KIND
    schema: Literal[1] = SCHEMA
    environment: str
    service: str
    profile: str
    fingerprint: dict[str, str]
    runs: tuple[StoredRun, ...] = ()
    anchors: tuple[Anchor, ...] = ()

    @property
    def anchor(self) -> tuple[StoredRun, ...]:
        """The runs of the anchor that holds; none before there are enough."""
        if not self.anchors:
            return ()
        members = frozenset(self.anchors[-1].runs)
        return tuple(run for run in self.runs if run.run in members)

    def latest(self, *, now: dt.datetime, max_age: float, window: int) -> tuple[StoredRun, ...]:
        """The latest runs that are not older than ``max_age`` seconds, at most ``window``."""
        young = [run for run in self.runs if (now - run.moment).total_seconds() <= max_age]
        return tuple(young[-window:])

    def add(self, run: StoredRun, *, now: dt.datetime) -> Series:
        """With ``run``; the first anchor is made of the first runs as soon as there are enough.

        Raises SeriesProblem where the run is there already.
        """
        if any(run.run == other.run for other in self.runs):
            raise SeriesProblem(f"the run {run.run} is there already")
        runs = tuple(sorted((*self.runs, run), key=lambda one: (one.finished, one.run)))
        grown = replace(self, runs=runs)
        if grown.anchors or len(runs) < LEAST:
            return grown
        first = Anchor(runs=_ids(runs[:LEAST]), set=_told(now), reason=f"the first {LEAST} promoted runs")
        return replace(grown, anchors=(first,))

    def re_anchored(self, count: int, reason: str, *, now: dt.datetime) -> Series:
        """Anchored at the latest ``count`` runs. Raises SeriesProblem where there are not so many, or too few."""
        if count < LEAST:
            raise SeriesProblem(f"an anchor takes at least {LEAST} runs, seen {count}")
        if len(self.runs) < count:
            raise SeriesProblem(f"there are {len(self.runs)} runs, and {count} are to be the anchor")
        if not reason.strip():
            raise SeriesProblem("an anchor takes a reason: what made the service slower or faster for good")
        new = Anchor(runs=_ids(self.runs[-count:]), set=_told(now), reason=reason.strip())
        return replace(self, anchors=(*self.anchors, new))

    def prunable(self, *, now: dt.datetime, older_than: float | None, keep: int | None) -> tuple[StoredRun, ...]:
        """Runs older than so many seconds, and all but the latest ``keep``; those of the anchor never."""
        kept = {run.run for run in self.anchor}
        beyond = set() if keep is None else {run.run for run in self.runs[: max(len(self.runs) - keep, 0)]}
        if older_than is not None:
            beyond |= {run.run for run in self.runs if (now - run.moment).total_seconds() > older_than}
        return tuple(run for run in self.runs if run.run in beyond - kept)

    def without(self, gone: Sequence[StoredRun]) -> Series:
        """Without these runs."""
        names = {run.run for run in gone}
        return replace(self, runs=tuple(run for run in self.runs if run.run not in names))

    def dumps(self) -> str:
        """The file's text: readable JSON in one order, with the hash of its canonical form."""
        content = msgspec.to_builtins(self)
        return msgspec.json.format(canonical({**content, "sha256": sha256_of(content)}), indent=1) + "\n"


def loads(text: str) -> Series:
    """The reverse of `Series.dumps`. Raises SeriesProblem for what was damaged, edited, or is something else."""
    try:
        content: Any = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise SeriesProblem(f"not JSON, perhaps cut short: {error}") from None
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise SeriesProblem(f"expected a {KIND}, seen something else")
    if content.get("schema") != SCHEMA:
        raise SeriesProblem(f"expected schema {SCHEMA}, seen {content.get('schema')!r}: written by another version")
    told = content.pop("sha256", None)
    if told != sha256_of(content):
        raise SeriesProblem("the content does not match its hash: it was edited by hand, or damaged")
    try:
        series = msgspec.convert(content, Series)
    except msgspec.ValidationError as error:
        raise SeriesProblem(str(error)) from None
    names = [run.run for run in series.runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SeriesProblem(f"the run {twice[0]} is there twice")
    if list(series.runs) != sorted(series.runs, key=lambda one: (one.finished, one.run)):
        raise SeriesProblem("the runs are not in order of their ends")
    if series.anchors and (lost := [name for name in series.anchors[-1].runs if name not in names]):
        raise SeriesProblem(f"the run {lost[0]} belongs to the anchor and is missing")
    return series


def reference(name: str, runs: Sequence[StoredRun]) -> Reference:
    """The quantiles of ``runs`` in seconds, as the judge takes them."""
    levels = {level: [run.levels[key] / 1e6 for run in runs if key in run.levels] for key, level in _KEYS}
    return Reference(name=name, levels=levels)


_KEYS: Final[tuple[tuple[Literal["p50", "p95", "p99"], float], ...]] = (
    ("p50", LEVELS["p50"]),
    ("p95", LEVELS["p95"]),
    ("p99", LEVELS["p99"]),
)


def _ids(runs: Sequence[StoredRun]) -> tuple[str, ...]:
    return tuple(run.run for run in runs)


def _told(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
