"""``latency/token-rate``: how fast a streamed answer goes on once it has begun, the subject against its control."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from seatrial.environment.model import Objectives
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome
from seatrial.judge.latency import LatencyRule, compare_latency
from seatrial.load.measurement import Measurement
from seatrial.load.samples import Samples
from seatrial.load.soundness import unsound

REQUIRED = (0.5,)
WATCHED = (0.95,)


def pieces_per_second(samples: Samples, timeout: float) -> float:
    """Median over the streams with more than one piece; NaN where there is none."""
    paces = samples.seconds_per_token(timeout)
    known = paces[~np.isnan(paces)]
    middle = float(np.median(known)) if len(known) else math.nan
    return 1 / middle if middle > 0 else math.nan


def assess_token_rate(measurement: Measurement, objectives: Objectives) -> Assessment:
    """The subject's streams go on as fast as its control's within the margin, at the median; p95 can only fail it.

    The absolute margin is that of a whole answer, shared out over the pieces of stable's median stream: noise between
    two pieces is no news where the answer takes no longer.
    """
    if not measurement.profile.stream:
        return Assessment.not_applicable("the load profile does not ask for streams")
    if measurement.control is None:
        return Assessment.not_applicable("there is no stable beside it to compare with")
    problem = unsound(measurement)
    if problem is not None:
        return problem
    control, subject = measurement.paired_paces()
    where = f"{measurement.label} on {measurement.subject}"
    pieces = measurement.of(measurement.control).pieces
    several = pieces[pieces > 1]
    if not len(several):
        return Assessment.inconclusive(
            f"{where}: stable's streams have a single piece each, so that there is no pace to compare",
            n=0,
            remedy="ask for longer answers (`prompts`, `max_tokens`), or see what on the way buffers streams",
        )
    rule = LatencyRule(
        relative_margin=objectives.relative_margin,
        absolute_margin=objectives.absolute_margin / (float(np.median(several)) - 1),
        confidence=measurement.profile.confidence,
        required=REQUIRED,
        watched=WATCHED,
        ceiling=measurement.profile.timeout,
    )
    verdict = compare_latency(control, subject, rule)
    rates = [
        pieces_per_second(measurement.of(track), measurement.profile.timeout)
        for track in (measurement.control, measurement.subject)
    ]
    decisive = verdict.decisive
    known = math.isfinite(decisive.difference) and decisive.candidate > 0
    more = f"send about {verdict.needed} more pairs: raise `duration` or `rate` of the load profile"
    held_up = f"see what holds the streams up on {measurement.control}, in {measurement.path}"
    assessment = Assessment(
        outcome=verdict.verdict,
        message=f"{where}: {rates[0]:.1f} -> {rates[1]:.1f} pieces a second at the median; time for a piece "
        f"{verdict.sentence}",
        n=verdict.n,
        unit=f"pieces/s at {decisive.name}",
        remedy={
            Outcome.FAIL: f"compare `first`, `last` and `pieces` of both tracks in {measurement.path}",
            Outcome.INCONCLUSIVE: more if verdict.needed else held_up,
        }.get(verdict.verdict, ""),
    )
    if not known:
        return assessment
    # A longer time for a piece is a lower rate, so the bounds change places.
    slow, fast = decisive.control + decisive.upper, decisive.control + decisive.lower
    return replace(
        assessment,
        seen=f"{1 / decisive.candidate:.1f}",
        limit=f"{1 / (decisive.control + decisive.margin):.1f}",
        interval=f"{1 / slow:.1f} to {1 / fast:.1f}" if math.isfinite(slow) and fast > 0 else "",
    )
