"""However a gate ends without a decision of its own, none of an earlier one is left that a pipeline could act upon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.reports import NOW, good

REPOSITORY = Path(__file__).parents[2]
POLICY = 'environment = "demo"\n[required.smoke]\nminimum = 4\n[evidence]\nmax_age = "1h"\n'
WRITTEN = {"decision.json", "receipt.json", "summary.md", "decision.html", "statement.intoto.json"}
AT = f"--now={NOW.isoformat()}"


def start(folder: Path, *words: str, before: str = "") -> subprocess.Popen[str]:
    """The gate with the lines ``before`` run first in its process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SEATRIAL_"))}
    # A shell that runs the tests in the background has its children ignore interruptions.
    signals = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"import sys\n{signals}\n{before}\nfrom seatrial.cli import main\nsys.exit(main(['gate', *sys.argv[1:]]))\n"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(REPOSITORY / "verification")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def gate(folder: Path, *words: str, before: str = "") -> tuple[int, str]:
    process = start(folder, *words, before=before)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Reports that were promoted once."""
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text(POLICY)
    good().of_run(digests=("sha256:" + "a1" * 32,)).write(tmp_path / "good")
    assert gate(tmp_path, AT, "good")[0] == 0
    assert written(tmp_path / "good") == WRITTEN
    return tmp_path


def written(folder: Path) -> set[str]:
    return WRITTEN & {path.name for path in folder.iterdir()}


def nothing(project: Path) -> None:
    """Everything is as it was when it was promoted."""


def broken_policy(project: Path) -> None:
    (project / "fixtures" / "policies" / "demo.toml").write_text("environment = ")


def unreadable_policy(project: Path) -> None:
    (project / "fixtures" / "policies" / "demo.toml").write_bytes(b"\xff\xfe")


def half_a_line(project: Path) -> None:
    with (project / "reports" / "audit.jsonl").open("ab") as stream:
        stream.write(b'{"seq":2,')


def altered_log(project: Path) -> None:
    log = project / "reports" / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b"promote", b"rollback"))


def log_that_is_a_folder(project: Path) -> None:
    (project / "reports" / "audit.jsonl").rename(project / "elsewhere.jsonl")
    (project / "reports" / "audit.jsonl").mkdir()


def log_below_a_file(project: Path) -> None:
    (project / "file").write_text("")


FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))"
CRASH = "import seatrial.gate.command as c\ndef broken(*a): raise KeyError('x')\nc.decide = broken"
CRASH_IN_READING = "from seatrial.gate import collection\ndef broken(*a): raise MemoryError\ncollection.read = broken"
CRASH_IN_WRITING = "from seatrial.gate import record\ndef broken(*a, **k): raise RecursionError\nrecord.dumps = broken"
SHUT = "import os; os.dup2(os.open(os.devnull, os.O_RDONLY), 1)"


@pytest.mark.parametrize(
    ("spoil", "words", "before", "code"),
    [
        pytest.param(broken_policy, ("good",), "", 2, id="policy that is no TOML"),
        pytest.param(unreadable_policy, ("good",), "", 2, id="policy that is no text"),
        pytest.param(nothing, ("good", "--policy=nosuch"), "", 2, id="no such policy"),
        pytest.param(nothing, ("good", "--now=yesterday"), "", 2, id="wrong time"),
        pytest.param(nothing, ("good", "--digest=latest"), "", 2, id="wrong digest"),
        pytest.param(nothing, ("good", "--approval=nosuch.json"), "", 2, id="no such approval"),
        pytest.param(nothing, ("good", "--execute", AT), "", 2, id="options that contradict"),
        pytest.param(half_a_line, ("good", AT), "", 3, id="half-written log"),
        pytest.param(altered_log, ("good", AT), "", 3, id="altered log"),
        pytest.param(log_that_is_a_folder, ("good", AT), "", 3, id="log that is a folder"),
        pytest.param(log_below_a_file, ("good", AT, "--audit=file/log"), "", 3, id="log that cannot be opened"),
        pytest.param(nothing, ("good", AT), FULL, 3, id="disk full"),
        pytest.param(nothing, ("good", AT), CRASH, 3, id="crash while deciding"),
        pytest.param(nothing, ("good", AT), CRASH_IN_READING, 3, id="out of memory"),
        pytest.param(nothing, ("good", AT), CRASH_IN_WRITING, 3, id="crash while writing"),
        pytest.param(nothing, ("good", AT), SHUT, 3, id="nowhere to print to"),
        pytest.param(nothing, ("good", "--policy=nosuch", "--shadow"), "", 2, id="in the shadow"),
        pytest.param(nothing, ("good/junit.xml", "--policy=nosuch"), "", 2, id="asked about a file"),
        pytest.param(nothing, ("good", "--output=good", "--policy=nosuch"), "", 2, id="with an output"),
        pytest.param(nothing, ("good", "--promoted=good", "--policy=nosuch"), "", 2, id="named as promoted"),
    ],
)
def test_an_end_without_a_decision(
    project: Path, spoil: Callable[[Path], None], words: tuple[str, ...], before: str, code: int
) -> None:
    spoil(project)
    ended, errors = gate(project, *words, before=before)
    assert (ended, errors != "") == (code, True)
    assert written(project / "good") == set()


@pytest.mark.parametrize(
    ("number", "code", "more"),
    [
        pytest.param(signal.SIGINT, 130, (), id="interrupted"),
        pytest.param(signal.SIGINT, 130, ("--promoted=good",), id="interrupted, named as promoted"),
        pytest.param(signal.SIGTERM, -signal.SIGTERM, (), id="ended"),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, (), id="killed"),
    ],
)
def test_an_end_from_outside(project: Path, number: signal.Signals, code: int, more: tuple[str, ...]) -> None:
    policy = project / "slow.toml"
    os.mkfifo(policy)
    process = start(project, "good", AT, "--policy=slow.toml", *more)
    # Opened for writing as soon as the gate reads it, and not before: it is in the middle of its work.
    with policy.open("w"):
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == code
    assert written(project / "good") == set()


def test_one_that_cannot_be_removed_is_told(project: Path) -> None:
    (project / "out" / "decision.json").mkdir(parents=True)
    ended, errors = gate(project, AT, "good", "--output=out")
    assert ended == 3
    words = "out/decision.json: it is left from an earlier decision and cannot be removed: "
    assert f"seatrial gate: the decision is not recorded: treat as hold: {words}" in errors


def test_a_decision_before_this_one_in_the_same_folder_is_read_first(project: Path) -> None:
    policies = project / "fixtures" / "policies"
    (policies / "live.toml").write_text(POLICY.replace("demo", "live") + '[promotion]\nafter = ["demo"]\n')
    live = good().of_run(environment="live", id="20260504T115000Z-live-abc123", digests=("sha256:" + "a1" * 32,))
    live.write(project / "live")
    ended, errors = gate(project, AT, "live", "--output=good", "--promoted=good/decision.json")
    assert (ended, errors) == (0, "")
    assert json.loads((project / "good" / "decision.json").read_text())["environment"] == "live"
