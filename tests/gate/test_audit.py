"""The audit log: nothing is lost, whoever writes and however they end; what is changed in it is found where it is."""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.cli import main
from seatrial.gate import audit, soundness
from seatrial.gate.audit import Entry, NotRecorded
from seatrial.gate.receipt import Receipt
from seatrial.gate.soundness import Anchor

REPOSITORY = Path(__file__).parents[2]
NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)


def chain(count: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, count + 1):
        decision = hashlib.sha256(str(number).encode()).hexdigest()
        last = entries[-1] if entries else None
        entries.append(Entry.following(last, "decision", decision, {"decision": "promote", "n": number}, NOW))
    return entries


CHAIN = chain(12)
LINES = [entry.line().encode() for entry in CHAIN]


def anew(entry: Entry, **facts: object) -> bytes:
    """The line with other facts and a hash that fits them."""
    before = Entry(**{**vars_of(entry), "seq": entry.seq - 1, "hash": entry.previous})
    return Entry.following(before, entry.kind, entry.decision, facts, NOW).line().encode()


def vars_of(entry: Entry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in ("seq", "time", "kind", "decision", "facts", "previous", "hash")}


def found(lines: Sequence[bytes], *anchors: Anchor) -> list[tuple[int, str]]:
    findings = soundness.examine(lines, anchors).findings
    return [(finding.line, finding.message.partition(":")[0]) for finding in findings]


def swapped(lines: Sequence[bytes], one: int, other: int) -> list[bytes]:
    result = list(lines)
    result[one], result[other] = result[other], result[one]
    return result


HEAD = Anchor(source="--head", hash=CHAIN[-1].hash)
THIRD = Anchor(source="decision.json", decision=CHAIN[2].decision)

TABLE: list[tuple[str, list[bytes], tuple[Anchor, ...], list[tuple[int, str]]]] = [
    ("whole", LINES, (), []),
    ("whole and anchored", LINES, (HEAD, THIRD), []),
    ("empty", [], (), []),
    ("a value altered", [*LINES[:4], LINES[4].replace(b"promote", b"hold"), *LINES[5:]], (), [(5, "altered")]),
    ("the last value altered", [*LINES[:11], LINES[11].replace(b"promote", b"hold")], (), [(12, "altered")]),
    ("altered and hashed anew", [*LINES[:4], anew(CHAIN[4], decision="hold"), *LINES[5:]], (), [(5, "replaced")]),
    ("the first hashed anew", [anew(CHAIN[0], decision="hold"), *LINES[1:]], (), [(1, "replaced")]),
    ("the last hashed anew is not seen", [*LINES[:11], anew(CHAIN[11], decision="hold")], (), []),
    ("but is against its head", [*LINES[:11], anew(CHAIN[11])], (HEAD,), [(13, "missing")]),
    ("one removed", [*LINES[:4], *LINES[5:]], (), [(5, "removed")]),
    ("three removed", [*LINES[:4], *LINES[7:]], (), [(5, "removed")]),
    ("the first removed", LINES[1:], (), [(1, "removed")]),
    ("the end removed is not seen", LINES[:10], (), []),
    ("but the cut is against its head", LINES[:10], (HEAD,), [(11, "missing")]),
    ("and against a decision", LINES[:2], (THIRD,), [(3, "missing")]),
    ("everything removed", [], (HEAD,), [(1, "missing")]),
    ("a copy inserted", [*LINES[:5], LINES[2], *LINES[5:]], (), [(6, "inserted")]),
    ("a forged one inserted before", [*LINES[:4], anew(CHAIN[4], n=0), *LINES[4:]], (), [(5, "inserted")]),
    ("a forged one inserted after", [*LINES[:5], anew(CHAIN[4], n=0), *LINES[5:]], (), [(6, "inserted")]),
    ("nonsense inserted", [*LINES[:4], b"nonsense\n", *LINES[4:]], (), [(5, "altered")]),
    ("an empty line inserted", [*LINES[:4], b"\n", *LINES[4:]], (), [(5, "altered")]),
    ("two neighbours moved", swapped(LINES, 4, 5), (), [(5, "out of order"), (6, "out of order")]),
    ("the last first", [LINES[11], *LINES[:11]], (), [(1, "out of order")]),
    ("half-written", [*LINES[:11], LINES[11][:50]], (), [(12, "half-written")]),
    ("spaces", [*LINES[:4], LINES[4].replace(b",", b", ", 1), *LINES[5:]], (), [(5, "altered")]),
    ("a key twice", [b'{"seq":1,' + LINES[0][1:], *LINES[1:]], (), [(1, "altered")]),
    ("deep", [b"[" * 100_000 + b"\n"], (), [(1, "altered")]),
]


@pytest.mark.parametrize(("name", "lines", "anchors", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_what_is_found(
    name: str, lines: list[bytes], anchors: tuple[Anchor, ...], expected: list[tuple[int, str]]
) -> None:
    seen = found(lines, *anchors)
    # A line that was moved far leaves others behind that do not follow either; the first finding tells.
    assert seen[: len(expected)] == expected
    assert bool(seen) is bool(expected)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 11), st.data())
def test_any_change_of_one_line_is_found_at_it(index: int, data: st.DataObject) -> None:
    line = LINES[index]
    start = data.draw(st.integers(0, len(line) - 1))
    length = data.draw(st.integers(0, 3))
    new = line[:start] + data.draw(st.binary(max_size=3)) + line[start + length :]
    if new == line:
        return
    content = b"".join([*LINES[:index], new, *LINES[index + 1 :]])
    findings = found(content.splitlines(keepends=True))
    # Cutting the very end off leaves a log that could have been written so.
    if not (index == 11 and new == b""):
        assert findings
        assert findings[0][0] == index + 1
    assert found(content.splitlines(keepends=True), HEAD)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10), st.text(max_size=5))
def test_any_line_hashed_anew_is_found_at_it(index: int, text: str) -> None:
    lines = [*LINES[:index], anew(CHAIN[index], decision=text), *LINES[index + 1 :]]
    assert found(lines) == [(index + 1, "replaced")]


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(12)))
def test_any_order_but_the_right_one_is_found(order: list[int]) -> None:
    first = next((place for place, index in enumerate(order) if place != index), None)
    findings = found([LINES[index] for index in order])
    assert (findings[0][0] - 1 if findings else None) == first


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 11), min_size=1))
def test_any_lines_removed_are_found_where_they_stood(gone: set[int]) -> None:
    findings = found([line for index, line in enumerate(LINES) if index not in gone])
    inner = sorted(index for index in gone if any(kept not in gone and kept > index for kept in range(12)))
    assert bool(findings) is bool(inner)
    if inner:
        assert findings[0][0] == inner[0] + 1
    assert found([line for index, line in enumerate(LINES) if index not in gone], HEAD) or 11 not in gone


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def append(path: Path, **facts: object) -> Entry:
    with audit.opened(path) as log:
        return log.append("decision", facts, now=NOW)


def test_lines_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "audit.jsonl"
    entries = [append(path, n=number) for number in range(3)]
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert path.read_text() == "".join(entry.line() for entry in entries)
    assert found(lines_of(path)) == []


WRITER = """
import datetime as dt, sys
from pathlib import Path
from seatrial.gate import audit
for number in range(int(sys.argv[3])):
    with audit.opened(Path(sys.argv[1])) as log:
        log.append("decision", {"writer": sys.argv[2], "n": number, "filling": "x" * 300}, now=dt.datetime.now(dt.UTC))
"""


def python(code: str, *words: str, **options: object) -> "subprocess.Popen[str]":
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *words],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writers = [python(WRITER, str(path), str(number), "50") for number in range(8)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert (writer.returncode, errors) == (0, "")
    entries = list(soundness.entries(lines_of(path)))
    assert found(lines_of(path)) == []
    assert sorted((entry.facts["writer"], entry.facts["n"]) for entry in entries) == sorted(
        (str(writer), number) for writer in range(8) for number in range(50)
    )


def test_a_writer_that_is_killed_leaves_whole_lines_and_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writer = python(WRITER, str(path), "0", "100000")
    while not path.exists() or path.stat().st_size < 5_000:
        assert writer.poll() is None
    writer.kill()
    writer.communicate(timeout=60)
    before = path.read_bytes()
    if not before.endswith(b"\n"):
        assert main(["audit", "repair", str(path)]) == 0
    append(path, after=True)
    assert found(lines_of(path)) == []


LIMITED = "import resource, sys; n = int(sys.argv[4]); resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))\n" + WRITER


@pytest.mark.parametrize("room", [1, 100, 511, 600])
def test_a_full_disk_takes_the_whole_line_or_nothing(tmp_path: Path, room: int) -> None:
    path = tmp_path / "audit.jsonl"
    append(path, n=1)
    before = path.read_bytes()
    writer = python(LIMITED, str(path), "x", "5", str(len(before) + room))
    _, errors = writer.communicate(timeout=60)
    assert writer.returncode == 1
    assert "NotRecorded" in errors
    assert "File too large" in errors
    after = path.read_bytes()
    assert after.startswith(before)
    assert found(after.splitlines(keepends=True)) == []
    assert append(path, n=2).seq == 2 + after.count(b"\n") - 1


def test_a_device_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(NotRecorded, match="full: it is no regular file"):
        append(tmp_path / "full", n=1)


def test_a_half_written_line_is_refused_until_it_is_moved_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.jsonl"
    first = append(path, n=1)
    whole = path.read_bytes()
    path.write_bytes(whole + LINES[1][:40])
    with pytest.raises(NotRecorded, match=r"half-written; `seatrial audit repair .*` moves it aside"):
        append(path, n=2)
    assert path.read_bytes() == whole + LINES[1][:40]
    assert main(["audit", "verify", str(path)]) == 10
    assert "audit.jsonl:2: half-written" in capsys.readouterr().out
    assert main(["audit", "repair", str(path)]) == 0
    (aside,) = tmp_path.glob("audit.jsonl.torn-*")
    assert aside.read_bytes() == LINES[1][:40]
    entries = list(soundness.entries(lines_of(path)))
    assert [entry.kind for entry in entries] == ["decision", "repair"]
    assert entries[1].previous == first.hash
    assert entries[1].facts == {
        "bytes": 40,
        "kept": aside.name,
        "sha256": hashlib.sha256(LINES[1][:40]).hexdigest(),
    }
    assert main(["audit", "verify", str(path)]) == 0
    assert main(["audit", "repair", str(path)]) == 0
    assert "nothing to mend" in capsys.readouterr().out


def test_nothing_follows_a_last_line_that_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    append(path, n=1)
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":2'))
    with pytest.raises(NotRecorded, match="its last line was changed: its hash is not that of its content"):
        append(path, n=2)


def log_of(tmp_path: Path, lines: Sequence[bytes] = LINES) -> Path:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def test_verify_says_what_it_cannot_see(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = log_of(tmp_path)
    assert main(["audit", "verify", str(path)]) == 0
    told = capsys.readouterr().out
    assert f"SOUND  {path}: 12 lines\n  head: number 12, 2026-05-04T12:00:00Z, hash {CHAIN[-1].hash}\n" in told
    assert "not seen: lines cut off at the end" in told
    assert main(["audit", "verify", str(path), "--head", CHAIN[9].hash]) == 0
    assert "up to line 10; what came after it is not known" in capsys.readouterr().out
    assert main(["audit", "verify", str(path), "--head", CHAIN[11].hash]) == 0
    assert "the last line is the one that is known" in capsys.readouterr().out


@pytest.mark.parametrize("with_receipt", [True, False])
def test_decisions_are_anchors(tmp_path: Path, with_receipt: bool, capsys: pytest.CaptureFixture[str]) -> None:
    decision = tmp_path / "run" / "decision.json"
    decision.parent.mkdir()
    decision.write_text("5")
    if with_receipt:
        receipt = Receipt.of(tmp_path / "audit.jsonl", CHAIN[4])
        (decision.parent / "receipt.json").write_text(receipt.dumps())
    path = log_of(tmp_path)
    assert main(["audit", "verify", str(path), "--decision", str(tmp_path / "run")]) == 0
    assert "up to line 5" in capsys.readouterr().out
    log_of(tmp_path, LINES[:4])
    assert main(["audit", "verify", str(path), "--decision", str(decision)]) == 10
    assert "audit.jsonl:5: missing" in capsys.readouterr().out
    # Everything from line 4 on written anew, and sound in itself.
    other = chain(3)
    for number in (40, 50, 60):
        other.append(Entry.following(other[-1], "decision", str(number) * 32, {"n": number}, NOW))
    log_of(tmp_path, [entry.line().encode() for entry in other])
    assert main(["audit", "verify", str(path)]) == 0
    assert main(["audit", "verify", str(path), "--decision", str(decision)]) == 10
    told = capsys.readouterr().out
    assert ("audit.jsonl:5: another than" if with_receipt else "audit.jsonl:7: missing") in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify", "none.jsonl"], "none.jsonl cannot be read: No such file or directory"),
        (["verify", "."], "cannot be read: Is a directory"),
        (["show", "none.jsonl"], "cannot be read"),
        (["repair", "none.jsonl"], "cannot be read: there is no such file"),
        (["verify", "audit.jsonl", "--head", "abc"], "--head: expected the 64 hexadecimal digits"),
        (["verify", "audit.jsonl", "--decision", "none.json"], "--decision: none.json: "),
        (["verify", "audit.jsonl", "--decision", "empty"], "--decision: there is no decision.json below empty"),
    ],
)
def test_wrong_use(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    log_of(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main(["audit", *words]) == 2
    assert message in capsys.readouterr().err


def test_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    with audit.opened(path) as log:
        facts = {"decision": "hold", "environment": "staging", "release": "1.5.0\x1b[31m", "actor": "alice"}
        log.append("decision", facts, decision="ab" * 32, now=NOW)
        log.append("approval", {"identity": "bob@example"}, now=NOW)
    assert main(["audit", "show", str(path)]) == 0
    assert capsys.readouterr().out == (
        "    1  2026-05-04T12:00:00Z  decision   abababababab  decision hold, environment staging, release 1.5.0[31m, "
        "actor alice\n"
        "    2  2026-05-04T12:00:00Z  approval   identity bob@example\n"
    )
    assert main(["audit", "show", "--json", str(path)]) == 0
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [1, 2]


def test_a_line_is_on_the_disk_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real: Callable[[int], None] = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append(f"synced {os.fstat(fd).st_size}"), real(fd))[1])
    entry = append(tmp_path / "audit.jsonl", n=1)
    assert f"synced {len(entry.line())}" in order
