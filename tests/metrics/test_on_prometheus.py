"""The checks against a real Prometheus that scrapes two real processes, stable and candidate."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from seatrial.checks import metrics
from seatrial.environment.model import Environment
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import CannotLook, Outcome
from seatrial.http.bounded import open_address
from seatrial.metrics.alerts import firing
from seatrial.metrics.prometheus import Bounds, Prometheus
from seatrial.metrics.reading import Reading
from seatrial.metrics.source import ServerSource, service_conditions
from support.metrics import Counting, counting, eventually, prometheus, settings, targets

CHECKS = {check.id: check for check in metrics.CHECKS}
ENVIRONMENT = Environment(name="t")
PAIRS = 20
RULES = [{"alert": "QueueFull", "expr": "queue_full > 0.95", "labels": {"service": "chat"}}]


@dataclass
class Watched:
    """A running Prometheus with what it scrapes."""

    url: str
    server: Prometheus
    pair: str
    stable: Counting
    candidate: Counting

    def reading(
        self, *, changed: float | None = None, beside: bool = True, within: dict[str, Any] | None = None, **service: Any
    ) -> Reading:
        service["metrics"] = {"select": f'pair="{self.pair}"', **service.get("metrics", {})}
        subject, control = targets("http://stable", "http://candidate" if beside else None, **service)
        declared = settings(prometheus=self.url, **(within or {}))
        return Reading(
            source=ServerSource(self.server, declared, release="1.5.0"),
            settings=declared,
            subject=subject,
            control=control,
            now=time.time(),
            changed=changed,
            alerts=lambda target: firing(self.server.alerts(), self.url, service_conditions(target)),
        )

    def run(self, identity: str, **more: Any) -> Assessment:
        return CHECKS[identity].run(self.reading(**more), ENVIRONMENT)

    def newest(self) -> float:
        """When Prometheus scraped the stable process last."""
        labels = f'pair="{self.pair}",track="stable"'
        (found,) = self.server.instant(f"timestamp(up{{{labels}}})", at=time.time())
        return found.values[-1]

    def scraped(self, **more: Any) -> tuple[int, int]:
        """Waits until Prometheus has scraped what was counted last, and tells the failed and all requests."""
        expected = {"stable": self.stable.served, "candidate": self.candidate.served}

        def totals() -> dict[str, float]:
            found = self.server.instant(f'http_request_duration_seconds_count{{pair="{self.pair}"}}', at=time.time())
            return {one.labels["track"]: one.values[-1] for one in found}

        eventually(totals, lambda seen: seen == expected)
        reading = self.reading(**more)
        return reading.requests(reading.subject)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Watched]]:
    """One Prometheus for all tests, since it takes seconds to find what it scrapes; each takes a pair of its own."""
    with ExitStack() as stack:
        pairs = [(stack.enter_context(counting()), stack.enter_context(counting())) for _ in range(PAIRS)]
        scraped = [
            ({"pair": str(number), "track": track}, made)
            for number, pair in enumerate(pairs)
            for track, made in zip(("stable", "candidate"), pair, strict=True)
        ]
        free = iter(enumerate(pairs))
        started: list[tuple[str, Prometheus]] = []

        def take(command: str) -> Watched:
            if not started:
                folder = tmp_path_factory.mktemp("prometheus")
                url = stack.enter_context(prometheus(command, folder, scraped, RULES))
                client = stack.enter_context(open_address(url, run_id="r", connect_timeout=2, timeout=10))
                started.append((url, Prometheus(client, Bounds(within=10))))
            number, (stable, candidate) = next(free)
            ((url, server),) = started
            return Watched(url=url, server=server, pair=str(number), stable=stable, candidate=candidate)

        yield take


@pytest.fixture
def watched(fleet: Callable[[str], Watched], need: Callable[[str], str]) -> Watched:
    return fleet(need("prometheus"))


def test_a_good_release(watched: Watched) -> None:
    watched.stable.serve(1000)
    watched.candidate.serve(1000)
    assert watched.scraped() == (0, 1000), "counts are whole, and births are not lost"
    service = {
        "objectives": {"latency_p95": "100ms"},
        "metrics": {
            "saturation": {
                "queue": {"gauge": "queue_full"},
                "cubed": {"query": "max(queue_full{${select}})^3", "limit": 0.1},
            },
            "business": {
                "refused": {
                    "part": 'http_requests_total{code="429"}',
                    "whole": "http_requests_total",
                    "max_share": 0.05,
                },
                "rate": {"query": "sum(rate(http_requests_total{${select}}[5s]))", "min": 0.0},
            },
        },
    }
    for identity in CHECKS:
        assessment = watched.run(identity, within={"step": "1s", "window": "5s"}, **service)
        if identity in ("metrics/error-rate", "metrics/latency", "metrics/business"):
            continue  # seen below over a window that holds the traffic
        assert assessment.outcome is Outcome.PASS, assessment
        assert assessment.n
    for identity in ("metrics/error-rate", "metrics/latency"):
        assessment = watched.run(identity, **service)
        assert (assessment.outcome, assessment.n) == (Outcome.PASS, 1000), assessment


def test_errors_of_the_candidate_alone(watched: Watched) -> None:
    watched.stable.serve(1000)
    watched.candidate.serve(950)
    watched.candidate.serve(50, code="503")
    assert watched.scraped() == (50, 1000), "the first sample of a new label value counts"
    assessment = watched.run("metrics/error-rate")
    assert assessment.outcome is Outcome.FAIL
    assert assessment.seen == "5.00%"
    assert "50 of 1000 requests failed" in assessment.message
    assert "0 of 1000 of stable's" in assessment.message


def test_errors_that_both_share_are_not_the_releases(watched: Watched) -> None:
    for made in (watched.stable, watched.candidate):
        made.serve(950)
        made.serve(50, code="503")
    watched.scraped()
    assert watched.run("metrics/error-rate").outcome is Outcome.INCONCLUSIVE


def test_three_requests_at_night_decide_nothing(watched: Watched) -> None:
    watched.stable.serve(1000)
    watched.candidate.serve(3, code="503")
    watched.scraped()
    assessment = watched.run("metrics/error-rate")
    assert assessment.outcome is Outcome.INCONCLUSIVE
    assert "3 requests decide nothing; at least 100 are needed" in assessment.message
    watched.candidate.serve(96, code="503")
    watched.scraped()
    assert watched.run("metrics/error-rate").outcome is Outcome.INCONCLUSIVE
    watched.candidate.serve(1, code="503")
    watched.scraped()
    assert watched.run("metrics/error-rate").outcome is Outcome.FAIL


def test_a_slow_candidate(watched: Watched) -> None:
    watched.stable.serve(500, seconds=0.03)
    watched.candidate.serve(500, seconds=0.2)
    watched.scraped()
    assessment = watched.run("metrics/latency")
    assert assessment.outcome is Outcome.FAIL
    assert "p95 between 100.0 and 250.0 ms of 500 requests" in assessment.message
    assert watched.run("metrics/latency", objectives={"latency_p95": "150ms"}).outcome is Outcome.FAIL
    inside = watched.run("metrics/latency", objectives={"latency_p95": "200ms", "absolute_margin": "1s"})
    assert inside.outcome is Outcome.INCONCLUSIVE
    assert "200.0 ms lies inside of a bucket" in inside.message


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({"requests": "requests_total"}, "there is no series requests_total"),
        ({"select": 'job="other"'}, "there is no series"),
        ({"code_label": "status"}, "has the label status"),
        ({"errors": "failures_total"}, "there is no series failures_total"),
        ({"tracks": {"candidate": 'track="green"'}}, "there is no series"),
    ],
)
def test_a_misspelt_name_is_no_evidence(watched: Watched, service: dict[str, Any], words: str) -> None:
    watched.candidate.serve(1000)
    watched.scraped()
    assessment = watched.run("metrics/error-rate", metrics=service)
    assert assessment.outcome is Outcome.INCONCLUSIVE
    assert words in assessment.message


def test_a_page_that_is_gone_is_seen(watched: Watched) -> None:
    watched.candidate.exposes = False
    assessment = eventually(lambda: watched.run("metrics/reachable"), lambda found: found.outcome is Outcome.FAIL)
    assert assessment.seen == "up 0"
    stale = eventually(
        lambda: watched.run("metrics/error-rate", within={"stale_after": "500ms"}),
        lambda found: "stale" in found.message,
    )
    assert stale.outcome is Outcome.INCONCLUSIVE


def test_restarts_after_the_release_count(watched: Watched) -> None:
    declared = time.time() - 30
    assert watched.run("metrics/restarts", changed=declared).outcome is Outcome.PASS
    watched.candidate.started.set(time.time())
    failed = eventually(
        lambda: watched.run("metrics/restarts", changed=declared), lambda found: found.outcome is Outcome.FAIL
    )
    assert failed.seen == "1"
    unsaid = watched.run("metrics/restarts")
    assert unsaid.outcome is Outcome.PASS, "without a moment the first start is taken for the release's own"


def test_a_full_resource(watched: Watched) -> None:
    service = {"metrics": {"saturation": {"queue": {"gauge": "queue_full"}}}}
    watched.candidate.full.set(0.93)
    assessment = eventually(
        lambda: watched.run("metrics/saturation", within={"window": "1s"}, **service),
        lambda found: found.outcome is Outcome.FAIL,
    )
    assert assessment.seen.startswith("0.93")
    watched.candidate.full.set(float("nan"))
    unknown = eventually(
        lambda: watched.run("metrics/saturation", within={"window": "1s"}, **service),
        lambda found: found.outcome is Outcome.INCONCLUSIVE,
    )
    assert "not a number" in unknown.message


def test_alerts_that_are_new_and_alerts_that_are_old(watched: Watched) -> None:
    began = time.time() - 1
    assert watched.run("metrics/alerts", changed=began).outcome is Outcome.PASS
    watched.candidate.full.set(0.99)
    fires = eventually(
        lambda: watched.run("metrics/alerts", changed=began), lambda found: found.outcome is Outcome.FAIL
    )
    assert "QueueFull" in fires.findings[0].where
    old = watched.run("metrics/alerts", changed=time.time())
    assert old.outcome is Outcome.PASS
    assert "QueueFull fired before" in old.message


def test_before_and_after_on_one_track(watched: Watched) -> None:
    watched.stable.serve(300)
    watched.scraped()
    changed = time.time()
    # What was scraped last before the change is no part of what comes after it.
    eventually(lambda: watched.newest(), lambda newest: newest > changed)
    watched.stable.serve(250)
    watched.stable.serve(50, code="500")
    watched.scraped()
    one = {"metrics": {"select": f'pair="{watched.pair}",track="stable"'}}
    assessment = watched.run("metrics/error-rate", beside=False, changed=changed, **one)
    assert assessment.outcome is Outcome.FAIL
    assert "50 of 300 requests failed" in assessment.message
    assert "0 of 300 of stable's" in assessment.message
    assert "before the change" in assessment.message


def test_a_query_that_is_none_is_an_error(watched: Watched) -> None:
    service = {"metrics": {"saturation": {"queue": {"query": "max("}}}}
    with pytest.raises(CannotLook, match="bad_data"):
        watched.run("metrics/saturation", **service)


def test_templates_for_pods_are_promql(watched: Watched) -> None:
    service = {"namespace": "shop", "workload": "deployment/chat"}
    for name in ("cpu", "memory"):
        declared = {**service, "metrics": {"saturation": {name: {}}}}
        assessment = watched.run("metrics/saturation", **declared)
        assert assessment.outcome is Outcome.INCONCLUSIVE, "there is no cAdvisor here"
        assert "there is no such series" in assessment.message
