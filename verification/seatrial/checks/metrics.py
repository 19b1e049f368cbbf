"""What the platform's own metrics say of the release: of users' requests, not of ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final

from seatrial.checks.check import Check, check
from seatrial.environment.model import Environment, Service
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.http.bounded import NoAnswer
from seatrial.metrics.exposition import NoExposition
from seatrial.metrics.reading import Reading
from seatrial.metrics.series import NoEvidence

_WATCH: Final = "see that the release is scraped and that the names in [services.NAME.metrics] are those it uses"


def _evidence_needed(run: Callable[[Reading, Environment], Assessment]) -> Callable[[Reading, Environment], Assessment]:
    """No evidence is inconclusive, whichever series lacks it."""

    @wraps(run)
    def assess(reading: Reading, environment: Environment) -> Assessment:
        try:
            return run(reading, environment)
        except NoEvidence as lack:
            return Assessment.inconclusive(f"no evidence: {lack}", n=0, remedy=_WATCH)

    return assess


@check("metrics/reachable", suite="rollout", severity="major", per="service", needs=("metrics",))
@_evidence_needed
def reachable(reading: Reading, environment: Environment) -> Assessment:  # noqa: ARG001
    """Every process of the track under test is scraped, and its newest samples are fresh.

    Why: a release that cannot be watched is only noticed by its users, and every other metric is silent about it.

    Remedy: see that `/metrics` answers in this build, that the scrape configuration finds its pods, and that nothing
    between them and Prometheus refuses.
    """
    try:
        side = reading.subject
        known = reading.up_now(side)
        findings = [
            Finding(where=str(one), expected="up 1", seen=f"up {one.values[-1]:g}")
            for one in known
            if one.values[-1] != 1
        ]
        # What is down may have no fresh samples of its own: that it is down says more.
        watched = () if findings else reading.processes(side)
    except (NoAnswer, NoExposition) as problem:
        if (isinstance(problem, NoAnswer) and problem.ours) or reading.settings.prometheus is not None:
            raise
        return Assessment.failed(str(problem), seen="no metrics", limit="a page of metrics", remedy=_WATCH)
    count = len({one.target for one in (*known, *watched)})
    age = max(0.0, side.window.end - max((one.times[-1] for one in watched), default=side.window.end))
    held = f"{side}: {count} process(es) watched, newest sample {age:.0f} s old"
    return Assessment.of_findings(findings, held=held, broken="{count} process(es) cannot be scraped", n=count)


@check(
    "metrics/error-rate", suite="rollout", severity="critical", trigger="error-rate", per="service", needs=("metrics",)
)
@_evidence_needed
def error_rate(reading: Reading, environment: Environment) -> Assessment:  # noqa: ARG001
    """Users' requests fail no more often than the objective allows, nor clearly more than stable's or than before.

    Why: our own requests are few and alike; users find what nobody thought of.

    Remedy: the labels of the failing series and the logs of the window say which requests failed.
    """
    from seatrial.metrics.assess import assess_errors

    return assess_errors(reading)


@check("metrics/latency", suite="rollout", severity="critical", trigger="latency", per="service", needs=("metrics",))
@_evidence_needed
def latency(reading: Reading, environment: Environment) -> Assessment:  # noqa: ARG001
    """Users' requests are answered within the objectives, and no slower than stable's or than before.

    Why: load of our own has the length and the mix that we gave it, users' requests have theirs.

    Remedy: compare traces of slow requests; where the buckets of the histogram are too coarse to tell, add boundaries
    at the objective and around it.
    """
    from seatrial.metrics.assess import assess_latency

    return assess_latency(reading)


@check("metrics/saturation", suite="rollout", severity="major", per="service", needs=("metrics",))
@_evidence_needed
def saturation(reading: Reading, environment: Environment) -> Assessment:  # noqa: ARG001
    """No resource of the track under test is fuller than the environment tolerates, as a median over the window.

    Why: a release that needs all of its memory or CPU answers well until the next peak.

    Remedy: find what grew, or raise the limit; where it is `query` that is wrong, try it in Prometheus.
    """
    findings, told, n = [], [], 0
    for name, declared in reading.metrics.saturation.items():
        level = reading.level(name, declared, reading.subject)
        seen = f"{level.median:.4g} (between {level.least:.4g} and {level.most:.4g})"
        n += level.n
        told.append(f"{name} {seen}")
        if level.median > declared.limit:
            findings.append(Finding(where=level.series, path=name, expected=f"at most {declared.limit:g}", seen=seen))
    held = f"{reading.subject}: {', '.join(told)}"
    return Assessment.of_findings(findings, held=held, broken="{count} resource(s) are too full", n=n)


@check("metrics/restarts", suite="rollout", severity="major", per="service", needs=("metrics",))
@_evidence_needed
def restarts(reading: Reading, environment: Environment) -> Assessment:
    """No process of the track under test has started anew more often than the environment tolerates.

    Why: a process that dies every few minutes is up whenever somebody looks.

    Remedy: the last log of the process, and the reason of its end.
    """
    most = environment.rollout.max_restarts
    counted = reading.restarts(reading.subject)
    findings = [
        Finding(where=series, expected=f"at most {most} restarts", seen=str(count))
        for series, count in counted.items()
        if count > most
    ]
    held = f"{reading.subject.target.name}: none of {len(counted)} process(es) has started anew too often"
    return Assessment.of_findings(findings, held=held, broken="{count} process(es) restarted too often", n=len(counted))


@check("metrics/business", suite="rollout", severity="major", per="service", needs=("metrics",))
@_evidence_needed
def business(reading: Reading, environment: Environment) -> Assessment:  # noqa: ARG001
    """What the service is there for happens as it should: shares of events and levels that the environment names.

    Why: a chatbot that answers every question quickly with "I do not know" fails no request.

    Remedy: see what users asked in the window, and what changed for them.
    """
    from seatrial.metrics.assess import assess_business

    return assess_business(reading)


@check("metrics/alerts", suite="rollout", severity="major", per="service", needs=("metrics",))
@_evidence_needed
def alerts(reading: Reading, environment: Environment) -> Assessment:  # noqa: ARG001
    """No alert fires for the service that was silent before the release began to run.

    Why: somebody has already written down what must never happen to this service. What fired before, and what is
    silenced, is told and not held against the release.

    Remedy: the alert's own description and runbook.
    """
    began = reading.changed if reading.changed is not None else reading.now - reading.settings.window
    found = reading.alerts()
    fresh = [one for one in found if one.since > began and not one.silenced]
    findings = [
        Finding(where=str(one), expected="silent", seen=f"fires since {reading.now - one.since:.0f} s") for one in fresh
    ]
    others = [f"{one.name} {'is silenced' if one.silenced else 'fired before'}" for one in found if one not in fresh]
    told = f" ({', '.join(others)})" if others else ""
    held = f"no alert fires for {reading.target.name} that was silent before{told}"
    return Assessment.of_findings(findings, held=held, broken="{count} new alert(s) fire", n=len(found) + 1)


def checks_for(environment: Environment, service: Service) -> tuple[Check, ...]:
    """The checks that a service's declarations can answer, told from the environment alone."""
    source, declared = environment.metrics, service.metrics
    if source is None or declared is None:
        return ()
    unasked = set()
    if not declared.saturation:
        unasked.add(saturation.id)
    if not declared.business:
        unasked.add(business.id)
    if source.prometheus is None and source.alertmanager is None:
        unasked.add(alerts.id)
    return tuple(check for check in CHECKS if check.id not in unasked)


CHECKS: Final[tuple[Check, ...]] = (reachable, error_rate, latency, saturation, restarts, business, alerts)
