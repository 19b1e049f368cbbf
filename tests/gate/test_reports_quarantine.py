"""Quarantine: what it sets aside, until when, and that nothing of it is silent."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.gate import Decision, PolicyProblem, load_policy
from seatrial.gate.pattern import compiled
from seatrial.gate.policy_file import Folder
from support.gate import ask
from support.reports import NOW, Reports, good

GOOD = good()
LAST_DAY = NOW.date().isoformat()
YESTERDAY = (NOW.date() - dt.timedelta(days=1)).isoformat()
ENTRY = {"owner": "chat team", "reason": "CHAT-7", "expires": LAST_DAY}


def entry(match: str, **changes: str) -> dict[str, str]:
    return {"match": match, **ENTRY, **changes}


def told(decision: Decision) -> list[str]:
    return [f"{cause.effect} {cause.reason.code}" for cause in decision.causes]


@pytest.mark.parametrize(
    ("reports", "entries", "verdict", "causes"),
    [
        (GOOD.but("smoke/ready", "fail"), [], "rollback", ["rollback failed-checks"]),
        (GOOD.but("synthetic/greeting", "fail"), [entry("synthetic/greeting")], "promote", ["note quarantined"]),
        (GOOD.but("synthetic/greeting", "fail"), [entry("synthetic/*")], "promote", ["note quarantined"]),
        (
            GOOD.but("synthetic/greeting", "fail"),
            [entry("synthetic/greeting[greeting]@candidate")],
            "promote",
            ["note quarantined"],
        ),
        (
            GOOD.but("synthetic/greeting", "fail"),
            [entry("synthetic/greeting[greeting]@stable")],
            "rollback",
            ["rollback failed-checks", "note unused-quarantine"],
        ),
        (
            GOOD.but("synthetic/greeting", "fail"),
            [entry("Synthetic/*")],
            "rollback",
            ["rollback failed-checks", "note unused-quarantine"],
        ),
        (GOOD.but("synthetic/greeting", "error"), [entry("synthetic/*")], "promote", ["note quarantined"]),
        (GOOD.but("synthetic/greeting", "inconclusive"), [entry("synthetic/*")], "promote", ["note quarantined"]),
        (GOOD.but("synthetic/greeting", None), [entry("synthetic/*")], "promote", ["note quarantined"]),
        (GOOD.without("synthetic/greeting"), [entry("synthetic/*")], "promote", ["note quarantined"]),
        (GOOD, [entry("synthetic/*"), entry("nothing/*")], "promote", ["note unused-quarantine"] * 2),
        # It counts for nothing while it does not pass, and proves no way back.
        (
            GOOD.but("smoke/ready", "fail"),
            [entry("smoke/ready")],
            "hold",
            ["hold too-few-checks", "note quarantined"],
        ),
        (
            GOOD.but("smoke/live", "fail").but("rollback/history", "fail", track=""),
            [entry("rollback/*")],
            "hold",
            ["hold no-way-back", "hold failed-checks", "note quarantined"],
        ),
        # After the last day it counts again.
        (
            GOOD.but("synthetic/greeting", "fail"),
            [entry("synthetic/*", expires=YESTERDAY)],
            "rollback",
            ["rollback failed-checks", "hold expired-quarantine"],
        ),
        (
            GOOD.but("helm/release-deployed", "fail", track=""),
            [entry("helm/*", expires=YESTERDAY)],
            "hold",
            ["hold expired-quarantine", "note failed-checks"],
        ),
        (GOOD, [entry("synthetic/*", expires=YESTERDAY)], "promote", ["note unused-quarantine"]),
    ],
)
def test_decisions(
    tmp_path: Path, reports: Reports, entries: list[dict[str, str]], verdict: str, causes: list[str]
) -> None:
    decision = ask(reports.write(tmp_path), {"quarantine": entries})
    assert (decision.verdict, told(decision)) == (verdict, causes)


def test_an_entry_is_told_with_its_owner_reason_and_end(tmp_path: Path) -> None:
    decision = ask(GOOD.but("synthetic/greeting", "fail").write(tmp_path), {"quarantine": [entry("synthetic/*")]})
    (cause,) = decision.causes
    assert cause.sentence == (
        f"1 check in quarantine did not pass (synthetic/*, of chat team, until {LAST_DAY}: CHAT-7)"
    )
    assert [case.key for case in cause.cases] == ["synthetic/greeting[greeting]@candidate"]


def text_of(values: dict[str, Any]) -> str:
    return "[[quarantine]]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


WRITTEN = {"match": '"synthetic/*"', "owner": '"chat team"', "reason": '"CHAT-7"', "expires": "2026-12-01"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda w: {k: v for k, v in w.items() if k != "owner"}, "quarantine[1]: expected owner too, seen match,"),
        (lambda w: {**w, "owner": '""'}, "quarantine[1].owner: expected text, not nothing; seen ''"),
        (lambda w: {**w, "expires": '"soon"'}, "quarantine[1].expires: expected a day such as 2026-12-01; seen 'soon'"),
        (lambda w: {**w, "expires": "2026-12-01T00:00:00"}, "quarantine[1].expires: expected a day"),
        (lambda w: {**w, "expries": "1"}, "quarantine[1].expries: unknown key; did you mean expires?"),
        (lambda w: {"match": w["match"]}, "quarantine[1]: expected owner, reason, expires too, seen match"),
        (lambda w: {**w, "match": f'"{"x" * 301}"'}, "quarantine[1].match: expected"),
    ],
)
def test_policies_that_are_wrong(
    tmp_path: Path, change: Callable[[dict[str, str]], dict[str, str]], problem: str
) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text_of(change(WRITTEN)))
    with pytest.raises(PolicyProblem) as seen:
        load_policy(path, [Folder(path=tmp_path)])
    assert problem in str(seen.value)


@pytest.mark.parametrize("text", ['quarantine = "x"', 'quarantine = ["x"]', "quarantine = 3"])
def test_no_tables(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(PolicyProblem, match="expected"):
        load_policy(path, [Folder(path=tmp_path)])


def test_a_policy_reads_and_hashes_its_entries(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(text_of(WRITTEN))
    (tmp_path / "p.toml").write_text('extends = "base"\n')
    policy = load_policy(tmp_path / "p.toml", [Folder(path=tmp_path)])
    assert [entry.expires for entry in policy.quarantine] == [dt.date(2026, 12, 1)]
    (tmp_path / "base.toml").write_text(text_of({**WRITTEN, "expires": "2026-12-02"}))
    assert load_policy(tmp_path / "p.toml", [Folder(path=tmp_path)]).sha256() != policy.sha256()


@pytest.mark.parametrize(
    ("glob", "name", "expected"),
    [
        ("smoke/ready", "smoke/ready", True),
        ("smoke/ready", "smoke/ready2", False),
        ("smoke/*", "smoke/a/b", True),
        ("*[chat]@c?n*", "smoke/ready[chat]@candidate", True),
        ("smoke/ready[chat]", "smoke/readyc", False),
        ("a.c", "abc", False),
        ("*", "line\nline", True),
        ("a", "a\n", False),
    ],
)
def test_globs(glob: str, name: str, expected: bool) -> None:
    assert compiled(glob)(name) is expected


def test_a_glob_takes_no_time_however_its_name_is_made() -> None:
    # A regular expression of this shape would try every way of dividing the name.
    assert not compiled("*a" * 100 + "b")("a" * 5_000)


@given(st.text(max_size=20))
def test_a_name_without_stars_is_itself(name: str) -> None:
    plain = name.replace("*", "").replace("?", "")
    assert compiled(plain)(plain)
    assert not compiled(plain)(plain + "x")
