"""`seatrial gate` as a pipeline runs it: exit codes, files, replays, and what it says about wrong use."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import seatrial.gate
from seatrial.gate import policy_file
from support.reports import NOW, good, told

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
        (("good", "--policy=other.toml"), 10, "suite smoke must have executed at least 40 checks, and executed 4"),
    ],
)
def test_verdict_is_the_exit_code(project: Path, words: tuple[str, ...], code: int, output: str) -> None:
    ended = gate(AT, *words, cwd=project)
    assert (ended.returncode, ended.stderr) == (code, "")
    assert output in ended.stdout


@pytest.mark.parametrize(
    ("folder", "verdict", "code"), [("good", "promote", 0), ("error", "hold", 10), ("failure", "rollback", 20)]
)
def test_shadow_decides_nothing(project: Path, folder: str, verdict: str, code: int) -> None:
    ended = gate(AT, folder, "--shadow", cwd=project)
    assert ended.returncode == 0
    first = "SHADOW  nothing is decided, and the exit code is 0; the gate would have said "
    assert ended.stdout.startswith(f"{first}{verdict.upper()} (exit {code})\n\n{verdict.upper()}  1.5.0 in demo")
    assert (project / folder / "summary.md").read_text().startswith("> **SHADOW  nothing is decided")
    document = json.loads((project / folder / "decision.json").read_text())
    assert (document["shadow"], document["decision"], document["exit_code"]) == (True, verdict, code)
    # All the rest is as it would have been.
    gate(AT, folder, cwd=project)
    assert json.loads((project / folder / "decision.json").read_text()) == {
        key: value for key, value in document.items() if key != "shadow"
    }


def test_shadow_hides_neither_wrong_use_nor_failure(project: Path) -> None:
    assert gate("good", "--shadow", "--env=dmo", cwd=project).returncode == 2
    (project / "out" / "decision.json").mkdir(parents=True)
    assert gate(AT, "good", "--shadow", "--output=out", cwd=project).returncode == 3


def test_nothing_at_all_holds(tmp_path: Path) -> None:
    assert gate(cwd=tmp_path).returncode == 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--policy=dmo",), "seatrial gate: there is no policy 'dmo' in fixtures/policies"),
        (("--policy=dmo",), "did you mean demo?"),
        (("--policy=../x",), "cannot be read"),
        (("--env=a/b",), "there is no policy 'a/b'"),
        (("--env=x" + "y" * 300,), "there is no policy 'xyyy"),
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
        ("[required.smoke]\nminimun = 1", "required.smoke.minimun: unknown key; did you mean minimum?"),
        ("[effects.config]\nworst = 'hold'", "effects.config.worst: unknown key; known here: critical, major, minor"),
        ("[effects.confg]\nmajor = 'hold'", "effects.confg: unknown key; did you mean config?"),
        ("[required.smok]", "required.smok: unknown key; did you mean smoke?"),
        ("effects = 3", "effects: expected a table, seen 3"),
        ("dry_run = 'smoke/live'", "dry_run: expected a list; seen 'smoke/live'"),
        ("[budgets]\nerror = 1", "budgets.error: unknown key"),
        ("[rollback]\nrequire = []", "rollback.require: unknown key; did you mean requires?"),
        ("[rollback.latncy]\nrequires = []", "rollback.latncy: unknown key; did you mean latency?"),
        ("[rollback.latency]\nrequire = []", "rollback.latency.require: unknown key; did you mean requires?"),
        ("[rollback.latency]\nrequires = 'x'", "rollback.latency.requires: expected a list; seen 'x'"),
        ("[effects]\ncritical = 'panic'", "effects.critical: expected rollback, hold, note; seen 'panic'"),
        ("[required.smoke]\nminimum = 'two'", "required.smoke.minimum: expected a whole number; seen 'two'"),
        ("[required.smoke]\nminimum = -1", "required.smoke.minimum: expected a whole number, at least 1; seen '-1'"),
        ("[evidence]\nmax_age = '1 week'", "evidence.max_age: expected such as 90m, 4h, 2d or any; seen '1 week'"),
        ("extends = 'nobody'", "extends: expected the name of a policy (base), seen 'nobody'"),
        ("extends = 'demo'", "extends goes round in a circle"),
        ("not toml", "not readable as TOML"),
        ("[triggers]\nrollback = ['speed']", "triggers.rollback: expected health, error-rate, latency, other; seen"),
        ("[evidence]\ndigests = 'none'", "evidence.digests: expected same, any; seen 'none'"),
        ("[manifest]\nexpect = []", "manifest.expect: unknown key; did you mean expected?"),
        ("[[waivers]]\nmatch = 'x'", "waivers[1]: expected owner, reason, expires too, seen match"),
        ("waivers = 3", "waivers: expected tables under [[waivers]], seen '3'"),
        ("[[freeze]]\nreason = 'x'", "freeze[1]: expected from and until, or weekly"),
        ("[[freeze]]\nreason = ''\nweekly = 'Mon 10:00 to Mon 11:00'", "freeze[1].reason: expected text, not nothing"),
        ("[[freeze]]\nreason = 'x'\nweekly = 'Fri'", "freeze[1].weekly: expected such as Fri 16:00 to Mon 06:00; seen"),
        (
            "[[freeze]]\nreason = 'x'\nweekly = 'Fri 16:00 to Fri 16:00'",
            "freeze[1]: weekly: expected an end that is not its begin, seen 'Fri 16:00 to Fri 16:00'",
        ),
        (
            "[[freeze]]\nreason = 'x'\nweekly = 'Fri 16:00 to Mon 16:00'\nzone = 'Europe/Berlln'",
            "freeze[1]: zone: expected an IANA time zone such as Europe/Berlin, seen 'Europe/Berlln'",
        ),
        (
            "[[freeze]]\nreason = 'x'\nfrom = 2026-05-01T00:00:00\nuntil = 2026-05-02T00:00:00",
            "freeze[1]: expected times with an offset such as 2026-12-18T16:00:00Z, or a zone",
        ),
        (
            "[[freeze]]\nreason = 'x'\nfrom = 2026-05-03T00:00:00Z\nuntil = 2026-05-02T00:00:00Z",
            "freeze[1]: until: expected a time after from",
        ),
        (
            "[[freeze]]\nreason = 'x'\nfrom = 2026-05-03\nuntil = 2026-05-02T00:00:00Z",
            "freeze[1].from: expected a time such as 2026-12-01T16:00:00Z; seen '2026-05-03'",
        ),
    ],
)
def test_wrong_policy(project: Path, text: str, message: str) -> None:
    (project / "fixtures" / "policies" / "demo.toml").write_text(text)
    ended = gate("good", cwd=project)
    assert ended.returncode == 2
    assert "demo.toml:" in ended.stderr
    assert message in ended.stderr


def test_every_problem_of_a_policy_is_told_at_once(project: Path) -> None:
    text = "enviroment = 'x'\n[effects]\ncritical = 'panic'\n[evidence]\nmax_age = 4\n[required.smoke]\nminimum = 0"
    (project / "fixtures" / "policies" / "demo.toml").write_text(text)
    ended = gate("good", cwd=project)
    assert ended.returncode == 2
    assert [line.strip().partition(":")[0] for line in ended.stderr.splitlines()[1:]] == [
        "enviroment",
        "evidence.max_age",
        "required.smoke.minimum",
        "effects.critical",
    ]


def test_a_policy_is_laid_over_the_one_it_extends(project: Path) -> None:
    policies = project / "fixtures" / "policies"
    (policies / "low.toml").write_text(
        'description = "low"\n[required.smoke]\nminimum = 4\n[effects.smoke]\nmajor = "note"'
    )
    (policies / "high.toml").write_text('extends = "low"\n[required.synthetic]\n[effects.smoke]\ncritical = "hold"')
    loaded = policy_file.load(policies / "high.toml", [policy_file.Folder(path=policies)])
    assert {suite: rule.minimum for suite, rule in loaded.required.items()} == {"smoke": 4, "synthetic": 1}
    effects = [loaded.effect("smoke", severity) for severity in ("critical", "major", "minor")]
    assert effects == ["hold", "note", "note"]
    assert loaded.effect("rollout", "critical") == "rollback"


def test_an_environment_without_a_policy_holds_and_says_so(project: Path) -> None:
    GOOD.of_run(environment="atlantis").but("smoke/ready", "fail").write(project / "elsewhere")
    ended = gate(AT, "elsewhere", cwd=project)
    assert ended.returncode == 10
    assert "there is no policy 'atlantis'" in ended.stdout
    document = json.loads((project / "elsewhere" / "decision.json").read_text())
    assert document["causes"][0]["code"] == "no-policy"
    assert document["policy"]["name"] == "base"


def test_other_projects_get_no_policy_but_base_and_demo(project: Path) -> None:
    ended = gate(AT, "good", "--env=production", cwd=project)
    assert ended.returncode == 2
    assert "there are: base, demo" in ended.stderr


def test_a_decision_that_cannot_be_kept_is_none(project: Path) -> None:
    (project / "out" / "decision.json").mkdir(parents=True)
    ended = gate(AT, "good", "--output=out", cwd=project)
    assert ended.returncode == 3
    assert "the decision is not recorded: treat as hold" in ended.stderr


def test_a_file_has_its_decision_beside_it(project: Path) -> None:
    assert gate(AT, "good/junit.xml", cwd=project).returncode == 0
    document = json.loads((project / "good" / "decision.json").read_text())
    assert list(document["evidence"]["files"]) == ["junit.xml"]


def test_files_of_several_places_keep_their_names_apart(project: Path) -> None:
    gate(AT, "good/junit.xml", "error/junit.xml", "--output=out", cwd=project)
    document = json.loads((project / "out" / "decision.json").read_text())
    assert list(document["evidence"]["files"]) == ["1/junit.xml", "2/junit.xml"]


def test_the_hashes_are_those_of_the_files(project: Path) -> None:
    (project / "good" / "cut.xml").write_text("<testsuite><!DOCTYPE")
    gate(AT, "good", cwd=project)
    files = json.loads((project / "good" / "decision.json").read_text())["evidence"]["files"]
    assert "cut.xml" in files
    for name, digest in files.items():
        assert hashlib.sha256((project / "good" / name).read_bytes()).hexdigest() == digest


def test_commands_out_of_reports_are_words_only(project: Path) -> None:
    for number, evil in enumerate(("pytest -k x; rm -rf /", "rm -rf /", "pytest $(id) 'a b'", "pytest 'unclosed")):
        case = told("smoke/x", "fail", severity="critical", obj=str(number), reproduce=evil)
        GOOD.plus(case).only("junit").write(project / f"evil{number}")
        gate(AT, f"evil{number}", cwd=project)
    found = [json.loads((project / f"evil{n}" / "decision.json").read_text())["next"] for n in range(4)]
    assert found == [["pytest -k 'x;' rm -rf /"], [], ["pytest '$(id)' 'a b'"], []]


def test_python_has_the_same_decision(project: Path) -> None:
    policy = seatrial.gate.load_policy(project / "fixtures" / "policies" / "demo.toml")
    reading = seatrial.gate.read([project / "failure"])
    decision = seatrial.gate.decide(reading, policy, seatrial.gate.Question(now=NOW))
    assert decision.verdict is seatrial.gate.Verdict.ROLLBACK
    assert gate(AT, "failure", cwd=project).returncode == decision.verdict.exit_code


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
        assert "gate failed: treat as hold: KeyError" in ended.stderr
        assert "\x1b" not in ended.stderr
        assert ("Traceback" in ended.stderr) is has_traceback


def test_imports_are_light(project: Path) -> None:
    code = (
        "import sys\n"
        "from seatrial.cli import main\n"
        "code = main(['gate', 'good'])\n"
        "heavy = {'pytest', 'pydantic', 'httpx', 'kubernetes', 'numpy', 'scipy', 'yaml', 'aiohttp', 'asyncio', 'ssl'}\n"
        "heavy |= {'icalendar', 'dateutil'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=environ, capture_output=True, text=True, check=True
    )
    assert ended.stdout.endswith("HEAVY []\n")
