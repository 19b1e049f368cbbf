"""One measurement: a profile sent to one service, its samples, and whether they can be relied on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from seatrial.environment.model import LoadLimits, Objectives, Service, Track
from seatrial.environment.selection import ServiceTarget, label_of
from seatrial.evidence.outcome import CannotLook
from seatrial.load.driver import run_workers
from seatrial.load.fingerprint import path_of
from seatrial.load.histograms import write_histograms
from seatrial.load.live import Live, PairedLooks, Progress, error_rule, sequential_rule
from seatrial.load.naming import stem
from seatrial.load.picture import write_pictures
from seatrial.load.plan import Plan
from seatrial.load.profile import Profile, ProfileError, check_limits
from seatrial.load.samples import Floats, SampleFile, Samples, SamplesError, merge_samples, read_samples
from seatrial.load.schedule import Request, plan_schedule
from seatrial.load.stalls import find_stalls, told

STARTUP: Final = 20.0
"""Seconds that the sending process may take beyond the schedule and the last timeout, for start and end."""
LOOK_EVERY: Final = 10
"""Pairs between two looks; after five thousand of them a look for each five hundredth more."""
REFUSALS: Final = (401, 403, 429)
"""Answers that say that our load is not wanted, which is no fault of the release."""


class Pair(Protocol):
    """The service to measure: the track under test and, beside a candidate, stable as its control."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> ServiceTarget: ...  # noqa: D102
    @property
    def control(self) -> ServiceTarget | None: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Soundness:
    """What the measurement says of itself. ``problems`` is empty where it can be relied on.

    ``lateness_p99`` is in seconds; ``achieved`` is the rate of sending over the scheduled one; ``cpu`` the use of one
    core by the sending process, the busiest of several. ``overhead`` are seconds from due to end of requests like these
    to a server that answers at once, measured just before.
    """

    scheduled: int = 0
    sent: int = 0
    unsent: int = 0
    lateness_p99: float = 0.0
    achieved: float = 0.0
    cpu: float = 0.0
    overhead_p50: float = 0.0
    overhead_p99: float = 0.0
    problems: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether a verdict may rest on this."""
        return not self.problems

    def __str__(self) -> str:
        return (
            f"{self.sent} of {self.scheduled} requests sent, lateness p99 {self.lateness_p99 * 1000:.1f} ms, "
            f"{self.achieved:.1%} of the scheduled rate, {self.cpu:.0%} of a core, "
            f"own overhead p50 {self.overhead_p50 * 1000:.1f} ms, p99 {self.overhead_p99 * 1000:.1f} ms"
        )


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Samples of one service, or of its copy in ``region``. ``control`` is None where only one track was measured."""

    service: str
    subject: Track
    control: Track | None
    profile: Profile
    path: Path
    samples: Samples
    soundness: Soundness
    region: str = ""

    @property
    def label(self) -> str:
        """``service``, or ``service/region``."""
        return label_of(self.service, self.region)

    @property
    def stem(self) -> str:
        """How its files begin."""
        return stem(self.service, self.region)

    def of(self, track: Track) -> Samples:
        """What counts of one track, in order of due times."""
        return self.samples.measured().of(track)

    def looks(self, objectives: Objectives) -> PairedLooks:
        """What looking at one pair after the other came to. Needs a control."""
        assert self.control is not None
        looks = _looks(objectives, self.profile)
        early = self.samples.where(self.samples.warm_up & ~np.isnan(self.samples.sent)).of(self.control)
        looks.warm_up += early.latencies(self.profile.timeout).tolist()
        control, subject = self.paired_latencies()
        begin = 0
        while begin < len(control) and not looks.decided:
            part = slice(begin, begin + max(LOOK_EVERY, begin // 500))
            looks.feed(control[part], subject[part])
            begin = part.stop
        return looks

    def stalls(self) -> str:
        """Moments in which a track answered nobody, in a phrase; empty where there were none."""
        found = [
            stall
            for track in (self.subject, self.control)
            if track is not None
            for stall in find_stalls(self.of(track), track)
        ]
        measured = self.samples.measured()
        seconds = float(np.nanmax(measured.end) - measured.due.min()) if len(measured) else 0.0
        return told(tuple(found), seconds)

    def paired_first_tokens(self) -> tuple[Floats, Floats]:
        """As :meth:`paired_latencies`, of the times to the first event of a stream."""
        return self._paired(lambda samples: samples.first_tokens(self.profile.timeout))

    def paired_latencies(self) -> tuple[Floats, Floats]:
        """Latencies of control and subject, in seconds, of the pairs of which both were sent."""
        return self._paired(lambda samples: samples.latencies(self.profile.timeout))

    def paired_paces(self) -> tuple[Floats, Floats]:
        """As :meth:`paired_latencies`, of the mean seconds from one piece of a stream to the next.

        Of the pairs of which both have such a pace: a stream of one piece has none.
        """
        control, subject = self._paired(lambda samples: samples.seconds_per_token(self.profile.timeout))
        known = ~np.isnan(control) & ~np.isnan(subject)
        return control[known], subject[known]

    def paired_by_class(self) -> tuple[Floats, Floats, NDArray[np.str_]]:
        """As :meth:`paired_latencies`, with the class of prompt that the two of a pair share."""
        assert self.control is not None
        control, subject = self.of(self.control), self.of(self.subject)
        _, left, _ = np.intersect1d(control.pair, subject.pair, assume_unique=True, return_indices=True)
        return (*self.paired_latencies(), control.prompt_class[left])

    def _paired(self, metric: Callable[[Samples], Floats]) -> tuple[Floats, Floats]:
        assert self.control is not None
        control, subject = self.of(self.control), self.of(self.subject)
        _, left, right = np.intersect1d(control.pair, subject.pair, assume_unique=True, return_indices=True)
        return metric(control)[left], metric(subject)[right]


def judge_soundness(file: SampleFile, profile: Profile, *, scheduled: int, tracks: Sequence[Track]) -> Soundness:
    """Hold the measurement against the profile's bounds; everything out of bounds is named."""
    samples, footer, bounds = file.samples, file.footer, profile.bounds
    counted = samples.where(~samples.warm_up)
    sent = samples.measured()
    problems = [f"not one request was sent to {track}" for track in tracks if not len(sent.of(track))]
    if footer.stopped and footer.scheduled < scheduled:
        scheduled = footer.scheduled
    if footer.scheduled != scheduled or footer.written != scheduled:
        problems.append(f"expected {scheduled} samples, seen {footer.written}")
    unsent = len(counted) - len(sent)
    if len(counted) and unsent / len(counted) > bounds.unsent:
        problems.append(f"{unsent} of {len(counted)} requests were not sent, tolerated {bounds.unsent:.1%}")
    lateness = float(np.quantile(sent.sent - sent.due, 0.99)) if len(sent) else 0.0
    if lateness > bounds.lateness_p99:
        problems.append(
            f"requests were sent late: p99 {lateness * 1000:.1f} ms, tolerated {bounds.lateness_p99 * 1000:.1f} ms"
        )
    achieved = 0.0
    if len(sent) > 1:
        took, planned = np.ptp(sent.sent), np.ptp(counted.due)
        achieved = float((len(sent) - 1) / took * planned / (len(counted) - 1))
        if achieved < bounds.achieved:
            problems.append(f"only {achieved:.1%} of the scheduled rate was reached, expected {bounds.achieved:.1%}")
    cpu = footer.cpu / footer.wall if footer.wall > 0 else 0.0
    if cpu > bounds.cpu:
        problems.append(f"the sending process used {cpu:.0%} of a core, tolerated {bounds.cpu:.0%}")
    for name, seen, most in (
        ("p50", footer.overhead_p50, bounds.overhead_p50),
        ("p99", footer.overhead_p99, bounds.overhead_p99),
    ):
        if seen > most:
            problems.append(
                f"a request to a server that answers at once took us {name} {seen * 1000:.1f} ms, "
                f"tolerated {most * 1000:.1f} ms"
            )
    refused = [float(np.isin(sent.of(track).status, REFUSALS).mean()) for track in tracks if len(sent.of(track))]
    if refused and min(refused) > bounds.refused:
        problems.append(
            f"every track refused our requests (401, 403 or 429), the least {min(refused):.1%} of them: "
            "look at `auth` of the service and at rate limits"
        )
    return Soundness(
        scheduled=len(counted),
        sent=len(sent),
        unsent=unsent,
        lateness_p99=lateness,
        achieved=achieved,
        cpu=cpu,
        overhead_p50=footer.overhead_p50,
        overhead_p99=footer.overhead_p99,
        problems=tuple(problems),
    )


def _looks(objectives: Objectives, profile: Profile) -> PairedLooks:
    return PairedLooks(
        latency_rule=sequential_rule(objectives, confidence=profile.confidence, timeout=profile.timeout),
        failure_rule=error_rule(objectives, confidence=profile.confidence),
    )


def _body(service: Service, profile: Profile) -> dict[str, object] | None:
    if service.protocol != "openai":
        return None
    body: dict[str, object] = {"model": service.model}
    if profile.max_tokens:
        body["max_tokens"] = profile.max_tokens
    if profile.stream:
        body["stream"] = True
    return body


def _plan(pair: Pair, profile: Profile, requests: Sequence[Request], *, run_id: str, samples: Path) -> Plan:
    service, targets = pair.subject.service, _targets(pair)
    chat = service.protocol == "openai"
    longest = max(len(dialogue.turns) for dialogue in profile.prompts)
    return Plan(
        run_id=run_id,
        service=pair.name,
        region=pair.subject.region,
        urls={track: target.base_url for track, target in targets.items()},
        path=path_of(service, profile),
        dialogues=profile.prompts,
        body=_body(service, profile),
        stream=profile.stream and chat,
        expect='"choices"' if chat else "",
        timeout=profile.timeout,
        connect_timeout=min(service.connect_timeout, profile.timeout),
        # All that can be open where nobody is answered; a turn is open while it waits for the one before it.
        in_flight=int(profile.rate * len(targets) * profile.timeout * longest / profile.workers) + 10,
        ca_file=service.tls.ca_file,
        samples=str(samples),
        requests=requests,
        workers=profile.workers,
    )


def _targets(pair: Pair) -> Mapping[Track, ServiceTarget]:
    targets = [pair.control, pair.subject]
    return {target.track: target for target in targets if target is not None}


def measure(
    pair: Pair,
    profile: Profile,
    *,
    run_id: str,
    directory: Path,
    limits: LoadLimits,
    environment: str = "",
    bearer: str | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Measurement:
    """Send ``profile`` to the tracks of ``pair`` and read back what happened; files go into ``directory``.

    It ends before the profile does where a candidate is shown to be bad, or good in all that is judged. ``report`` is
    told about once a second how far it is. ``<service>.ndjson`` holds the raw samples, ``<service>@<region>.ndjson``
    those of a region, ``<service>.plan.json`` the schedule, ``<service>.log`` the sending process's output. Raises
    CannotLook where the environment does not allow it (nothing is sent then), where Locust is missing or crashed, or
    where the samples are incomplete. A measurement out of bounds is returned: its soundness says what is wrong with it.
    """
    targets = _targets(pair)
    tracks: list[Track] = list(targets)
    try:
        check_limits(profile, limits, tracks=len(tracks), environment=environment)
    except ProfileError as refusal:
        raise CannotLook(str(refusal)) from None
    service = pair.subject.service
    requests = plan_schedule(profile, tracks)
    directory.mkdir(parents=True, exist_ok=True)
    region, files = pair.subject.region, stem(pair.name, pair.subject.region)
    samples, written, log = (directory / f"{files}.{suffix}" for suffix in ("ndjson", "plan.json", "log"))
    plan = _plan(pair, profile, requests, run_id=run_id, samples=samples)
    plan.write(written)
    for file in (samples, *plan.files()):
        file.unlink(missing_ok=True)
    live = Live(
        plan.files(),
        service=pair.subject.label,
        scheduled=len(requests),
        subject=pair.subject.track,
        control=pair.control.track if pair.control else None,
        timeout=profile.timeout,
        looks=_looks(service.objectives, profile) if pair.control else None,
        report=report,
    )
    # The turns of a conversation wait for each other, at worst as long as each may take.
    longest = max(len(dialogue.turns) for dialogue in profile.prompts)
    within = requests[-1].due + longest * profile.timeout + STARTUP
    run_workers(written, log, bearer=bearer, within=within, workers=profile.workers, enough=live.follow)
    try:
        if profile.workers > 1:
            merge_samples(plan.files(), samples)
        measured = read_samples(samples, run_id=run_id, service=pair.name)
    except SamplesError as error:
        raise CannotLook(f"the samples cannot be relied on: {error}; the log is {log}") from error
    counted = {track: measured.samples.measured().of(track) for track in tracks}
    write_histograms(counted, directory, service=files, timeout=profile.timeout)
    write_pictures(counted, directory, service=files, timeout=profile.timeout)
    return Measurement(
        service=pair.name,
        subject=pair.subject.track,
        control=pair.control.track if pair.control else None,
        profile=profile,
        path=samples,
        samples=measured.samples,
        soundness=judge_soundness(measured, profile, scheduled=len(requests), tracks=tracks),
        region=region,
    )
