"""What every check of a measurement says of one that is not sound."""

from __future__ import annotations

from dataclasses import replace

from seatrial.evidence.assessment import Assessment
from seatrial.load.measurement import Measurement


def unsound(measurement: Measurement) -> Assessment | None:
    """The error that it is, with the remedy; None where it is sound."""
    soundness = measurement.soundness
    if soundness.sound:
        return None
    return replace(
        Assessment.error(
            f"the measurement of {measurement.label} is not sound: {'; '.join(soundness.problems)} ({soundness})",
            remedy="repeat it from a machine that is less busy or nearer, or with a lower rate in the load profile; "
            f"raw samples: {measurement.path}",
        ),
        n=soundness.sent,
    )
