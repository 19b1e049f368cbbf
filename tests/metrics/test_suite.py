"""The checks of metrics as users run them, over pages scraped directly and over a server."""

from typing import Any

import pytest

from metrics.conftest import Shop
from support.metrics import says, scripted

DECLARED = "[services.chat.metrics]\n"
DIRECT = f'health.metrics = "/metrics"\n{DECLARED}[metrics]\nmin_requests = 50\n'
TRAFFIC = """
import urllib.request
import pytest

@pytest.mark.smoke
def test_traffic():
    urllib.request.urlopen("{url}/serve?{query}").read()
"""


def case(shop: Shop, check: str) -> dict[str, Any]:
    (found,) = [one for one in shop.project.evidence()["outcomes"] if one["check"] == check]
    return dict(found)


def test_without_metrics_nothing_is_planned(shop: Shop) -> None:
    shop.project.environment()
    shop.project.run(*shop.suites)
    assert not [key for key in shop.project.outcomes() if "metrics" in key]
    assert shop.project.evidence()["expected"], "the smoke suite is"
    assert not [case for case in shop.project.evidence()["expected"] if "[NOTSET]" in case["key"]]


def test_pages_scraped_before_and_after_the_traffic(shop: Shop) -> None:
    shop.project.environment(more=DIRECT)
    shop.project.pytester.makepyfile(test_own=TRAFFIC.format(url=shop.service.url, query="count=400"))
    shop.project.run(*shop.suites, "test_own.py")
    assert case(shop, "metrics/error-rate")["outcome"] == "inconclusive", "400 clean ones cannot show less than 1 %"
    assert case(shop, "metrics/error-rate")["n"] == "400"
    assert case(shop, "metrics/reachable")["outcome"] == "pass"
    assert case(shop, "metrics/restarts")["outcome"] == "pass"
    assert "metrics/alerts" not in shop.project.outcomes(), "there is nobody to ask"


def test_failures_between_the_scrapes(shop: Shop) -> None:
    shop.project.environment(more=DIRECT)
    shop.service.serve(10_000)
    shop.project.pytester.makepyfile(test_own=TRAFFIC.format(url=shop.service.url, query="count=100&code=500"))
    result = shop.project.run(*shop.suites, "test_own.py")
    assert result.ret == 1
    assert case(shop, "metrics/error-rate")["outcome"] == "fail", "what was before the run does not dilute it"
    assert "100 of 100 requests failed" in case(shop, "metrics/error-rate")["message"]


def test_a_page_that_is_not_there(shop: Shop) -> None:
    shop.project.environment(more=DIRECT)
    shop.service.exposes = False
    shop.project.run(*shop.suites, "-k", "metrics")
    assert case(shop, "metrics/reachable")["outcome"] == "fail"
    assert case(shop, "metrics/error-rate")["outcome"] in ("inconclusive", "error")


def test_a_server_that_refuses_is_no_verdict(shop: Shop) -> None:
    with scripted(says({"status": "error", "errorType": "unavailable", "error": "no store"}, 503)) as (url, _):
        shop.project.environment(more=f'{DECLARED}[metrics]\nprometheus = "{url}"\nauth = {{ env = "CHAT_TOKEN" }}\n')
        shop.project.run(*shop.suites, "-k", "metrics")
    outcomes = {check: outcome for check, outcome in shop.project.outcomes().items() if check.startswith("metrics/")}
    assert set(outcomes.values()) == {"error"}
    assert "metrics/alerts" in outcomes
    assert "unavailable: no store" in case(shop, "metrics/latency")["message"]


def test_partial_answers_are_no_evidence(shop: Shop) -> None:
    document = {"status": "success", "data": {"resultType": "vector", "result": []}, "warnings": ["a store is gone"]}
    with scripted(says(document)) as (url, asked):
        shop.project.environment(more=f'{DECLARED}[metrics]\nprometheus = "{url}"\nauth = {{ env = "CHAT_TOKEN" }}\n')
        shop.project.run(*shop.suites, "-k", "error-rate")
    assert case(shop, "metrics/error-rate")["outcome"] == "inconclusive"
    assert "a store is gone" in case(shop, "metrics/error-rate")["message"]
    assert {headers["Authorization"] for _, _, headers, _ in asked} == {"Bearer s3cret-t0ken"}
    assert "s3cret-t0ken" not in (shop.project.latest / "evidence.json").read_text()


@pytest.mark.parametrize(
    ("moment", "outcome", "words"),
    [("yesterday", "error", "SEATRIAL_CHANGED_AT"), ("2999-01-01T00:00:00Z", "inconclusive", "settles for 60 s")],
)
def test_the_moment_of_the_change(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, moment: str, outcome: str, words: str
) -> None:
    monkeypatch.setenv("SEATRIAL_CHANGED_AT", moment)
    with scripted(says({"status": "success", "data": {"resultType": "vector", "result": []}})) as (url, _):
        shop.project.environment(more=f'{DECLARED}[metrics]\nprometheus = "{url}"\n')
        shop.project.run(*shop.suites, "-k", "error-rate")
    assert case(shop, "metrics/error-rate")["outcome"] == outcome
    assert words in case(shop, "metrics/error-rate")["message"]


def test_a_test_of_a_teams_own(shop: Shop) -> None:
    shop.project.environment(more=DIRECT)
    own = """
        import pytest

        @pytest.mark.rollout
        def test_own(service_pair, metrics):
            reading = metrics(service_pair)
            assert reading.requests(reading.subject) == (0, 0)
    """
    shop.project.pytester.makepyfile(test_own=own)
    result = shop.project.run("--env=mine", "test_own.py")
    result.assert_outcomes(passed=1)
