"""One paragraph that explains a verdict over a measurement: what it rests on, how much it is, and what it cost."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from seatrial.environment.model import Objectives, Track
from seatrial.evidence.assessment import Assessment
from seatrial.judge.latency import LatencyRule, compare_latency, milliseconds
from seatrial.load.classes import class_differences, told
from seatrial.load.comparison_picture import comparison
from seatrial.load.measurement import Measurement
from seatrial.load.pace import pieces_per_second
from seatrial.load.samples import Samples

PICTURES = ("comparison", "ecdf", "percentiles", "timeline")
"""In the order in which a reader wants them."""


def latency_rule(measurement: Measurement, objectives: Objectives) -> LatencyRule:
    """That of the comparison at the end, as `latency/regression` makes it."""
    return LatencyRule(
        relative_margin=objectives.relative_margin,
        absolute_margin=objectives.absolute_margin,
        confidence=measurement.profile.confidence,
        required=(0.5, 0.95) if objectives.latency_p99 is None else (0.5, 0.95, 0.99),
        ceiling=measurement.profile.timeout,
    )


def explained(assessment: Assessment, measurement: Measurement, objectives: Objectives, *, root: Path) -> Assessment:
    """``assessment`` with its paragraph and the paths of its pictures, relative to ``root``, the run's folder."""
    if not assessment.applicable:
        return assessment
    folder = measurement.path.parent
    named = (folder / f"{measurement.stem}.{name}.svg" for name in PICTURES)
    pictures = tuple(
        path.relative_to(root).as_posix() for path in named if path.is_file() and path.is_relative_to(root)
    )
    return replace(assessment, explanation=paragraph(assessment, measurement, objectives), pictures=pictures)


def write_comparison(measurement: Measurement, objectives: Objectives) -> Path | None:
    """Draw the subject against its control beside the samples; None where there is no control, or nothing sound."""
    if measurement.control is None or not measurement.soundness.sound:
        return None
    rule = latency_rule(measurement, objectives)
    verdict = compare_latency(*measurement.paired_latencies(), rule)
    path = measurement.path.parent / f"{measurement.stem}.comparison.svg"
    path.write_text(comparison(verdict.levels, measurement.label, rule.confidence), encoding="utf-8")
    return path


def paragraph(assessment: Assessment, measurement: Measurement, objectives: Objectives) -> str:
    """The paragraph, whole sentences."""
    parts = [f"{assessment.outcome.value.capitalize()}: {assessment.message}."]
    if measurement.soundness.sound and measurement.control is not None:
        parts += _against_control(measurement, objectives)
    parts += [_costs(measurement), *(_of_track(measurement, track) for track in _tracks(measurement))]
    return " ".join(part for part in parts if part)


def _against_control(measurement: Measurement, objectives: Objectives) -> list[str]:
    rule = latency_rule(measurement, objectives)
    verdict = compare_latency(*measurement.paired_latencies(), rule)
    levels = "; ".join(map(str, verdict.levels))
    parts = [f"Over all {verdict.n} pairs, at {rule.confidence:.3g} confidence: {levels}."]
    look = measurement.looks(objectives).latency
    if look is not None:
        parts.append(f"Looked at while it ran: {look.explanation}.")
    if classes := told(class_differences(measurement, rule)):
        parts.append(f"{classes[0].upper()}{classes[1:]}; classes are noted, and decide nothing.")
    return parts


def _costs(measurement: Measurement) -> str:
    sent = measurement.samples.where(~np.isnan(measurement.samples.sent))
    if not len(sent):
        return "Nothing was sent."
    seconds = float(np.nanmax(sent.end) - sent.sent.min()) if not np.isnan(sent.end).all() else 0.0
    planned = measurement.profile.requests(len(_tracks(measurement)))
    early = f" of {planned} planned, since it was decided early or they were left unsent" if len(sent) < planned else ""
    return f"It cost {len(sent)} requests{early}, warm-up included, in {seconds:.1f} s."


def _of_track(measurement: Measurement, track: Track) -> str:
    samples = measurement.of(track)
    if not len(samples):
        return ""
    timeout = measurement.profile.timeout
    latencies = samples.latencies(timeout)
    facts = [
        f"{len(samples)} requests",
        f"p50 {milliseconds(float(np.quantile(latencies, 0.5)))} ms",
        f"p95 {milliseconds(float(np.quantile(latencies, 0.95)))} ms",
        f"{samples.bytes.sum() / len(samples):.0f} bytes an answer",
        errors_told(samples) or "no failure",
    ]
    rate = pieces_per_second(samples, timeout)
    if math.isfinite(rate):
        facts.append(f"{rate:.1f} pieces a second")
    return f"{track.capitalize()}: {', '.join(facts)}."


def errors_told(samples: Samples) -> str:
    """Failures by class, the most frequent first, with their shares; empty where there were none."""
    counts = samples.errors()
    return ", ".join(f"{count} {name} ({count / len(samples):.2%})" for name, count in counts.items())


def _tracks(measurement: Measurement) -> list[Track]:
    return [track for track in (measurement.control, measurement.subject) if track is not None]
