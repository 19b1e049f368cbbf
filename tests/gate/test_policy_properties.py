"""Whatever stands in a policy's file or in a recorded decision: it is told what is wrong, and nothing crashes."""

import datetime as dt
import unicodedata
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.gate import lint, policy_problems
from seatrial.gate.freeze import ends
from seatrial.gate.policy import SUITES, Freeze, Policy
from seatrial.report import explanation
from support.reports import NOW

KEYS = st.sampled_from(
    [
        *policy_problems.keys(),
        *SUITES,
        *("minimum", "critical", "max_age", "requires", "health", "match", "owner", "reason", "expires"),
        *("from", "until", "weekly", "zone", "never", "inconclusive", "identity", "digests"),
    ]
)
VALUES = st.recursive(
    st.booleans()
    | st.integers(-2, 100)
    | st.text(max_size=5)
    | st.sampled_from(
        ["hold", "note", "rollback", "same", "4h", "Fri 16:00 to Mon 06:00", "Europe/Berlin", "smoke/dns"]
    )
    | st.dates()
    | st.datetimes(timezones=st.just(dt.UTC) | st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_a_file_without_problems_is_a_policy(data: dict[str, Any]) -> None:
    found = list(policy_problems.problems(data))
    assert all(": " in problem for problem in found)
    if found or "effects" in data or "rollback" in data:
        return
    values = {key: value for key, value in data.items() if key not in ("extends", "description")}
    policy = msgspec.convert({**values, "name": "x"}, Policy)
    policy.sha256()
    lint.findings(policy, lint.Known(checks={"smoke/dns": "smoke"}, now=NOW))


MOMENTS = st.integers(0, 6 * 366 * 24 * 3600).map(lambda seconds: NOW + dt.timedelta(seconds=seconds))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("causes", "cases", "effect", "code", "numbers", "suites", "smoke", "counted", "release", "seen"),
                    *("policy", "next", "missing", "decision", "sentence", "rollback_withheld", "message", "unit"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["causes", "suites", "release", "policy", "next", "missing", "decision"]), JSON))
def test_any_record_is_explained_as_text(document: dict[str, Any]) -> None:
    rules = msgspec.convert({"required": {"smoke": {}}, "rollback": {"requires": ["a/b"]}, "dry_run": ["c/d"]}, Policy)
    for line in explanation.render(document, rules).splitlines():
        assert not any(unicodedata.category(character).startswith("C") for character in line)


@settings(max_examples=200, deadline=None)
@given(
    MOMENTS,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", ""]),
)
def test_a_week_is_frozen_or_not_by_one_of_two_halves(now: dt.datetime, zone: str) -> None:
    halves = [
        Freeze(weekly=text, zone=zone, reason="x") for text in ("Wed 12:30 to Sun 01:30", "Sun 01:30 to Wed 12:30")
    ]
    found = [end for half in halves if (end := ends(half, now)) is not None]
    assert len(found) == 1
    # The end may lie in an hour that is there twice.
    assert found[0] > now - dt.timedelta(hours=1)
