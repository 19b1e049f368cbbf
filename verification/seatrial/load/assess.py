"""From a measurement to what the checks conclude: soundness first, then the judge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule, judge_errors, percent
from seatrial.judge.latency import LatencyRule, LatencyVerdict, LevelComparison, compare_latency, milliseconds
from seatrial.judge.objective import judge_objective
from seatrial.judge.power import plan
from seatrial.judge.proportions import Counts
from seatrial.judge.sequential import Look
from seatrial.load.live import at_the_end, sequential_rule
from seatrial.load.measurement import Measurement
from seatrial.load.samples import Samples
from seatrial.load.soundness import unsound


def assess_latency(measurement: Measurement, objectives: Objectives) -> Assessment:
    """``latency/regression``: the subject against its control, or against the objectives where it has none."""
    problem = unsound(measurement)
    if problem is not None:
        return problem
    return (
        _against_objectives(measurement, objectives)
        if measurement.control is None
        else _against_control(measurement, objectives)
    )


def _against_control(measurement: Measurement, objectives: Objectives) -> Assessment:
    rule = LatencyRule(
        relative_margin=objectives.relative_margin,
        absolute_margin=objectives.absolute_margin,
        confidence=at_the_end(measurement.profile.confidence),
        required=(0.5, 0.95) if objectives.latency_p99 is None else (0.5, 0.95, 0.99),
        ceiling=measurement.profile.timeout,
    )
    verdict = compare_latency(*measurement.paired_latencies(), rule)
    where = f"{measurement.label} on {measurement.subject}"
    look = measurement.looks(objectives).latency
    if look is not None and look.decided:
        return _with_stalls(_looked(look, verdict, where, measurement.path), measurement)
    compared = _with_plan(_compared(verdict, where, measurement), measurement, objectives)
    return _with_stalls(compared, measurement)


def _with_plan(assessment: Assessment, measurement: Measurement, objectives: Objectives) -> Assessment:
    """Where it was not decided: what so many pairs can see here, so that the next budget is no guess."""
    profile = measurement.profile
    rule = sequential_rule(objectives, confidence=profile.confidence, timeout=profile.timeout)
    control, subject = measurement.paired_latencies()
    if assessment.outcome is not Outcome.INCONCLUSIVE or len(control) < rule.warm_up + rule.least_blocks * rule.block:
        return assessment
    if np.quantile(control[: rule.warm_up], 0.99) >= rule.ceiling:
        # Stable itself fails: there is no spread of its latencies to plan with.
        return assessment
    planned = plan(control, subject, rule, pairs=len(control), at_the_end=at_the_end(profile.confidence))
    return replace(assessment, message=f"{assessment.message}; {planned}")


def _with_stalls(assessment: Assessment, measurement: Measurement) -> Assessment:
    stalls = measurement.stalls()
    return replace(assessment, message=f"{assessment.message}; {stalls}") if stalls else assessment


def assess_first_token(measurement: Measurement, objectives: Objectives) -> Assessment:
    """``latency/first-token``: how soon a streamed answer begins, the subject against its control."""
    if not measurement.profile.stream:
        return Assessment.not_applicable("the load profile does not ask for streams")
    if measurement.control is None:
        return Assessment.not_applicable("there is no stable beside it to compare with")
    problem = unsound(measurement)
    if problem is not None:
        return problem
    rule = LatencyRule(
        relative_margin=objectives.relative_margin,
        absolute_margin=objectives.absolute_margin,
        confidence=measurement.profile.confidence,
        required=(0.5, 0.95),
        ceiling=measurement.profile.timeout,
    )
    verdict = compare_latency(*measurement.paired_first_tokens(), rule)
    where = f"{measurement.label} on {measurement.subject}, first token"
    return _compared(verdict, where, measurement)


def _compared(verdict: LatencyVerdict, where: str, measurement: Measurement) -> Assessment:
    decisive = verdict.decisive
    known = np.isfinite(decisive.candidate)
    remedies = {
        Outcome.PASS: "",
        Outcome.FAIL: f"compare both tracks request by request in {measurement.path}",
        Outcome.INCONCLUSIVE: f"send about {verdict.needed} more pairs: raise `duration` or `rate` of the load profile"
        if verdict.needed
        else f"see which requests fail on {measurement.control}, in {measurement.path}"
        if decisive.reason
        else "the difference lies at the margin itself: decide whether the margin is what users tolerate",
    }
    if verdict.by_overall is not None:
        return Assessment(
            outcome=verdict.verdict,
            message=f"{where}: {verdict.sentence}",
            seen=f"{verdict.by_overall.least:+.1%}",
            limit=f"{verdict.by_overall.tolerated:+.1%}",
            n=verdict.n,
            unit="at least, overall",
            remedy=remedies[verdict.verdict],
            findings=_beyond(verdict, where),
        )
    return Assessment(
        outcome=verdict.verdict,
        message=f"{where}: {verdict.sentence}",
        seen=milliseconds(decisive.candidate) if known else "",
        limit=milliseconds(decisive.control + decisive.margin) if known else "",
        interval=_interval(decisive) if np.isfinite(decisive.difference) else "",
        n=verdict.n,
        unit=f"ms at {decisive.name}",
        remedy=remedies[verdict.verdict],
        findings=_beyond(verdict, where),
    )


def _looked(look: Look, verdict: LatencyVerdict, where: str, path: Path) -> Assessment:
    """Decided by a look before the end; the comparison at the end tells how much it is."""
    shown = max(verdict.levels, key=lambda level: level.difference / level.margin if level.difference else -1.0)
    compared = [str(level) for level in verdict.levels if not level.reason]
    return Assessment(
        outcome=look.verdict,
        message=f"{where}: {look.explanation}. {'; '.join(compared)} (n={verdict.n} pairs)",
        seen=milliseconds(shown.candidate) if compared else "",
        limit=milliseconds(shown.control + shown.margin) if compared else "",
        interval=_interval(shown) if compared else "",
        n=verdict.n,
        unit=f"ms at {shown.name}",
        remedy=f"compare both tracks request by request in {path}" if look.verdict is Outcome.FAIL else "",
        findings=_beyond(verdict, where) if look.verdict is Outcome.FAIL else (),
    )


def _beyond(verdict: LatencyVerdict, where: str) -> tuple[Finding, ...]:
    if (overall := verdict.by_overall) is not None:
        expected, seen = f"at most {overall.tolerated:+.1%}", f"at least {overall.least:+.1%}"
        return (Finding(where=where, path="overall", expected=expected, seen=seen),)
    return tuple(
        Finding(
            where=where,
            path=level.name,
            expected=f"at most {milliseconds(level.control + level.margin)} ms",
            seen=f"{milliseconds(level.candidate)} ms",
        )
        for level in verdict.levels
        if level.verdict is Outcome.FAIL
    )


def _interval(level: LevelComparison) -> str:
    return f"{milliseconds(level.control + level.lower)} to {milliseconds(level.control + level.upper)}"


def _against_objectives(measurement: Measurement, objectives: Objectives) -> Assessment:
    where = f"{measurement.label} on {measurement.subject}"
    declared = [(0.95, objectives.latency_p95), (0.99, objectives.latency_p99)]
    latencies = measurement.of(measurement.subject).latencies(measurement.profile.timeout)
    verdicts = [
        judge_objective(latencies, level, objective, confidence=measurement.profile.confidence)
        for level, objective in declared
        if objective is not None
    ]
    if not verdicts:
        return Assessment.inconclusive(
            f"{where}: there is neither a candidate to compare nor an objective to meet",
            n=len(latencies),
            remedy=f"declare `latency_p95` under [services.{measurement.service}.objectives]",
        )
    worst = max(verdicts, key=lambda verdict: (verdict.verdict.rank, verdict.beyond / (1 - verdict.level)))
    return Assessment(
        outcome=worst.verdict,
        message=f"{where}: {worst.sentence}",
        seen=milliseconds(worst.seen) if np.isfinite(worst.seen) else "",
        limit=milliseconds(worst.objective),
        interval=f"{milliseconds(worst.lower)} to {milliseconds(worst.upper)}",
        n=worst.n,
        unit=f"ms at p{worst.level * 100:g}",
        remedy={
            Outcome.INCONCLUSIVE: f"send about {worst.needed} more requests: raise `duration` or `rate` of the load "
            "profile",
            Outcome.FAIL: f"look at the slowest requests in {measurement.path}",
        }.get(worst.verdict, ""),
    )


def _counts(samples: Samples) -> Counts:
    return Counts(failed=int((samples.error != "").sum()), total=len(samples))


def assess_errors(measurement: Measurement, objectives: Objectives) -> Assessment:
    """``latency/error-rate``: failed requests of the subject against stable's, and against the objective."""
    problem = unsound(measurement)
    if problem is not None:
        return problem
    subject = measurement.of(measurement.subject)
    control = measurement.of(measurement.control) if measurement.control else None
    rule = ErrorRule(
        objective=objectives.error_rate,
        relative_margin=objectives.relative_margin,
        confidence=at_the_end(measurement.profile.confidence)
        if control is not None
        else measurement.profile.confidence,
    )
    verdict = judge_errors(_counts(subject), None if control is None else _counts(control), rule)
    where = f"{measurement.label} on {measurement.subject}"
    classes = "".join(f"; {count} {name}" for name, count in subject.errors().items())
    look = measurement.looks(objectives).errors if control is not None else None
    findings = [
        Finding(where=where, path=name, expected="no failure", seen=f"{count} of {len(subject)} requests")
        for name, count in subject.errors().items()
    ]
    outcome, sentence = verdict.verdict, verdict.sentence
    if look is not None and look.decided:
        # What a look before the end decided stays decided; what was seen by the end is told with it.
        outcome, sentence = look.verdict, f"{look.explanation}. At the end: {verdict.sentence}"
    if outcome is Outcome.INCONCLUSIVE:
        remedy = (
            "stable fails as well: look at what both tracks share before blaming the release"
            if verdict.needed is None
            else f"send {verdict.needed} more requests: raise `duration` or `rate` of the load profile"
        )
    else:
        remedy = f"failures by class and time are in {measurement.path}" if findings else ""
    return Assessment(
        outcome=outcome,
        message=f"{where}: {sentence}{classes}",
        seen=percent(verdict.candidate.rate) if verdict.n else "",
        limit=percent(verdict.objective),
        interval=f"{percent(verdict.lower)} to {percent(verdict.upper)}",
        n=verdict.n,
        remedy=remedy,
        findings=findings,
    )
