"""The run's folder and its identity."""

import datetime as dt
import json
from pathlib import Path

import pytest

from seatrial.evidence.case import Case
from seatrial.evidence.outcome import Role, Severity, Trigger
from seatrial.evidence.properties import TABLE
from seatrial.evidence.run import Run, RunFolder, new_run_id, timestamp, write_atomically

NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
CASE = Case(
    check="smoke/ready",
    object="chat",
    suite="smoke",
    severity=Severity.CRITICAL,
    trigger=Trigger.HEALTH,
    track="candidate",
)


def a_run() -> Run:
    return Run(id="r1", environment="qa", phase="post", track="stable", started=timestamp(NOON))


def test_run_ids_sort_by_time_and_differ() -> None:
    ids = [new_run_id("my env/1", NOON + dt.timedelta(seconds=second)) for second in range(3)]
    assert ids == sorted(ids)
    assert ids[0].startswith("20260504T120000Z-my-env-1-")
    assert new_run_id("qa", NOON) != new_run_id("qa", NOON)


def test_every_written_property_is_in_the_table() -> None:
    known = {entry.name for entry in TABLE}
    assert set(a_run().properties([])) | set(CASE.properties()) <= known
    assert {entry.name for entry in TABLE if entry.scope == "run"} == set(a_run().properties([]))


def test_key_tells_tracks_apart() -> None:
    assert CASE.key == "smoke/ready[chat]@candidate"
    assert Case(**{**vars(CASE), "track": "stable", "role": Role.CONTROL}).key == "smoke/ready[chat]@stable"


def test_evidence_is_there_before_any_outcome(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r1")
    folder.write_evidence(a_run(), state="running", expected=[CASE], outcomes=[])
    document = json.loads((tmp_path / "latest" / "evidence.json").read_text())
    assert document["state"] == "running"
    assert document["outcomes"] == []
    assert document["expected"][0]["key"] == CASE.key
    assert document["expected"][0]["track"] == "candidate"
    assert document["run"]["environment"] == "qa"


def test_latest_follows_the_newest_run(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, "r1")
    RunFolder.create(tmp_path, "r2")
    assert (tmp_path / "latest").readlink() == Path("r2")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
