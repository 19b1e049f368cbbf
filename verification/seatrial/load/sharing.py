"""One measurement for several checks, also where they run in several processes: the first measures, the rest read.

Load is sent to one service at a time across all processes of a run, so that no measurement disturbs another.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from seatrial.evidence.outcome import CannotLook
from seatrial.load.measurement import Measurement, Pair, Soundness
from seatrial.load.naming import done_marker, stem
from seatrial.load.profile import Profile
from seatrial.load.samples import SamplesError, read_samples


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel gives it up with the process, so nobody waits for the dead."""
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def measured_once(
    pair: Pair, profile: Profile, *, run_id: str, directory: Path, take: Callable[[], Measurement]
) -> Measurement:
    """What ``take`` measured into ``directory``, in this process or another of the same run.

    A measurement that failed is not tried again: every check of the service raises the same CannotLook.
    """
    directory.mkdir(parents=True, exist_ok=True)
    region = pair.subject.region
    path, marker = directory / f"{stem(pair.name, region)}.ndjson", done_marker(directory, pair.name, region)
    with _alone(directory):
        if not marker.exists():
            try:
                taken = take()
            except CannotLook as reason:
                marker.write_text(json.dumps({"run": run_id, "cannot_look": str(reason)}), encoding="utf-8")
                raise
            marker.write_text(json.dumps({"run": run_id, "soundness": asdict(taken.soundness)}), encoding="utf-8")
            return taken
    content = json.loads(marker.read_text(encoding="utf-8"))
    if content["run"] != run_id:
        raise CannotLook(f"{marker}: expected the measurement of run {run_id!r}; seen that of {content['run']!r}")
    if "cannot_look" in content:
        raise CannotLook(content["cannot_look"])
    try:
        samples = read_samples(path, run_id=run_id, service=pair.name).samples
    except SamplesError as error:
        raise CannotLook(f"the samples cannot be relied on: {error}") from error
    soundness = content["soundness"]
    return Measurement(
        service=pair.name,
        subject=pair.subject.track,
        control=pair.control.track if pair.control else None,
        profile=profile,
        path=path,
        samples=samples,
        soundness=Soundness(**{**soundness, "problems": tuple(soundness["problems"])}),
        region=region,
    )
