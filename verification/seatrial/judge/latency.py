"""Is the candidate slower than stable by more than a margin? Quantile by quantile, over pairs in order of time.

Of very many pairs a part is compared (:mod:`seatrial.judge.kept`), so that a million are judged in less than a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.evidence.outcome import Outcome
from seatrial.judge.blocks import BLOCKS
from seatrial.judge.exceedance import Latencies, quantile_interval
from seatrial.judge.kept import Kept
from seatrial.judge.overall import WHOLE, Overall, compare_overall, pairs_needed


@dataclass(frozen=True, kw_only=True)
class LatencyRule:
    """What counts as slower. Latencies are in seconds.

    ``required`` quantiles must all be shown to be within the margin for a pass; ``watched`` ones can fail the
    candidate, but lack of data there holds nobody up. A quantile needs ``beyond`` observations above it on each track.
    ``ceiling`` is the latency that failures are given: a quantile of stable that lies there compares nothing. A
    candidate slower on the whole by more than ``tolerated`` of the margin is failed where it is not shown to be within
    the margin.
    """

    relative_margin: float = 0.10
    absolute_margin: float = 0.010
    tolerated: float = 0.5
    confidence: float = 0.99
    required: tuple[float, ...] = (0.5, 0.95)
    watched: tuple[float, ...] = (0.99,)
    beyond: int = 10
    blocks: int = BLOCKS
    ceiling: float = math.inf


@dataclass(frozen=True, kw_only=True)
class LevelComparison:
    """One quantile of both tracks: estimates, difference, interval and margin in seconds, n in pairs.

    ``needed`` is how many more pairs would probably decide it, 0 where it is decided, None where no number of them
    would. An undecidable quantile has ``reason`` set, and no numbers where there were none.
    """

    level: float
    n: int
    verdict: Outcome
    control: float = math.nan
    candidate: float = math.nan
    difference: float = math.nan
    lower: float = -math.inf
    upper: float = math.inf
    margin: float = math.nan
    needed: int | None = 0
    reason: str = ""

    @property
    def name(self) -> str:
        """``p95`` for level 0.95."""
        return f"p{self.level * 100:g}"

    def __str__(self) -> str:
        if self.reason:
            return f"{self.name} undecidable: {self.reason}"
        return (
            f"{self.name} {milliseconds(self.control)} -> {milliseconds(self.candidate)} ms, difference "
            f"{milliseconds(self.difference, sign=True)} ms [{milliseconds(self.lower, sign=True)}, "
            f"{milliseconds(self.upper, sign=True)}], margin {milliseconds(self.margin)} ms"
        )


@dataclass(frozen=True, kw_only=True)
class LatencyVerdict:
    """Conclusion over all quantiles; ``decisive`` is the one that the sentence is about.

    ``overall`` is the comparison on the whole; None where there are too few pairs, or nothing to compare with.
    """

    verdict: Outcome
    decisive: LevelComparison
    levels: tuple[LevelComparison, ...]
    n: int
    needed: int | None
    confidence: float
    sentence: str
    overall: Overall | None = None

    @property
    def by_overall(self) -> Overall | None:
        """The comparison on the whole where it alone failed the candidate, with no quantile beyond its margin."""
        failed = self.verdict is Outcome.FAIL and self.decisive.verdict is not Outcome.FAIL
        return self.overall if failed else None


def milliseconds(seconds: float, *, sign: bool = False) -> str:
    """``seconds`` in milliseconds with one decimal, for people."""
    return f"{seconds * 1000:+.1f}" if sign else f"{seconds * 1000:.1f}"


def pairs_for(level: float, rule: LatencyRule) -> int:
    """The fewest pairs of which a quantile can be told."""
    return max(math.ceil(round(rule.beyond / min(level, 1 - level), 6)), 2 * rule.blocks)


def compare_level(control: Latencies, candidate: Latencies, level: float, rule: LatencyRule) -> LevelComparison:
    """Judge one quantile. The arrays are paired and in order of time."""
    n = len(control)
    least = pairs_for(level, rule)
    if n < least:
        return LevelComparison(
            level=level,
            n=n,
            verdict=Outcome.INCONCLUSIVE,
            needed=least - n,
            reason=f"{n} pairs, and it takes at least {least}",
        )
    before, after = (float(np.quantile(values, level)) for values in (control, candidate))
    margin = max(rule.relative_margin * before, rule.absolute_margin)
    if before >= rule.ceiling:
        return LevelComparison(
            level=level,
            n=n,
            verdict=Outcome.INCONCLUSIVE,
            control=before,
            candidate=after,
            margin=margin,
            needed=None,
            reason=f"at least {1 - level:.0%} of the requests to stable failed, so there is nothing to compare with",
        )
    # Any lower bound may fail the candidate, so what the comparison on the whole leaves of the allowance is shared out
    # among them. All upper bounds have to agree to pass it, so each may have all of it (Berger 1982,
    # "Multiparameter hypothesis testing and acceptance sampling").
    alpha = 1 - rule.confidence
    judged = sum(n >= pairs_for(each, rule) for each in {*rule.required, *rule.watched})
    lower, upper = quantile_interval(
        control, candidate, level, alpha=alpha * (1 - WHOLE) / judged, upper_alpha=alpha, blocks=rule.blocks
    )
    difference = after - before
    verdict, needed = Outcome.INCONCLUSIVE, None
    if lower > margin:
        verdict, needed = Outcome.FAIL, 0
    elif upper < margin:
        verdict, needed = Outcome.PASS, 0
    elif difference > margin:
        needed = pairs_needed(n, difference - lower, difference - margin)
    else:
        needed = pairs_needed(n, upper - difference, margin - difference)
    return LevelComparison(
        level=level,
        n=n,
        verdict=verdict,
        control=before,
        candidate=after,
        difference=difference,
        lower=lower,
        upper=upper,
        margin=margin,
        needed=needed,
    )


def _decisive(required: Sequence[LevelComparison], failed: Sequence[LevelComparison]) -> LevelComparison:
    if failed:
        return max(failed, key=lambda level: level.lower / level.margin)
    open_levels = [level for level in required if level.verdict is Outcome.INCONCLUSIVE]
    if open_levels:
        return max(open_levels, key=lambda level: math.inf if level.needed is None else level.needed)
    return max(required, key=lambda level: level.upper / level.margin)


def compare_latency(control: Latencies, candidate: Latencies, rule: LatencyRule) -> LatencyVerdict:
    """Non-inferiority of the candidate at every quantile of ``rule``.

    ``control[i]`` and ``candidate[i]`` are the latencies, in seconds, of the i-th pair in order of time, warm-up left
    out and failures given at least the timeout. Any quantile shown beyond its margin fails the candidate; all required
    ones shown within theirs pass it; else it fails where it is shown to be slower on the whole than is tolerated. The
    probability of either in error is at most ``1 - confidence``.

    Raises ValueError for arrays of unequal length.
    """
    pairs = Kept()
    pairs.add(control, candidate)
    return compare_kept(pairs, rule)


def compare_kept(pairs: Kept, rule: LatencyRule) -> LatencyVerdict:
    """As :func:`compare_latency`, of pairs that were taken as they came."""
    control, candidate = pairs.control, pairs.candidate
    required = [compare_level(control, candidate, level, rule) for level in rule.required]
    watched = [compare_level(control, candidate, level, rule) for level in rule.watched if level not in rule.required]
    failed = [level for level in (*required, *watched) if level.verdict is Outcome.FAIL]
    decisive = _decisive(required, failed)
    overall = None if any(level.reason for level in required) else _overall(control, candidate, rule)
    n = pairs.n
    confidence = f"{rule.confidence * 100:.3g}% confidence, n={n} pairs"
    if not pairs.whole:
        confidence += f", {len(control)} of them compared"
    needed: int | None = 0
    if failed:
        verdict = Outcome.FAIL
        sentence = f"slower than stable beyond the margin: {decisive} ({confidence})"
    elif decisive.verdict is Outcome.PASS:
        verdict = Outcome.PASS
        sentence = f"not slower than stable by more than the margin: {decisive} ({confidence})"
    elif overall is not None and overall.slower:
        verdict = Outcome.FAIL
        decisive = max(required, key=lambda level: level.difference / level.margin)
        sentence = f"slower than stable by more than is tolerated: {overall}; {decisive} ({confidence})"
    else:
        verdict = Outcome.INCONCLUSIVE
        ways = [way.needed for way in (decisive, overall) if way is not None and way.needed is not None]
        # Of so many pairs that some are left out, more would be left out as well.
        needed = max(min(ways), 1) if ways and pairs.whole else None
        wanted = "more requests would hardly decide it" if needed is None else f"about {needed} more pairs would"
        sentence = f"neither shown slower than stable nor shown not to be: {decisive} ({confidence}); {wanted}"
    return LatencyVerdict(
        verdict=verdict,
        decisive=decisive,
        levels=tuple(sorted((*required, *watched), key=lambda level: level.level)),
        n=n,
        needed=needed,
        confidence=rule.confidence,
        sentence=sentence,
        overall=overall,
    )


def _overall(control: Latencies, candidate: Latencies, rule: LatencyRule) -> Overall:
    return compare_overall(
        control,
        candidate,
        relative=rule.tolerated * rule.relative_margin,
        absolute=rule.tolerated * rule.absolute_margin,
        alpha=(1 - rule.confidence) * WHOLE,
        blocks=rule.blocks,
    )
