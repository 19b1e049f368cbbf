"""Freezes out of an iCalendar file: which times its events take, and that a calendar that cannot be relied on holds."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import cli
from seatrial.gate import collection
from seatrial.gate.calendar_events import between
from seatrial.gate.calendar_file import CalendarProblem
from seatrial.gate.decision import decide
from support.gate import policy, question
from support.reports import NOW, good

REPOSITORY = Path(__file__).parents[2]
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//changes//EN\r\n"
ZONE = """BEGIN:VTIMEZONE
TZID:Head office
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
"""


def event(*lines: str, uid: str = "1", summary: str = "quarter end") -> str:
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary}", *lines, "END:VEVENT", ""]
    )


def calendar(*parts: str) -> str:
    return HEAD + "".join(parts).replace("\r\n", "\n").replace("\n", "\r\n") + "END:VCALENDAR\r\n"


def windows(text: str, begin: str, end: str, zone: str = "") -> list[str]:
    """The windows of a time, as `begin/end` in UTC to the minute."""
    times = [dt.datetime.fromisoformat(f"{moment}Z") for moment in (begin, end)]
    return [f"{w.begin:%m-%dT%H:%M}/{w.end:%m-%dT%H:%M}" for w in between(text.encode(), zone, *times)]


BERLIN = ("DTSTART;TZID=Europe/Berlin:20260326T160000", "DTEND;TZID=Europe/Berlin:20260326T180000")


@pytest.mark.parametrize(
    ("lines", "zone", "begin", "end", "expected"),
    [
        pytest.param(
            ("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z"),
            "", "2026-05-04T08:59", "2026-05-04T23:00", ["05-04T08:00/05-04T09:00"], id="in UTC",
        ),
        pytest.param(
            ("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z"),
            "", "2026-05-04T09:00", "2026-05-04T23:00", [], id="its end is outside",
        ),
        pytest.param(
            ("DTSTART:20260504T080000Z", "DURATION:PT90M"),
            "", "2026-05-04T00:00", "2026-05-05T00:00", ["05-04T08:00/05-04T09:30"], id="a duration",
        ),
        pytest.param(
            ("DTSTART:20260504T080000Z",), "", "2026-05-04T00:00", "2026-05-05T00:00", ["05-04T08:00/05-04T08:00"],
            id="a moment, which nothing lies in",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20260504",),
            "", "2026-05-04T12:00", "2026-05-04T12:01", ["05-04T00:00/05-05T00:00"], id="a day",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20260504", "DTEND;VALUE=DATE:20260507"),
            "America/New_York", "2026-05-07T03:59", "2026-05-07T23:00", ["05-04T04:00/05-07T04:00"],
            id="days elsewhere",
        ),
        pytest.param(
            ("DTSTART:20260504T080000", "DTEND:20260504T090000"),
            "Asia/Tokyo", "2026-05-03T22:00", "2026-05-04T08:00", ["05-03T23:00/05-04T00:00"], id="by no zone",
        ),
        pytest.param(
            # Summer time begins on the Sunday between them.
            (*BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3"),
            "", "2026-03-01T00:00", "2026-05-01T00:00",
            ["03-26T15:00/03-26T17:00", "04-02T14:00/04-02T16:00", "04-09T14:00/04-09T16:00"], id="weekly by the wall",
        ),
        pytest.param(
            (*BERLIN, "RRULE:FREQ=WEEKLY;UNTIL=20260402T140000Z"),
            "", "2026-03-01T00:00", "2026-05-01T00:00", ["03-26T15:00/03-26T17:00", "04-02T14:00/04-02T16:00"],
            id="until a start",
        ),
        pytest.param(
            (*BERLIN, "RRULE:FREQ=WEEKLY;UNTIL=20260402"),
            "", "2026-03-01T00:00", "2026-05-01T00:00", ["03-26T15:00/03-26T17:00", "04-02T14:00/04-02T16:00"],
            id="until a day",
        ),
        pytest.param(
            (*BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260402T160000"),
            "", "2026-03-01T00:00", "2026-05-01T00:00", ["03-26T15:00/03-26T17:00", "04-09T14:00/04-09T16:00"],
            id="without one",
        ),
        pytest.param(
            (*BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260326T150000Z,20260402T140000Z"),
            "", "2026-03-01T00:00", "2026-05-01T00:00", ["04-09T14:00/04-09T16:00"], id="without two, in UTC",
        ),
        pytest.param(
            (*BERLIN, "RDATE;TZID=Europe/Berlin:20260327T100000", "RDATE;VALUE=PERIOD:20260328T100000Z/PT1H"),
            "", "2026-03-01T00:00", "2026-05-01T00:00",
            ["03-26T15:00/03-26T17:00", "03-27T09:00/03-27T11:00", "03-28T10:00/03-28T11:00"], id="others too",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:19991231", "DTEND;VALUE=DATE:20000102", "RRULE:FREQ=YEARLY"),
            "Europe/Berlin", "2026-12-31T22:59", "2026-12-31T23:01", ["12-30T23:00/01-01T23:00"], id="every year",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=MONTHLY;BYDAY=-1FR"),
            "", "2026-05-29T12:00", "2026-06-26T12:00", ["05-29T00:00/05-30T00:00", "06-26T00:00/06-27T00:00"],
            id="the last Friday",
        ),
        pytest.param(
            ("DTSTART;TZID=Head office:20260701T100000", "DTEND;TZID=Head office:20260701T110000"),
            "", "2026-07-01T00:00", "2026-07-02T00:00", ["07-01T08:00/07-01T09:00"], id="a zone of its own",
        ),
        pytest.param(
            ("DTSTART;TZID=W. Europe Standard Time:20260701T100000", "DURATION:PT1H"),
            "", "2026-07-01T00:00", "2026-07-02T00:00", ["07-01T08:00/07-01T09:00"], id="a zone of Windows",
        ),
        pytest.param(
            (*BERLIN, "STATUS:CANCELLED"), "", "2026-03-01T00:00", "2026-05-01T00:00", [], id="cancelled",
        ),
        pytest.param(
            (*BERLIN, "STATUS:TENTATIVE", "TRANSP:TRANSPARENT"),
            "", "2026-03-01T00:00", "2026-05-01T00:00", ["03-26T15:00/03-26T17:00"], id="tentative, and free time",
        ),
    ],
)  # fmt: skip
def test_which_times(lines: tuple[str, ...], zone: str, begin: str, end: str, expected: list[str]) -> None:
    assert windows(calendar(ZONE, event(*lines)), begin, end, zone) == expected


def test_occurrences_that_are_told_apart() -> None:
    moved = "RECURRENCE-ID;TZID=Europe/Berlin:20260402T160000"
    gone = "RECURRENCE-ID:20260409T140000Z"
    text = calendar(
        event(moved, "DTSTART:20260403T100000Z", "DTEND:20260403T110000Z"),
        event(*BERLIN, "RRULE:FREQ=WEEKLY;COUNT=4"),
        event(gone, "DTSTART:20260409T140000Z", "DTEND:20260409T160000Z", "STATUS:CANCELLED"),
    )
    assert windows(text, "2026-03-01T00:00", "2026-05-01T00:00") == [
        "03-26T15:00/03-26T17:00",
        "04-03T10:00/04-03T11:00",
        "04-16T14:00/04-16T16:00",
    ]


def test_the_last_version_of_an_event_counts() -> None:
    later = event("SEQUENCE:2", "DTSTART:20260505T080000Z", "DTEND:20260505T090000Z")
    first = event("SEQUENCE:1", "DTSTART:20260504T080000Z", "DTEND:20260504T090000Z")
    other = event("DTSTART:20260506T080000Z", "DTEND:20260506T090000Z", uid="2")
    expected = ["05-05T08:00/05-05T09:00", "05-06T08:00/05-06T09:00"]
    assert windows(calendar(later, first, other), "2026-05-01T00:00", "2026-06-01T00:00") == expected
    # Several calendars in one file, as some export them.
    assert windows(calendar(later) + calendar(other), "2026-05-01T00:00", "2026-06-01T00:00") == expected


AT = "DTSTART:20260504T080000Z"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no whole VCALENDAR in it"),
        ("hello", "is no iCalendar file"),
        ("<html></html>", "is no iCalendar file"),
        (calendar(), "there is no event in it"),
        (calendar("BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\n"), "there is no event in it"),
        (calendar(event(AT))[:-20], "there is no whole VCALENDAR in it"),
        (calendar(event(AT))[:-8], "is cut off"),
        (calendar(event(AT)) + calendar(event(AT, uid="2"))[:-20], "is cut off"),
        (calendar(event()), "VEVENT 'quarter end': it has no DTSTART"),
        (calendar(event("DTSTART:tomorrow")), "VEVENT 'quarter end': DTSTART: "),
        (calendar(event(AT, "DTEND:later")), "VEVENT 'quarter end': DTEND: "),
        (calendar(event(AT, "DTEND:20260504T070000Z")), "VEVENT 'quarter end': it ends before it begins"),
        (calendar(event(AT, "DURATION:long")), "VEVENT 'quarter end': DURATION: "),
        (calendar(event(AT, AT)), "VEVENT 'quarter end': DTSTART: is there 2 times"),
        (calendar(event(AT, "RRULE:FREQ=SOMETIMES")), "VEVENT 'quarter end': RRULE: "),
        (calendar(event(AT, "RRULE:FREQ=SECONDLY")), "RRULE: it repeats more often than every hour"),
        (calendar(event(AT, "RRULE:FREQ=DAILY;BYHOUR=99")), "VEVENT 'quarter end': RRULE: "),
        (calendar(event(AT, "RRULE:INTERVAL=2")), "VEVENT 'quarter end': RRULE: "),
        (calendar(event(AT, "EXDATE:never")), "VEVENT 'quarter end': EXDATE: "),
        (calendar(event("DTSTART;TZID=Nowhere/City:20260504T080000")), "time zone 'Nowhere/City' is not known"),
        (calendar(event(AT, "EXDATE;TZID=Nowhere/City:20260504T080000")), "EXDATE: the time zone 'Nowhere/City'"),
        (
            calendar(event(AT, "RRULE:FREQ=DAILY"), event("RECURRENCE-ID;RANGE=THISANDFUTURE:20260505T080000Z", AT)),
            "RECURRENCE-ID: RANGE is not understood",
        ),
    ],
)
def test_what_is_not_understood_is_no_event_less(text: str, message: str) -> None:
    with pytest.raises(CalendarProblem) as problem:
        windows(text, "2026-05-01T00:00", "2026-06-01T00:00")
    assert message in str(problem.value)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 40))
def test_any_damage_is_a_problem_or_a_calendar(junk: bytes, place: int, length: int) -> None:
    whole = calendar(ZONE, event(*BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3")).encode()
    content = whole[:place] + junk + whole[place + length :]
    with contextlib.suppress(CalendarProblem):
        between(content, "", NOW - dt.timedelta(days=90), NOW)


# What the gate makes of it.

RULES = 'environment = "demo"\n[required.smoke]\nminimum = 4\n[evidence]\nmax_age = "1h"\n'
FREEZE = '[[freeze]]\nreason = "change freeze"\ncalendar = "changes.ics"\n'
DURING, BEFORE = (event(f"DTSTART:{day}T110000Z", f"DTEND:{day}T130000Z") for day in ("20260504", "20260503"))
NOW_WORDS = f"--now={NOW.isoformat()}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "SEATRIAL_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text(RULES + FREEZE)
    good().write(tmp_path / "good")
    good().but("smoke/ready", "fail").write(tmp_path / "bad")
    return tmp_path


def causes(folder: str) -> dict[str, str]:
    document = json.loads(Path(folder, "decision.json").read_text())
    return {cause["code"]: cause["sentence"] for cause in document["causes"] if cause["effect"] != "note"}


def test_an_event_freezes_and_says_which(project: Path) -> None:
    (project / "changes.ics").write_text(calendar(BEFORE, DURING))
    assert cli.main(["gate", "good", NOW_WORDS]) == 10
    told = "nothing is promoted until 2026-05-04T13:00:00Z (calendar changes.ics, quarter end): change freeze"
    assert causes("good") == {"frozen": told}
    # The release that is bad is taken back all the same.
    assert cli.main(["gate", "bad", NOW_WORDS]) == 20
    (project / "changes.ics").write_text(calendar(BEFORE))
    assert cli.main(["gate", "good", NOW_WORDS]) == 0


def missing(path: Path) -> None:
    """No calendar is there."""


def empty(path: Path) -> None:
    path.write_text("")


def eventless(path: Path) -> None:
    path.write_text(calendar())


def cut_off(path: Path) -> None:
    path.write_text(calendar(BEFORE)[:-9])


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def too_large(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(9 * 1024 * 1024)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (missing, "changes.ics: cannot be read: No such file or directory"),
        (empty, "is no iCalendar file: there is no whole VCALENDAR in it"),
        (eventless, "there is no event in it"),
        (cut_off, "is cut off: expected END:VCALENDAR at its end"),
        (a_folder, "changes.ics: cannot be read: Is a directory"),
        (a_pipe, "changes.ics: it is no regular file"),
        (too_large, "changes.ics: is larger than 8 MiB"),
    ],
)
def test_a_calendar_that_cannot_be_relied_on_holds(
    project: Path, spoil: Callable[[Path], None], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(project / "changes.ics")
    assert cli.main(["gate", "good", NOW_WORDS]) == 10
    told = "calendar changes.ics cannot be relied on, so it is not known whether there is a freeze: "
    assert causes("good") == {"no-calendar": causes("good")["no-calendar"]}
    assert causes("good")["no-calendar"].startswith(told)
    assert words in causes("good")["no-calendar"]
    # A release that is proven bad is taken back, unless the freeze would forbid that too.
    assert cli.main(["gate", "bad", NOW_WORDS]) == 20
    (project / "fixtures" / "policies" / "demo.toml").write_text(f"{RULES}{FREEZE}allow_rollback = false\n")
    assert cli.main(["gate", "bad", NOW_WORDS]) == 10
    assert set(causes("bad")) >= {"frozen-whole", "no-calendar"}
    capsys.readouterr()
    assert cli.main(["policy", "lint", "demo", NOW_WORDS]) == 10
    assert "error: freeze[1]: calendar changes.ics cannot be relied on, and the gate holds: " in capsys.readouterr().out


def test_without_the_library_it_is_not_known(project: Path) -> None:
    (project / "changes.ics").write_text(calendar(BEFORE))
    code = (
        "import sys\n"
        "sys.modules['icalendar'] = None\n"
        "from seatrial.cli import main\n"
        f"sys.exit(main(['gate', 'good', {NOW_WORDS!r}]))\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")}
    ended = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 10, ended.stderr
    assert "calendars need icalendar: pip install 'seatrial[calendar]'" in causes("good")["no-calendar"]


def test_a_replay_needs_no_calendar(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "changes.ics").write_text(calendar(DURING))
    assert cli.main(["gate", "good", NOW_WORDS]) == 10
    (project / "changes.ics").unlink()
    capsys.readouterr()
    assert cli.main(["gate", "replay", "good/decision.json"]) == 0
    assert capsys.readouterr().out.startswith("IDENTICAL  hold")
    look = json.loads((project / "good" / "decision.json").read_text())["question"]["calendars"][0]
    assert (look["calendar"], len(look["sha256"])) == ("changes.ics", 64)
    # The policy of today is asked with the calendar of today.
    assert cli.main(["gate", "replay", "good/decision.json", "--policy=demo"]) == 10
    assert cli.main(["gate", "backtest", "--policy=demo", "good"]) == 0
    assert "cannot be relied on" in capsys.readouterr().out


def test_a_question_that_did_not_read_it_holds(tmp_path: Path) -> None:
    rules = policy(freeze=[{"reason": "x", "calendar": "changes.ics"}])
    decision = decide(collection.read([good().write(tmp_path)]), rules, question())
    assert [cause.reason.code for cause in decision.of_effect("hold")] == ["no-calendar"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            'calendar = "a.ics"\nweekly = "Fri 16:00 to Mon 06:00"',
            "expected from and until, or weekly, or calendar, seen several",
        ),
        (
            'calendar = "a.ics"\nuntil = 2026-05-04T00:00:00Z',
            "expected from and until, or weekly, or calendar, seen several",
        ),
        ('calendar = "a.ics"\nzone = "Europe/Nowhere"', "zone: expected an IANA time zone"),
        ("calendar = 3", "calendar: expected text; seen '3'"),
        ('calendar = ""', "freeze[1]: expected from and until, or weekly, or calendar"),
    ],
)
def test_a_wrong_policy(project: Path, table: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "fixtures" / "policies" / "demo.toml").write_text(f'{RULES}[[freeze]]\nreason = "x"\n{table}\n')
    assert cli.main(["gate", "good", NOW_WORDS]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ("DTSTART:20260501T000000Z", "DTEND:20260502T000000Z"),
            "warning: freeze[1]: calendar changes.ics has no event in",
        ),
        (("DTSTART:20260501T000000Z", "DTEND:20260601T000000Z"), "error: freeze: covers all of the next 7 days"),
        (("DTSTART:20260501T000000Z", "DTEND:20260501T010000Z", "RRULE:FREQ=WEEKLY"), "0 errors, 1 warning\n"),
    ],
)
def test_lint_looks_into_it(
    project: Path, lines: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "changes.ics").write_text(calendar(event(*lines)))
    cli.main(["policy", "lint", "demo", NOW_WORDS])
    assert words in capsys.readouterr().out


def test_it_is_explained(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "changes.ics").write_text(calendar(BEFORE))
    cli.main(["gate", "good", NOW_WORDS])
    capsys.readouterr()
    assert cli.main(["gate", "explain", "good/decision.json"]) == 0
    assert "calendar changes.ics" in capsys.readouterr().out
