"""Change points over a series, found by Apache Otava where it is installed (the extra ``history``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seatrial.baseline.series import StoredRun

INSTALL: Final = "pip install 'seatrial[history]', in an environment of its own: it wants an older NumPy"
FEWEST: Final = 8
"""Runs below which nothing is looked for."""


class NotInstalled(Exception):
    """Apache Otava is not there; the message says what to install."""


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """``run`` is the first at the new level. Levels are means in microseconds."""

    run: str
    level: str
    before: float
    after: float
    p_value: float

    def __str__(self) -> str:
        return (
            f"{self.level} {self.before / 1000:.1f} -> {self.after / 1000:.1f} ms "
            f"({self.after / self.before - 1:+.1%}, p={self.p_value:.2g}) from {self.run} on"
        )


def change_points(runs: Sequence[StoredRun], *, max_p_value: float = 0.001) -> tuple[ChangePoint, ...]:
    """Where the level of a quantile changed to stay, in order of the runs (E-divisive means with Student's t-test).

    Raises NotInstalled.
    """
    try:
        from otava.analysis import compute_change_points
    except ModuleNotFoundError as error:
        raise NotInstalled(f"change points need {error.name}: {INSTALL}") from None
    found = []
    for level in ("p50", "p95", "p99"):
        told = [run for run in runs if level in run.levels]
        if len(told) < FEWEST:
            continue
        values = [float(run.levels[level]) for run in told]
        points, _ = compute_change_points(values, window_len=50, max_pvalue=max_p_value, min_magnitude=0.0)
        found += [
            ChangePoint(
                run=told[point.index].run,
                level=level,
                before=float(point.stats.mean_1),
                after=float(point.stats.mean_2),
                p_value=float(point.stats.pvalue),
            )
            for point in points
        ]
    order = {run.run: number for number, run in enumerate(runs)}
    return tuple(sorted(found, key=lambda point: (order[point.run], point.level)))
