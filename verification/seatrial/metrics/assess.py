"""From a reading to what the checks conclude: enough evidence first, then the judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from seatrial.environment.selector import Selector
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.judge.buckets import BucketRule, BucketVerdict, judge_buckets
from seatrial.judge.errors import ErrorRule, ErrorVerdict, judge_errors, percent
from seatrial.judge.latency import milliseconds
from seatrial.judge.proportions import Counts
from seatrial.metrics.reading import Reading, Side
from seatrial.metrics.series import NoEvidence

T = TypeVar("T", Counts, Mapping[tuple[float, float], int])


def assess_errors(reading: Reading) -> Assessment:
    """``metrics/error-rate``: failed requests against the objective, and against the control's."""

    def measure(side: Side) -> Counts:
        failed, total = reading.requests(side)
        return Counts(failed=failed, total=total)

    found = _compared(reading, measure, reading.target.service.objectives.error_rate)
    return found if isinstance(found, Assessment) else _share(reading, *found, what="requests")


def assess_latency(reading: Reading) -> Assessment:
    """``metrics/latency``: quantiles, as far as buckets tell, against their objectives and the control's."""
    side = reading.subject
    candidate = reading.latencies(side)
    total = sum(candidate.values())
    lacking = _lacking(reading, side, total)
    if lacking is not None:
        return lacking
    others, note = _control(reading, reading.latencies, _observed)
    verdicts = [judge_buckets(candidate, others, rule) for rule in _rules(reading)]
    if others is None and reading.beside:
        verdicts = [
            replace(one, verdict=Outcome.INCONCLUSIVE) if one.verdict is Outcome.FAIL else one for one in verdicts
        ]
    verdict = max(verdicts, key=lambda one: one.verdict.rank)
    return _quantile(reading, verdict, f"{'; '.join(one.sentence for one in verdicts)}{note}")


def assess_business(reading: Reading) -> Assessment:
    """``metrics/business``: every share and every level that the environment names; the worst decides."""
    concluded = [_one_business(reading, name) for name in reading.metrics.business]
    worst = max(concluded, key=lambda one: one.outcome.rank)
    return replace(worst, message="; ".join(one.message for one in concluded))


def _lacking(reading: Reading, side: Side, total: int) -> Assessment | None:
    least = reading.settings.min_requests
    if total >= least:
        return None
    words = f"{side}: {total} requests decide nothing; at least {least} are needed"
    return Assessment.inconclusive(words, n=total, remedy="look again when there was more traffic, or over more time")


def _observed(buckets: Mapping[tuple[float, float], int]) -> int:
    return sum(buckets.values())


def _total(counts: Counts) -> int:
    return counts.total


def _control(reading: Reading, measure: Callable[[Side], T], size: Callable[[T], int]) -> tuple[T | None, str]:
    """What was measured of the control, and what is to be said of the comparison; None where there is too little."""
    control = reading.control
    if control is None:
        return None, "; nothing to compare with"
    try:
        measured = measure(control)
    except NoEvidence as lack:
        return None, f"; not compared, since there is no evidence: {lack}"
    if size(measured) < reading.settings.min_requests:
        return None, f"; not compared: only {size(measured)} requests to {control}"
    return measured, f"; compared with {control}"


def _compared(
    reading: Reading, measure: Callable[[Side], Counts], objective: float
) -> tuple[ErrorVerdict, str] | Assessment:
    """The judge's verdict on a share of events, and what is to be said of the comparison; or too little evidence."""
    side = reading.subject
    candidate = measure(side)
    lacking = _lacking(reading, side, candidate.total)
    if lacking is not None:
        return lacking
    others, note = _control(reading, measure, _total)
    objectives = reading.target.service.objectives
    rule = ErrorRule(
        objective=objective, relative_margin=objectives.relative_margin, confidence=reading.settings.confidence
    )
    verdict = judge_errors(candidate, others, rule)
    if verdict.verdict is Outcome.FAIL and others is None and reading.beside:
        note += ", so that the release cannot be told from what both tracks share"
        verdict = replace(verdict, verdict=Outcome.INCONCLUSIVE, needed=None)
    return verdict, note


def _share(reading: Reading, verdict: ErrorVerdict, note: str, *, what: str) -> Assessment:
    remedies = {
        Outcome.PASS: "",
        Outcome.FAIL: f"see which {what} are counted, by the labels of the series and in logs of the same time",
        Outcome.INCONCLUSIVE: f"wait for {verdict.needed} more events"
        if verdict.needed
        else "look at what both share before blaming the release",
    }
    return Assessment(
        outcome=verdict.verdict,
        message=f"{reading.subject}: {verdict.sentence}{note}",
        seen=percent(verdict.candidate.rate),
        limit=percent(verdict.objective),
        interval=f"{percent(verdict.lower)} to {percent(verdict.upper)}",
        n=verdict.n,
        remedy=remedies.get(verdict.verdict, ""),
    )


def _rules(reading: Reading) -> list[BucketRule]:
    objectives = reading.target.service.objectives
    declared = ((0.95, objectives.latency_p95), (0.99, objectives.latency_p99))
    wanted = [row for row in declared if row[1] is not None] or [(0.95, None)]
    return [
        BucketRule(
            level=level,
            objective=limit,
            relative_margin=objectives.relative_margin,
            absolute_margin=objectives.absolute_margin,
            confidence=reading.settings.confidence,
        )
        for level, limit in wanted
    ]


def _quantile(reading: Reading, verdict: BucketVerdict, sentence: str) -> Assessment:
    remedies = {
        Outcome.FAIL: "compare traces of slow requests of the window",
        Outcome.INCONCLUSIVE: f"wait for {verdict.needed} more requests"
        if verdict.needed
        else "add boundaries to the histogram around the objective, or compare over more time",
    }
    return Assessment(
        outcome=verdict.verdict,
        message=f"{reading.subject}: {sentence}",
        seen=f"{milliseconds(verdict.lower)} to {milliseconds(verdict.upper)}",
        limit="" if verdict.objective is None else milliseconds(verdict.objective),
        unit="ms",
        n=verdict.n,
        remedy=remedies.get(verdict.verdict, ""),
    )


def _one_business(reading: Reading, name: str) -> Assessment:
    declared = reading.metrics.business[name]
    if declared.part is not None and declared.whole is not None and declared.max_share is not None:
        part, whole = Selector.parse(declared.part), Selector.parse(declared.whole)

        def measure(side: Side) -> Counts:
            failed, total = reading.share(part, whole, side)
            return Counts(failed=failed, total=total)

        found = _compared(reading, measure, declared.max_share)
        concluded = found if isinstance(found, Assessment) else _share(reading, *found, what="events")
        words = concluded.message.replace("requests failed", "events counted").replace(
            "failures within", "share within"
        )
        return replace(concluded, message=f"{name}: {words}")
    low, high = declared.min, declared.max
    query = declared.query or ""
    levels = [
        *([reading.query(query, reading.subject, largest=False)] if low is not None else []),
        *([reading.query(query, reading.subject)] if high is not None else []),
    ]
    limit = " and ".join(
        [*([f"at least {low:g}"] if low is not None else []), *([f"at most {high:g}"] if high is not None else [])]
    )
    seen = ", ".join(f"{level.median:.4g} of {level.series}" for level in levels)
    out = any((low is not None and one.median < low) or (high is not None and one.median > high) for one in levels)
    words = f"{name}: {reading.subject}: median {seen}, expected {limit}"
    if out:
        return Assessment.failed(words, seen=seen, limit=limit, remedy=f"try it in Prometheus: {query}")
    return Assessment.passed(words, seen=seen, limit=limit, n=sum(level.n for level in levels))
