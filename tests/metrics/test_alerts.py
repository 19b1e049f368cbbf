"""Alerts of both APIs."""

from typing import Any

import pytest

from seatrial.environment.selector import parse_matchers
from seatrial.http.bounded import open_address
from seatrial.metrics.alerts import ask_alertmanager, firing
from seatrial.metrics.answer import Malformed, Refused
from seatrial.metrics.prometheus import Bounds
from support.metrics import says, scripted

WHERE = "http://prometheus"
LABELS = {"alertname": "ErrorBudget", "job": "chat"}
BEGAN = "1970-01-01T00:01:40.5Z"


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        ({"labels": LABELS, "state": "firing", "activeAt": BEGAN}, [(100.5, False)]),
        ({"labels": LABELS, "state": "pending", "activeAt": BEGAN}, []),
        ({"labels": {**LABELS, "job": "other"}, "state": "firing", "activeAt": BEGAN}, []),
        ({"labels": LABELS, "status": {"state": "active"}, "startsAt": BEGAN}, [(100.5, False)]),
        ({"labels": LABELS, "status": {"state": "suppressed"}, "startsAt": BEGAN}, [(100.5, True)]),
    ],
)
def test_firing(item: dict[str, Any], seen: list[tuple[float, bool]]) -> None:
    found = firing([item], WHERE, parse_matchers('job="chat"'))
    assert [(one.since, one.silenced) for one in found] == seen


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"state": "firing"}, "an alert with labels"),
        ({"labels": LABELS, "state": "burning"}, "the state of an alert; seen 'burning'"),
        ({"labels": LABELS}, "the state of an alert"),
        ({"labels": LABELS, "state": "firing", "activeAt": "soon"}, "when the alert began; seen 'soon'"),
        ({"labels": LABELS, "state": "firing"}, "when the alert began"),
    ],
)
def test_what_is_no_alert_says_so(item: dict[str, Any], words: str) -> None:
    with pytest.raises(Malformed) as problem:
        firing([item], WHERE, ())
    assert words in str(problem.value)


@pytest.mark.parametrize(
    ("document", "status", "kind"), [({}, 200, Malformed), ([1], 200, Malformed), ([], 500, Refused)]
)
def test_an_alertmanager_that_is_none(document: Any, status: int, kind: type[Exception]) -> None:
    with (
        scripted(says(document, status)) as (url, _),
        open_address(url, run_id="r", connect_timeout=1, timeout=1) as client,
        pytest.raises(kind),
    ):
        ask_alertmanager(client, Bounds())
