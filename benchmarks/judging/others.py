"""What judges of other tools make of the same streams, restated."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from judging.streams import TIMEOUT, Floats, Stream


def windows(values: Floats, count: int) -> Floats:
    """Values in equal parts, a row each."""
    return values[: len(values) // count * count].reshape(count, -1)


def mann_whitney_high(stable: Floats, candidate: Floats, *, confidence: float = 0.98, tolerance: float = 0.25) -> bool:
    """Kayenta's classifier with the defaults of its code (spinnaker/kayenta, MannWhitneyClassifier).

    High is what has the interval of its Hodges-Lehmann shift above a quarter of that shift itself.
    """
    shifts = candidate[:, None] - stable[None, :]
    bound = tolerance * abs(float(np.median(shifts)))
    # The interval lies above the bound where the test, with ties and continuity, rejects a shift of it.
    wins = float((shifts > bound).sum()) + 0.5 * float((shifts == bound).sum())
    n, m = shifts.shape
    _, ties = np.unique(np.concatenate((candidate - bound, stable)), return_counts=True)
    tied = float((ties**3 - ties).sum()) / ((n + m) * (n + m - 1))
    sigma = math.sqrt(n * m / 12 * (n + m + 1 - tied))
    return sigma > 0 and (wins - n * m / 2 - 0.5) / sigma > stats.norm.isf((1 - confidence) / 2)


def kayenta(stream: Stream, stable: Floats, candidate: Floats) -> bool:
    """Whether Kayenta calls mean latency or error rate of the windows high, once, at the end."""
    pair = [windows(each, stream.windows) for each in (stable, candidate)]
    latencies = [np.where(each < TIMEOUT, each, np.nan) for each in pair]
    failed = [(each >= TIMEOUT).mean(axis=1) for each in pair]
    slower = mann_whitney_high(*(np.nanmean(each, axis=1) for each in latencies))
    return slower or (bool(failed[1].any()) and mann_whitney_high(*failed))


def failed_checks(stream: Stream, candidate: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Windows in which a static check fails, and in which that of success alone does.

    As in an analysis of Argo Rollouts or a metric of Flagger: at least 99 % succeed, and p95 is no more than half above
    what stable's is known to be.
    """
    parts = windows(candidate, stream.windows)
    failing = (parts >= TIMEOUT).mean(axis=1) > 0.01
    limit = 1.5 * 0.1 * math.exp(stream.spread * float(stats.norm.ppf(0.95)))
    late = np.quantile(parts, 0.95, axis=1) > limit
    return np.flatnonzero(late | failing), np.flatnonzero(failing)


def ends_after(checks: NDArray[np.intp], allowed: int, window: int) -> int | None:
    """Requests until more than ``allowed`` checks have failed; None where they never do."""
    return int(checks[allowed] + 1) * window if len(checks) > allowed else None
