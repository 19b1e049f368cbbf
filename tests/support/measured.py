"""Measurements made of numbers, as if they had been sent."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seatrial.load.measurement import Measurement, Soundness
from seatrial.load.profile import Profile
from seatrial.load.samples import Samples

Floats = NDArray[np.float64]


def samples(track: str, latencies: Floats, **columns: Any) -> Samples:
    """Requests to one track, fifty a second; ``columns`` replace those that follow from the latencies."""
    n = len(latencies)
    due = np.arange(n) / 50
    values: dict[str, Any] = {
        "track": np.full(n, track),
        "pair": np.arange(n),
        "warm_up": np.zeros(n, dtype=bool),
        "due": due,
        "sent": due,
        "first": due + latencies / 2,
        "end": due + latencies,
        "status": np.full(n, 200),
        "bytes": np.full(n, 100),
        "error": np.full(n, "", dtype="<U20"),
        "gap": np.zeros(n),
        "pieces": np.full(n, 11),
        "last": due + latencies,
        "prompt_class": np.full(n, "default"),
    }
    return Samples(**{**values, **columns})


def measurement(
    stable: Samples | None, candidate: Samples, *, path: Path = Path("chat.ndjson"), **changes: Any
) -> Measurement:
    """The candidate beside stable, or alone."""
    both = [each for each in (stable, candidate) if each is not None]
    columns = {name: np.concatenate([getattr(each, name) for each in both]) for name in both[0].__dataclass_fields__}
    profile = {"rate": 50, "duration": "10s", "prompts": ["x"], "timeout": "5s", "stream": True, **changes}
    return Measurement(
        service="chat",
        subject="candidate",
        control=None if stable is None else "stable",
        profile=Profile.model_validate(profile),
        path=path,
        samples=Samples(**columns),
        soundness=Soundness(sent=sum(map(len, both))),
    )
