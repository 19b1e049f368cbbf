"""What the commands print of series: tables of runs, of one line each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from seatrial.baseline.history import ChangePoint
from seatrial.baseline.series import LEAST, Series, StoredRun
from seatrial.environment.model import StoredBaselines


def name_of(series: Series) -> str:
    """The series in a few words."""
    region = f", region {series.fingerprint['region']}" if series.fingerprint.get("region") else ""
    return f"{series.service} under {series.profile} in {series.environment}{region}"


def counted(runs: int) -> str:
    """So many runs, in words that agree."""
    return f"{runs} run{'' if runs == 1 else 's'}"


def listed(series: Series, rules: StoredBaselines, *, now: dt.datetime) -> str:
    """One line: how many runs there are, of what age, and whether they decide."""
    latest = series.latest(now=now, max_age=rules.max_age, window=rules.window)
    span = f", {series.runs[0].finished[:10]} to {series.runs[-1].finished[:10]}" if series.runs else ""
    state = "decides" if len(latest) >= LEAST else f"does not decide yet: {LEAST - len(latest)} more to come"
    return f"{name_of(series)}: {counted(len(series.runs))}{span}; {state}"


def shown(series: Series, rules: StoredBaselines, points: Sequence[ChangePoint], *, now: dt.datetime) -> Iterator[str]:
    """The history, the oldest first, with what each run is part of and the change points before it."""
    latest = {run.run for run in series.latest(now=now, max_age=rules.max_age, window=rules.window)}
    anchor = {run.run for run in series.anchor}
    yield listed(series, rules, now=now)
    for one in series.anchors:
        yield f"anchor of {len(one.runs)} runs, set {one.set}: {one.reason}"
    yield ""
    yield f"{'finished':<21}{'release':<16}{'p50':>9}{'p95':>9}{'p99':>9}  {'failed':>12}  part of         run"
    for run in series.runs:
        yield from (f"  ~ {point}" for point in points if point.run == run.run)
        parts = [name for name, members in (("anchor", anchor), ("latest", latest)) if run.run in members]
        yield _row(run, ", ".join(parts) or "-")
    yield "times in ms"


def _row(run: StoredRun, part: str) -> str:
    levels = "".join(f"{_milliseconds(run.levels.get(name)):>9}" for name in ("p50", "p95", "p99"))
    failed = f"{run.failed} of {run.requests}"
    return f"{run.finished:<21}{run.release[:15]:<16}{levels}  {failed:>12}  {part:<14}  {run.run}"


def _milliseconds(value: int | None) -> str:
    return "-" if value is None else f"{value / 1000:.1f}"
