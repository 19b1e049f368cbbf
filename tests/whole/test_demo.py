"""A release is verified against the running demo and promoted; each fault is caught by its checks and decided."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.checks.catalogue import catalogue
from seatrial.demo.faults import FAULTS, Fault
from support.verified import REPOSITORY, Verified, Verify, clean_environment, command_line, run_gate, run_here

EXIT = {"promote": 0, "hold": 10, "rollback": 20}


def test_a_good_release_is_promoted(good: Verified) -> None:
    assert good.gate_exit == 0, good.output + good.summary
    assert good.pytest_exit == 0
    assert good.failing() == good.failing("control") == set()
    assert good.decision["decision"] == "promote"
    suites = {case["suite"] for case in good.evidence["outcomes"]}
    assert suites >= {"smoke", "synthetic", "config", "latency", "rollout"}
    assert "release seen: chat candidate 1.5.0, chat stable 1.4.2" in good.output


LOADS = ("slow-candidate", "cut-streams", "error-rate")
"""Faults that the load is to see, one of each kind; the others take as long, and `make test-ci` tries them."""


def caught() -> Iterator[Any]:
    """Each fault with what is selected of the suites: those that must catch it, and the rollout suite, without which
    nothing is rolled back. The load, which takes longest, is left out where it can be; the causes say what the failures
    alone call for. Nightly all the rest is run too, lest something else make another decision of it.
    """
    known = {check.id: check.suite for check in catalogue()}
    by_suites = {
        fault: {known.get(check, check.partition("/")[0]) for check in fault.expected}
        for fault in FAULTS
        if not fault.watched
    }
    # Loads first: they bear the neighbour that is then tried beside them, and not each other.
    for fault, suites in sorted(by_suites.items(), key=lambda entry: "latency" not in entry[1]):
        selected = ["-m", " or ".join(sorted(suites | {"rollout"}))]
        if fault.name == "broken-page":
            # Every journey waits in vain for the page, as long as a user would.
            selected += ["-k", " or ".join(["rollout", *(check.partition("/")[2] for check in fault.expected)])]
        elif not any(check.startswith("metrics/") for check in fault.expected):
            selected += ["-k", "not test_metrics"]
        later = "latency" in suites and fault.name not in LOADS
        yield pytest.param(fault, selected, id=fault.name, marks=[pytest.mark.long, pytest.mark.ci] if later else [])
        if "latency" not in suites:
            yield pytest.param(fault, ["-m", "not latency"], id=f"{fault.name}-beside-all", marks=pytest.mark.long)


@pytest.mark.parametrize(("fault", "selected"), list(caught()))
def test_each_fault_is_caught(
    verify: Verify, fault: Fault, selected: list[str], need: Callable[[str], str], tmp_path: Path
) -> None:
    if fault.name == "broken-page":
        need("chromium")
    if fault.load:
        demo = (REPOSITORY / "fixtures" / "environments" / "demo.toml").read_text()
        for usual, other in (('profile = "streamed"', f'profile = "{fault.load}"'), ("= 0.02", "= 0.005")):
            assert usual in demo
            demo = demo.replace(usual, other)
        (tmp_path / "environments").mkdir()
        (tmp_path / "environments" / "demo.toml").write_text(demo)
        selected = [*selected, f"--seatrial-fixtures={tmp_path}"]
    verified = verify(*selected, faults=[fault.name], journeys=fault.name == "broken-page")
    assert verified.gate_exit == EXIT[fault.decision], verified.output + verified.summary
    assert verified.decision["decision"] == fault.decision
    assert set(fault.expected) <= verified.failing(), verified.summary
    blamed = {
        case["key"].partition("[")[0]
        for cause in verified.decision["causes"]
        if cause["effect"] == fault.decision and cause["code"] != "missing-checks"
        for case in cause["cases"]
    }
    assert set(fault.expected) <= blamed, verified.summary
    # Whoever reads the summary finds what was seen, and the limit that it broke.
    for case in verified.evidence["outcomes"]:
        if case["check"] in fault.expected and case["role"] == "subject" and case["outcome"] == "fail":
            assert case["check"] in verified.summary
            assert all(case[number] in verified.summary for number in ("seen", "limit") if case.get(number)), case


def test_workers_change_nothing(good: Verified, verify: Verify) -> None:
    # Without journeys: a browser in one worker takes the machine from the load in the other.
    together = verify("-n", "2")
    journeys = {f"synthetic/{path.stem}" for path in (REPOSITORY / "synthetic" / "journeys").glob("*.toml")}
    planned, alone = (
        {case["key"]: case.get("outcome") for case in good.evidence[part] if case["check"] not in journeys}
        for part in ("expected", "outcomes")
    )
    assert together.outcomes() == alone
    assert [case["key"] for case in together.evidence["expected"]] == list(planned)
    assert together.gate_exit == good.gate_exit == 0


@pytest.mark.parametrize("arguments", [("-k", "nothing-has-this-name"), ("-m", "smoke")])
def test_what_did_not_run_is_missing(verify: Verify, arguments: tuple[str, ...]) -> None:
    verified = verify(*arguments)
    assert verified.gate_exit == 10
    assert "synthetic" in verified.summary


def test_kill_in_the_middle_holds_and_leaves_no_process(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command_line(tmp_path, "--env=demo"),
        cwd=REPOSITORY,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "%]" in line or "PASSED" in line or ".py ." in line:
            break
    children = _children(process.pid)
    assert children, "the demo has no process"
    process.kill()
    process.wait(timeout=30)
    process.stdout.close()
    gate = run_gate(tmp_path / "latest")
    assert gate.returncode == 10, gate.stdout + gate.stderr
    assert "did not finish" in gate.stdout
    decision = json.loads((tmp_path / "latest" / "decision.json").read_text())
    assert "latency/regression[chat]" in decision["missing"]
    deadline = time.monotonic() + 15
    while left := [pid for pid in children if _alive(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]


def _alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_an_unknown_environment_names_the_known_ones(tmp_path: Path) -> None:
    run = run_here(command_line(tmp_path, "--env=nowhere"))
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert all(name in run.stderr for name in ("demo", "dev", "qa", "staging", "production"))
    assert list(tmp_path.iterdir()) == []
