"""`seatrial gate` as a pipeline runs it: exit codes, files, replays, and what it says about wrong use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.reports import NOW, good

REPOSITORY = Path(__file__).parents[2]
GOOD = good()
POLICY = """
environment = "demo"
[required.smoke]
minimum = 4
[evidence]
max_age = "1h"
"""


def gate(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SEATRIAL_"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "seatrial.cli", "gate", *words],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(REPOSITORY / "verification"), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    (tmp_path / "fixtures" / "policies" / "demo.toml").write_text(POLICY)
    (tmp_path / "other.toml").write_text(POLICY.replace("4", "40"))
    GOOD.write(tmp_path / "good")
    GOOD.but("smoke/ready", "error").write(tmp_path / "error")
    GOOD.but("smoke/ready", "fail").write(tmp_path / "failure")
    return tmp_path


AT = f"--now={NOW.isoformat()}"


@pytest.mark.parametrize(
    ("words", "code", "output"),
    [
        (("good",), 0, "PROMOTE  1.5.0 in demo"),
        (("error",), 10, "HOLD  1.5.0 in demo"),
        (("failure",), 20, "ROLLBACK  1.5.0 in demo"),
        (("good/junit.xml",), 0, "PROMOTE"),
        (("good", "failure"), 10, "reports of one run differ"),
        (("nowhere",), 10, "no such file or folder"),
        (("good", "--env=demo", "--release=1.5.0"), 0, "PROMOTE"),
        (("good", "--release=1.6.0"), 10, "asked for 1.6.0"),
        (("good", "--policy=other.toml"), 10, "at least 40 executed"),
    ],
)
def test_verdict_is_the_exit_code(project: Path, words: tuple[str, ...], code: int, output: str) -> None:
    ended = gate(AT, *words, cwd=project)
    assert (ended.returncode, ended.stderr) == (code, "")
    assert output in ended.stdout


def test_nothing_at_all_holds(tmp_path: Path) -> None:
    assert gate(cwd=tmp_path).returncode == 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--policy=dmo",), "seatrial gate: no policy 'dmo' in fixtures/policies"),
        (("--policy=dmo",), "did you mean demo?"),
        (("--policy=../x",), "cannot be read"),
        (("--env=a/b",), "no policy can be called 'a/b'"),
        (("--env=x" + "y" * 300,), "no policy can be called"),
        (("--policy=none.toml",), "none.toml: cannot be read: No such file"),
        (("--now=yesterday",), "--now: expected a time with its zone such as 2026-05-04T12:00:00Z, seen 'yesterday'"),
        (("--now=2026-05-04T12:00:00",), "--now: expected a time with its zone"),
        (("--now=0001-01-01T00:00:00+23:00",), "--now: expected a time"),
        (("--output=good/junit.xml/x",), "--output: good/junit.xml/x cannot be made"),
        (("--nonsense",), "unrecognized arguments"),
    ],
)
def test_wrong_use(project: Path, words: tuple[str, ...], message: str) -> None:
    ended = gate("good", *words, cwd=project)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[evidence]\nmax_aeg = '1h'", "evidence.max_aeg: unknown key; did you mean max_age?"),
        ("enviroment = 'x'", "enviroment: unknown key; did you mean environment?"),
        ("[required.smoke]\nminimun = 1", "required.NAME.minimun: unknown key; did you mean minimum?"),
        ("[suite_effects.config]\nworst = 'hold'", "worst: unknown key; known here: critical, major, minor"),
        ("[rollback]\nrequire = []", "rollback.require: unknown key; did you mean requires?"),
        ("[effects]\ncritical = 'panic'", "effects.critical: invalid enum value 'panic'"),
        ("[required.smoke]\nminimum = 'two'", "required.NAME.minimum: expected `int`, got `str`"),
        ("[required.smoke]\nminimum = -1", "required.NAME.minimum: expected `int` >= 0"),
        ("[evidence]\nmax_age = '1 week'", "evidence.max_age: expected such as 90m, 4h or 2d; seen '1 week'"),
        ("extends = 'nobody'", "extends: expected the name of a policy, seen 'nobody'"),
        ("extends = 'demo'", "extends goes round in a circle"),
        ("not toml", "not readable as TOML"),
    ],
)
def test_wrong_policy(project: Path, text: str, message: str) -> None:
    (project / "fixtures" / "policies" / "demo.toml").write_text(text)
    ended = gate("good", cwd=project)
    assert ended.returncode == 2
    assert "demo.toml: " in ended.stderr
    assert message in ended.stderr


def test_replay_is_the_same_bytes(project: Path) -> None:
    first = gate(AT, "failure", "--output=one", cwd=project)
    # Where a decision was written before makes no difference, and neither does another folder for it.
    second = gate(AT, "failure", "--output=two", PYTHONHASHSEED="7", cwd=project)
    third = gate(AT, "failure", cwd=project)
    assert first.returncode == second.returncode == third.returncode == 20
    written = [(project / place / "decision.json").read_bytes() for place in ("one", "two", "failure")]
    assert written[0] == written[1] == written[2]
    assert (project / "one" / "summary.md").read_bytes() == (project / "two" / "summary.md").read_bytes()
    document = json.loads(written[0])
    assert (document["decision"], document["exit_code"], document["decided"]) == (
        "rollback",
        20,
        "2026-05-04T12:00:00Z",
    )
    assert "junit.xml" in document["evidence"]["files"]
    assert gate(AT, "failure", cwd=project).returncode == 20
    assert (project / "failure" / "decision.json").read_bytes() == written[0]


def test_the_same_moment_in_another_zone_is_the_same_decision(project: Path) -> None:
    gate("--now=2026-05-04T12:00:00Z", "good", "--output=one", cwd=project)
    gate("--now=2026-05-04T14:00:00+02:00", "good", "--output=two", cwd=project)
    assert (project / "one" / "decision.json").read_bytes() == (project / "two" / "decision.json").read_bytes()


def test_step_summary_is_appended_to(project: Path) -> None:
    step = project / "step.md"
    step.write_text("before\n")
    assert gate(AT, "good", cwd=project, GITHUB_STEP_SUMMARY=str(step)).returncode == 0
    assert step.read_text() == "before\n" + (project / "good" / "summary.md").read_text()


def test_step_summary_that_cannot_be_written_changes_nothing(project: Path) -> None:
    ended = gate(AT, "good", cwd=project, GITHUB_STEP_SUMMARY=str(project / "none" / "step.md"))
    assert ended.returncode == 0
    assert "GITHUB_STEP_SUMMARY" in ended.stderr


def test_a_terminal_without_the_characters(project: Path) -> None:
    GOOD.but("smoke/ready", "fail", message="caf\u00e9 \u2713").write(project / "words")
    ended = gate(AT, "words", cwd=project, PYTHONIOENCODING="ascii")
    assert ended.returncode == 20
    assert "caf\\xe9 \\u2713" in ended.stdout


def test_a_failure_of_the_gate_is_no_verdict(project: Path) -> None:
    code = (
        "import sys, seatrial.gate.command as c\n"
        "def broken(*a): raise KeyError('\\x1b[31mx')\n"
        "c.decide = broken\n"
        "from seatrial.cli import main\n"
        "sys.exit(main(['gate', 'good', *sys.argv[1:]]))\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")}
    for words, has_traceback in (((), False), (("--traceback",), True)):
        ended = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=project, env=environ, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 3
        assert "the gate itself failed, treat this as hold: KeyError" in ended.stderr
        assert "\x1b" not in ended.stderr
        assert ("Traceback" in ended.stderr) is has_traceback


def test_imports_are_light(project: Path) -> None:
    code = (
        "import sys\n"
        "from seatrial.cli import main\n"
        "code = main(['gate', 'good'])\n"
        "heavy = {'pytest', 'pydantic', 'httpx', 'kubernetes', 'numpy', 'scipy', 'yaml', 'aiohttp', 'asyncio', 'ssl'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=environ, capture_output=True, text=True, check=True
    )
    assert ended.stdout.endswith("HEAVY []\n")
