"""A run held against the series of those before it: the conclusion in words and numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seatrial.baseline.series import LEAST, Series, reference
from seatrial.baseline.store import Store
from seatrial.environment.model import Objectives, Service, StoredBaselines
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.judge.baseline import BaselineRule, BaselineVerdict, Levels, Reference, judge_against
from seatrial.judge.latency import milliseconds
from seatrial.load.fingerprint import Fingerprint
from seatrial.load.measurement import Measurement
from seatrial.load.place import PlaceProblem
from seatrial.load.summary import BEYOND, LEVELS, quantiles

DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Before:
    """What a run is held against, and how old it is, for people."""

    series: Series
    references: tuple[Reference, ...]
    told: str


def before(series: Series, rules: StoredBaselines, *, now: dt.datetime, leave_out: Sequence[str] = ()) -> Before:
    """The latest runs of ``series`` and, where it is another set, its anchor; without the runs to ``leave_out``."""
    gone = [run for run in series.runs if run.run in leave_out]
    known = series.without(gone)
    latest = known.latest(now=now, max_age=rules.max_age, window=rules.window)
    anchor = known.anchor
    sets = [reference("the latest runs", latest)]
    if anchor and {run.run for run in anchor} != {run.run for run in latest}:
        sets.append(reference("the anchor", anchor))
    ages = [(now - run.moment).total_seconds() / DAY for run in (latest[:1] + latest[-1:])]
    old = len(known.runs) - len(known.latest(now=now, max_age=rules.max_age, window=len(known.runs) or 1))
    told = f"{len(latest)} latest runs" + (f", {ages[1]:.0f} to {ages[0]:.0f} days old" if ages else "")
    told += f", and an anchor of {len(anchor)}" if len(sets) > 1 else ""
    told += f"; {old} are older than {rules.max_age / DAY:.0f} days" if old else ""
    return Before(series=known, references=tuple(sets), told=told)


def rule_of(objectives: Objectives, confidence: float) -> BaselineRule:
    """Margins and levels as against a control."""
    return BaselineRule(
        relative_margin=objectives.relative_margin,
        absolute_margin=objectives.absolute_margin,
        confidence=confidence,
        required=(0.5, 0.95) if objectives.latency_p99 is None else (0.5, 0.95, 0.99),
        least=LEAST,
    )


def assess_runs(
    where: str, seen: Levels, earlier: Before, rule: BaselineRule, *, path: Path | None = None
) -> Assessment:
    """The conclusion over one or several runs of a release; ``seen`` are quantiles in seconds."""
    if missing := [level for level in rule.required if not len(seen.get(level, ()))]:
        needed = round(BEYOND / (1 - max(missing)))
        return Assessment.inconclusive(
            f"{where}: too few requests for p{max(missing) * 100:g}, which takes {needed}",
            remedy="raise `duration` or `rate` of the load profile",
        )
    verdict = judge_against(seen, earlier.references, rule)
    message = f"{where}: {verdict.sentence}; the baseline is {earlier.told}"
    decisive = verdict.decisive
    if decisive is None:
        return Assessment.inconclusive(
            message,
            n=len(earlier.series.runs),
            remedy=f"let {verdict.lacking} more promoted runs enter it: `seatrial baseline update REPORTS`",
        )
    return Assessment(
        outcome=verdict.verdict,
        message=message,
        seen=milliseconds(decisive.seen),
        limit=milliseconds(decisive.usual + decisive.margin),
        interval=f"{milliseconds(decisive.usual + decisive.lower)} to {milliseconds(decisive.usual + decisive.upper)}",
        n=decisive.n,
        unit=f"ms at {decisive.name}",
        remedy=_remedy(verdict, path),
    )


def _remedy(verdict: BaselineVerdict, path: Path | None) -> str:
    assert verdict.decisive is not None
    if verdict.verdict is Outcome.FAIL:
        looked = f"look at the slowest requests in {path}; " if path else ""
        return (
            f"{looked}where the change is meant to stay: `seatrial baseline anchor --reason ...`, after runs that were "
            "promoted by other means"
        )
    if verdict.verdict is Outcome.PASS:
        return ""
    more = f"measure {verdict.needed} times more and compare them together" if verdict.needed else "raise the margin"
    return f"{more} (`seatrial baseline compare REPORTS...`), or run stable beside it, which sees far smaller changes"


def assess_alone(
    measurement: Measurement,
    objectives_say: Assessment,
    *,
    service: Service,
    profile: str,
    region: str,
    environment: str,
    store: Store,
    rules: StoredBaselines,
    run_id: str,
    now: dt.datetime,
) -> Assessment:
    """``latency/regression`` of a run without a control: against the stored baseline, where there is enough of one.

    Else ``objectives_say`` stands, with a word on what the baseline lacks. A store that cannot be relied on is an
    error: nobody should be promoted since a file was damaged.
    """
    if not measurement.soundness.sound:
        return objectives_say
    fingerprint = Fingerprint.of(service, measurement.profile, region=region)
    try:
        series = store.find(environment, measurement.service, profile, fingerprint.as_json())
        kin = store.kin(environment, measurement.service, profile) if series is None else []
    except PlaceProblem as problem:
        return Assessment.error(f"the stored baseline cannot be relied on: {problem}")
    if series is None:
        others = [fingerprint.differences(one.fingerprint) for one in kin]
        word = f"the stored baseline is of another load ({others[-1]})" if others else ""
        return _with_word(objectives_say, word)
    earlier = before(series, rules, now=now, leave_out=(run_id,))
    rule = rule_of(service.objectives, measurement.profile.confidence)
    told = quantiles(measurement.of(measurement.subject).latencies(measurement.profile.timeout))
    seen = {LEVELS[name]: [value / 1e6] for name, value in told.items()}
    where = f"{measurement.label} on {measurement.subject}"
    against = assess_runs(where, seen, earlier, rule, path=measurement.path)
    if min(len(each.of(0.5)) for each in earlier.references) < LEAST:
        lacking = f"the stored baseline does not decide yet: {earlier.told}, of {LEAST} that it takes"
        return _with_word(objectives_say, lacking)
    return _with_word(against, _objectives_word(objectives_say))


def _objectives_word(said: Assessment) -> str:
    words = {Outcome.PASS: "within its objectives", Outcome.FAIL: "beyond its objectives, which only tell here"}
    return words.get(said.outcome, "")


def _with_word(assessment: Assessment, word: str) -> Assessment:
    return replace(assessment, message=f"{assessment.message}; {word}") if word else assessment
