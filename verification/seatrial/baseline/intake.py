"""From the folder of a run to what may enter the baseline: promoted, healthy and sound, or refused with the reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from seatrial.baseline.series import Series, StoredRun
from seatrial.environment.selection import label_of
from seatrial.load.summary import SCHEMA, file_sha256

REQUIRED: Final = ("p50", "p95")


class Refused(Exception):
    """A run, or a measurement of it, that may not enter; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A measurement that may enter, and the series that it belongs to, empty."""

    stored: StoredRun
    series: Series


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measurement as its summary tells of it. ``levels`` are in microseconds."""

    path: Path
    run: str
    environment: str
    service: str
    profile: str
    fingerprint: Mapping[str, str]
    control: str
    sound: bool
    problems: tuple[str, ...]
    requests: int
    planned: int
    failed: int
    samples: str
    levels: Mapping[str, int]

    @property
    def label(self) -> str:
        """``service``, or ``service/region``."""
        return label_of(self.service, self.fingerprint.get("region", ""))


def run_folders(places: Sequence[Path]) -> list[Path]:
    """The folders of runs in ``places``: themselves, or those inside them; each once, links followed."""
    found: dict[Path, None] = {}
    for place in places:
        own = place / "evidence.json"
        inside = [own] if own.is_file() else sorted(place.glob("*/evidence.json"))
        found.update(dict.fromkeys(path.parent.resolve() for path in inside))
    return list(found)


def measurements(folder: Path) -> list[Measured]:
    """What was measured in the run of ``folder``. Raises Refused for a summary that cannot be read."""
    return [_measured(path) for path in sorted((folder / "samples" / "latency").glob("*.summary.json"))]


def _measured(path: Path) -> Measured:
    content = _object(path)
    try:
        if content["schema"] != SCHEMA:
            raise Refused(f"{path}: expected schema {SCHEMA}, seen {content['schema']!r}")
        track = content["tracks"][content["subject"]]
        return Measured(
            path=path,
            run=content["run"],
            environment=content["environment"],
            service=content["service"],
            profile=content["profile"],
            fingerprint=dict(content["fingerprint"]),
            control=content["control"],
            sound=content["sound"] is True,
            problems=tuple(content["problems"]),
            requests=int(track["requests"]),
            planned=int(content["planned"]),
            failed=int(track["failed"]),
            samples=content["samples"],
            levels=track["latency"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"{path}: not a summary of a measurement: {error!r}") from None


def candidates(folder: Path, decided: Path | None = None) -> Iterator[Candidate | Refused]:
    """Each measurement of the run in ``folder``: fit to enter, or why not.

    ``decided`` is the file of the decision, where it does not lie in the folder.
    """
    try:
        evidence, decision = _promoted(folder, decided or folder / "decision.json")
        measured = measurements(folder)
        if not measured:
            raise Refused("it measured no latencies that can be compared (samples/latency/*.summary.json)")
    except Refused as reason:
        yield reason
        return
    for one in measured:
        try:
            _fit(one, evidence)
            yield Candidate(stored=_stored(one, evidence, decision), series=_series(one))
        except Refused as reason:
            yield Refused(f"{one.label}: {reason}")


def _promoted(folder: Path, path: Path) -> tuple[dict[str, Any], str]:
    """The evidence of a run that the gate promoted, and the hash of the decision at ``path``. Raises Refused."""
    if not path.is_file():
        raise Refused(
            f"it was not decided: there is no {path}; run `seatrial gate {folder}`, or say with --decision where it is"
        )
    decision, evidence = _object(path), _object(folder / "evidence.json")
    if decision.get("decision") != "promote":
        raise Refused(f"it was not promoted: the decision is {decision.get('decision')!r}")
    run = evidence.get("run", {})
    if run.get("run-id") not in decision.get("runs", ()):
        raise Refused(f"the decision is about {decision.get('runs')}, and not about this run, {run.get('run-id')!r}")
    digest = hashlib.sha256((folder / "evidence.json").read_bytes()).hexdigest()
    if digest not in decision.get("evidence", {}).get("files", {}).values():
        raise Refused("the decision was made over other evidence: evidence.json has changed since, or was not read")
    if evidence.get("state") != "finished":
        raise Refused(f"it did not finish: it is {evidence.get('state')!r}")
    return evidence, file_sha256(path)


def _fit(one: Measured, evidence: Mapping[str, Any]) -> None:
    """Raises Refused where a measurement is not sound, not healthy, or not comparable with others."""
    if one.run != evidence["run"].get("run-id") or one.environment != evidence["run"].get("environment"):
        raise Refused(f"its measurement is that of the run {one.run!r} in {one.environment!r}")
    if not one.sound:
        raise Refused(f"the measurement was not sound: {'; '.join(one.problems)}")
    if one.control:
        raise Refused("it was measured beside stable, under twice the load: such runs need no stored baseline")
    outcomes = {
        case.get("check"): case.get("outcome")
        for case in evidence.get("outcomes", ())
        if case.get("object") == one.label and case.get("role") == "subject"
    }
    for check, accepted in (("latency/error-rate", ("pass",)), ("latency/regression", ("pass", "inconclusive"))):
        if outcomes.get(check) not in accepted:
            seen = outcomes.get(check) or "no outcome"
            raise Refused(f"it was not healthy: {check} expected {' or '.join(accepted)}, seen {seen}")
    if one.requests < one.planned:
        raise Refused(f"{one.requests} of {one.planned} requests count: it ended early, or left some unsent")
    if lacking := [level for level in REQUIRED if level not in one.levels]:
        raise Refused(f"{one.requests} requests are too few for {lacking[-1]}: it takes ten beyond it")
    raw = one.path.with_name(one.path.name.removesuffix(".summary.json") + ".ndjson")
    if not raw.is_file() or file_sha256(raw) != one.samples:
        raise Refused(f"the summary is not that of {raw.name}: one of them was changed or removed")


def _stored(one: Measured, evidence: Mapping[str, Any], decision: str) -> StoredRun:
    run = evidence["run"]
    content = {
        "run": one.run,
        "finished": run.get("finished"),
        "release": run.get("release-seen") or run.get("release-wanted") or "",
        "requests": one.requests,
        "failed": one.failed,
        "levels": dict(one.levels),
        "samples": one.samples,
        "decision": decision,
    }
    try:
        return msgspec.convert(content, StoredRun)
    except msgspec.ValidationError as error:
        raise Refused(f"what it says of itself is not usable: {error}") from None


def _series(one: Measured) -> Series:
    return Series(
        environment=one.environment, service=one.service, profile=one.profile, fingerprint=dict(one.fingerprint)
    )


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{path.name} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise Refused(f"{path.name} holds no object")
    return content
