"""`seatrial gate --execute`: the policy's command, once, bounded, recorded; and no secret in anything that is left."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from seatrial.gate import soundness
from support.reports import Reports, good, run

REPOSITORY = Path(__file__).parents[2]
SECRET = "hunter2-and-more/+="


def fresh() -> Reports:
    """A run that has just ended: what is acted upon is decided now."""
    import datetime as dt

    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    stamps = {"started": now - dt.timedelta(minutes=2), "finished": now - dt.timedelta(minutes=1)}
    told = {name: moment.isoformat().replace("+00:00", "Z") for name, moment in stamps.items()}
    return Reports(cases=good().cases, run=run(**told))


def policy(**acting: Any) -> str:
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in acting.items())
    return f'environment = "demo"\n[required.smoke]\nminimum = 4\n[evidence]\nmax_age = "1h"\n[acting]\n{lines}\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "fixtures" / "policies").mkdir(parents=True)
    fresh().write(tmp_path / "good")
    fresh().but("smoke/ready", "fail").write(tmp_path / "bad")
    return tmp_path


def says(project: Path, **acting: Any) -> None:
    (project / "fixtures" / "policies" / "demo.toml").write_text(policy(**acting))


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def start(project: Path, *words: str, **environ: str) -> "subprocess.Popen[str]":
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SEATRIAL_"))}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "seatrial.cli", "gate", *words],
        cwd=project,
        env={**kept, "PYTHONPATH": str(REPOSITORY / "verification"), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def gate(project: Path, *words: str, **environ: str) -> tuple[int, str, str]:
    process = start(project, *words, **environ)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def log(project: Path) -> list[tuple[str, Any]]:
    lines = (project / "reports" / "audit.jsonl").read_bytes().splitlines(keepends=True)
    assert soundness.examine(lines).findings == ()
    return [(entry.kind, entry.facts.get("state")) for entry in soundness.entries(lines)]


TOUCH = python("import os; open('ran', 'a').write(os.environ['SEATRIAL_GATE_VERDICT'] + '\\n'); print('did it')")


@pytest.mark.parametrize(("place", "verdict", "code"), [("good", "promote", 0), ("bad", "rollback", 20)])
def test_the_command_of_the_verdict_runs_once(project: Path, place: str, verdict: str, code: int) -> None:
    says(project, promote=TOUCH, rollback=TOUCH, verify=python("print('looked')"), objective="10m")
    # Printed without --execute, and not run.
    returned, out, _ = gate(project, place)
    assert returned == code
    assert "SEATRIAL_GATE_VERDICT" in out.partition("next\n")[2].splitlines()[0]
    assert not (project / "ran").exists()
    returned, out, _ = gate(project, place, "--execute")
    assert returned == code, out
    assert (project / "ran").read_text() == f"{verdict}\n"
    assert "done: " in out
    acting = json.loads((project / place / "acting.json").read_text())
    assert acting["state"] == "done"
    assert [(one["end"], one["exit_code"], one["output"]) for one in acting["commands"]] == [
        ("exited", 0, "did it\n"),
        ("exited", 0, "looked\n"),
    ]
    assert acting["milliseconds"] >= sum(one["milliseconds"] for one in acting["commands"]) - 5
    # Asked again it is another decision, of the same evidence: nothing is done a second time.
    returned, out, _ = gate(project, place, "--execute")
    assert returned == code
    assert "already done at" in out
    assert (project / "ran").read_text() == f"{verdict}\n"
    expected = [("decision", None), ("decision", None), ("execution", "started"), ("execution", "done")]
    assert log(project) == [*expected, ("decision", None)]


def test_a_hold_executes_nothing(project: Path) -> None:
    says(project, promote=TOUCH, rollback=TOUCH)
    fresh().but("smoke/ready", "error").write(project / "held")
    returned, out, _ = gate(project, "held", "--execute")
    assert returned == 10
    assert "nothing is executed: hold" in out
    assert not (project / "ran").exists()


@pytest.mark.parametrize(
    ("acting", "state", "end", "words"),
    [
        ({"rollback": python("print('no'); raise SystemExit(7)")}, "failed", "exited", "exit code 7"),
        ({"rollback": ["no-such-command"]}, "failed", "not started", "No such file or directory"),
        (
            {"rollback": python("import time; print('slow', flush=True); time.sleep(60)"), "timeout": "1s"},
            "failed",
            "timed out",
            "slow",
        ),
        ({"rollback": TOUCH, "verify": python("raise SystemExit(1)")}, "not verified", "exited", "not verified"),
        ({"rollback": TOUCH, "objective": "0s"}, "too slow", "exited", "allowed are 0s"),
    ],
)
def test_what_fails_is_told_and_not_tried_again(
    project: Path, acting: dict[str, Any], state: str, end: str, words: str
) -> None:
    says(project, **acting)
    returned, out, _ = gate(project, "bad", "--execute")
    assert returned == 4
    assert words in out
    told = json.loads((project / "bad" / "acting.json").read_text())
    assert (told["state"], told["commands"][0]["end"]) == (state, end)
    says(project, rollback=TOUCH)
    (project / "ran").unlink(missing_ok=True)
    returned, _, err = gate(project, "bad", "--execute")
    assert returned == 4
    assert f"nothing is executed: acting upon the same evidence ended {state} at" in err
    assert not (project / "ran").exists()


def test_words_are_words(project: Path) -> None:
    says(project, rollback=["echo", "$(touch ran); `id` && x", "*"])
    assert gate(project, "bad", "--execute")[0] == 20
    told = json.loads((project / "bad" / "acting.json").read_text())
    assert told["commands"][0]["output"] == "$(touch ran); `id` && x *\n"


def test_a_long_output_is_bounded(project: Path) -> None:
    says(project, rollback=python("[print(n, 'x' * 99) for n in range(50_000)]"))
    assert gate(project, "bad", "--execute")[0] == 20
    output = json.loads((project / "bad" / "acting.json").read_text())["commands"][0]["output"]
    assert len(output) < 70_000
    assert output.startswith("0 xxx")
    assert "bytes are left out" in output
    assert output.endswith("49999 " + "x" * 99 + "\n")


def waiting(project: Path, *words: str, code: str = "") -> "subprocess.Popen[str]":
    """A gate whose command has begun and waits."""
    begin = "import os, signal, time; open('begun', 'w').close(); "
    says(project, rollback=python(begin + (code or "time.sleep(60)")))
    process = start(project, "bad", "--execute", *words)
    deadline = time.monotonic() + 30
    while not (project / "begun").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_recorded(project: Path, number: signal.Signals) -> None:
    process = waiting(project)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in out
    told = json.loads((project / "bad" / "acting.json").read_text())
    assert (told["state"], told["commands"][0]["end"]) == ("failed", "interrupted")
    assert log(project)[-2:] == [("execution", "started"), ("execution", "failed")]


def test_only_one_acts_at_a_time(project: Path) -> None:
    process = waiting(project)
    fresh().of_run(id="other").but("smoke/ready", "fail").write(project / "worse")
    returned, _, err = gate(project, "worse", "--execute")
    assert returned == 4
    assert "nothing is executed: another is acting in demo right now" in err
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_one_that_was_killed_is_not_tried_again(project: Path) -> None:
    process = waiting(project, code="time.sleep(5)")
    process.kill()
    process.communicate(timeout=60)
    says(project, rollback=TOUCH)
    returned, _, err = gate(project, "bad", "--execute")
    assert returned == 4
    assert "was begun and never told its end" in err
    assert not (project / "ran").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--now=2026-05-04T12:00:00Z",), 2, "--execute: what is decided with --now is not acted upon"),
        (("--shadow",), 2, "--execute: what is decided with --shadow is not acted upon"),
        ((), 4, "nothing is executed: the policy has no command under [acting] rollback"),
    ],
)
def test_what_is_not_acted_upon(project: Path, words: tuple[str, ...], code: int, message: str) -> None:
    says(project, promote=TOUCH)
    returned, _, err = gate(project, "bad", "--execute", *words)
    assert returned == code
    assert message in err


def test_a_decision_that_is_not_recorded_is_not_acted_upon(project: Path) -> None:
    says(project, rollback=TOUCH)
    (project / "reports").mkdir()
    (project / "reports" / "audit.jsonl").write_text("half a li")
    returned, _, err = gate(project, "bad", "--execute")
    assert returned == 3
    assert "treat as hold: reports/audit.jsonl: its last line is half-written" in err
    assert not (project / "ran").exists()
    assert not (project / "bad" / "decision.json").exists()


def test_no_secret_is_left_anywhere(project: Path) -> None:
    """Whatever a run of the gate prints or leaves is searched for every form of what must not be there."""
    shown = "import os, sys, json, base64, urllib.parse as u\n" + "\n".join(
        f"for v in (os.environ['{name}'],): print(v, json.dumps(v), u.quote(v), base64.b64encode(v.encode()).decode(), "
        "repr(v), file=sys.stderr)"
        for name in ("DEPLOY_TOKEN", "NAMED", "LISTED")
    )
    says(project, rollback=python(shown), verify=python(shown), redact_env=["LISTED"])
    values = {"DEPLOY_TOKEN": SECRET + "1", "NAMED": SECRET + "2", "LISTED": SECRET + "3"}
    returned, out, err = gate(project, "bad", "--execute", "--redact-env=NAMED", **values)
    assert returned == 20
    told = json.loads((project / "bad" / "acting.json").read_text())
    assert told["commands"][0]["output"].count("[redacted]") >= 12
    left = [path.read_bytes() for path in project.rglob("*") if path.is_file()]
    assert len(left) > 5
    for number in "123":
        secret = SECRET + number
        for form in (secret, json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()):
            assert not [content for content in (out.encode(), err.encode(), *left) if form.encode() in content]
