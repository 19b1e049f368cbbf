"""Windows in which nothing is promoted, where clocks change and weeks begin."""

import datetime as dt
from pathlib import Path

import pytest

from seatrial.gate import freeze, policy_file
from seatrial.gate.policy import Freeze

WEEKEND = Freeze(weekly="Fri 16:00 to Mon 06:00", zone="Europe/Berlin", reason="no hands")
NIGHT = Freeze(weekly="Sun 02:30 to Sun 03:30", zone="Europe/Berlin", reason="backup")


@pytest.mark.parametrize(
    ("window", "now", "end"),
    [
        (WEEKEND, "2026-05-01T13:59:59Z", None),
        (WEEKEND, "2026-05-01T14:00:00Z", "2026-05-04T04:00:00Z"),
        (WEEKEND, "2026-05-04T03:59:59Z", "2026-05-04T04:00:00Z"),
        (WEEKEND, "2026-05-04T04:00:00Z", None),
        (WEEKEND, "2026-05-06T12:00:00Z", None),
        # The clocks go forward on that Sunday: it begins in winter time and ends in summer time.
        (WEEKEND, "2026-03-27T14:59:59Z", None),
        (WEEKEND, "2026-03-27T15:00:00Z", "2026-03-30T04:00:00Z"),
        # And back.
        (WEEKEND, "2026-10-23T14:00:00Z", "2026-10-26T05:00:00Z"),
        (WEEKEND, "2026-10-26T04:59:59Z", "2026-10-26T05:00:00Z"),
        (WEEKEND, "2026-10-26T05:00:00Z", None),
        # 02:30 is twice on that Sunday; both are in it.
        (NIGHT, "2026-10-25T00:40:00Z", "2026-10-25T02:30:00Z"),
        (NIGHT, "2026-10-25T01:40:00Z", "2026-10-25T02:30:00Z"),
        (NIGHT, "2026-10-25T02:30:00Z", None),
        # 02:30 is not there on that one: it begins at 03:00, which is 01:00 UTC.
        (NIGHT, "2026-03-29T00:59:00Z", None),
        (NIGHT, "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"),
    ],
)
def test_weekly(window: Freeze, now: str, end: str | None) -> None:
    found = freeze.ends(window, dt.datetime.fromisoformat(now))
    assert (found and found.isoformat().replace("+00:00", "Z")) == end


def test_times_without_an_offset_are_by_the_clocks_of_the_zone() -> None:
    since, until = (dt.datetime.fromisoformat(text) for text in ("2026-12-18T16:00:00", "2026-12-19T00:00:00"))
    window = Freeze(since=since, until=until, zone="America/New_York", reason="x")
    assert freeze.spoken(window) == "2026-12-18T21:00:00Z to 2026-12-19T05:00:00Z"
    assert freeze.ends(window, dt.datetime(2026, 12, 18, 20, 59, tzinfo=dt.UTC)) is None
    assert freeze.ends(window, dt.datetime(2026, 12, 18, 21, 0, tzinfo=dt.UTC)) is not None


def test_a_policy_adds_to_the_freezes_below_it_and_drops_their_exemptions(tmp_path: Path) -> None:
    week = "[[freeze]]\nreason = '{0}'\nweekly = 'Fri 16:00 to Mon 06:00'\n"
    waiver = "[[waivers]]\nmatch = '{0}'\nowner = 'kim'\nreason = 'x'\nexpires = 2026-05-04\n"
    (tmp_path / "low.toml").write_text(week.format("all") + waiver.format("a/b"))
    (tmp_path / "high.toml").write_text("extends = 'low'\n" + week.format("ours") + waiver.format("c/d"))
    loaded = policy_file.load(tmp_path / "high.toml")
    assert [window.reason for window in loaded.freeze] == ["all", "ours"]
    assert [entry.match for entry in loaded.waivers] == ["c/d"]
