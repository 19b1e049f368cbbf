"""Bringing the demo up and, above all, taking it down: whatever happens to the parent, nothing is left."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from seatrial.demo import platform, process
from seatrial.demo.faults import UnknownFault
from seatrial.evidence.outcome import CannotLook

HOLDER = """
import json, sys
from seatrial.demo import platform
running = platform.start(with_kube=False)
print(json.dumps(running.variables), flush=True)
sys.stdin.read()
"""
FOREGROUND = """
import argparse, sys
from seatrial.demo import command
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(parser.parse_args()))
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(platform.__file__).parents[2])}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(holds: Callable[[], bool], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.01)


def pids(variables: dict[str, str]) -> list[int]:
    return [int(value) for name, value in variables.items() if name.endswith("_pid")]


def assert_gone(variables: dict[str, str]) -> None:
    eventually(lambda: not any(alive(pid) for pid in pids(variables)))
    eventually(lambda: not Path(variables["state"]).exists())
    for name in ("stable_port", "candidate_port", "public_port"):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(variables[name]))) != 0


def test_start_and_stop() -> None:
    running = platform.start(with_kube=False)
    variables = running.variables
    state = Path(variables["state"])
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert len(pids(variables)) == 3
    assert running.ended() == ()
    assert "kubeconfig" not in variables
    running.stop()
    assert_gone(variables)
    running.stop()


def test_stop_is_quick_while_a_stream_hangs() -> None:
    with platform.start(faults=["stalled-stream"], with_kube=False) as running:
        body = {"model": "chatbot", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        with httpx.stream(
            "POST", running.variables["candidate_url"] + "/v1/chat/completions", json=body, timeout=5
        ) as response:
            assert next(response.iter_raw())
            started = time.monotonic()
            running.stop()
            assert time.monotonic() - started < 2


def test_a_process_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "STOP_WITHIN", 0.3)
    with platform.start(with_kube=False) as running:
        os.kill(int(running.variables["candidate_pid"]), signal.SIGSTOP)
    assert_gone(running.variables)


def test_a_state_folder_of_the_caller_stays_with_its_logs(tmp_path: Path) -> None:
    folder = tmp_path / "target"
    with platform.start(state=folder, with_kube=False) as running:
        assert running.variables["state"] == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("chat-stable", "chat-candidate", "router"):
        assert "serves" in (folder / f"{name}.log").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_processes_started_by_root_are_nobodys() -> None:
    with platform.start(with_kube=False) as running:
        owners = {
            Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()[0] for pid in pids(running.variables)
        }
    assert owners == {str(pwd.getpwnam("nobody").pw_uid)}


def test_secrets_of_the_parent_stay_with_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_TOKEN", "do-not-tell")
    with platform.start(with_kube=False) as running:
        for pid in pids(running.variables):
            assert b"do-not-tell" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_two_demos_side_by_side() -> None:
    with platform.start(with_kube=False) as one, platform.start(with_kube=False) as two:
        assert one.variables["public_url"] != two.variables["public_url"]
        for running in (one, two):
            assert httpx.get(running.variables["public_url"] + "/readyz").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_parent_is_killed(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        variables = json.loads(holder.stdout.readline())
        assert all(alive(pid) for pid in pids(variables))
        holder.send_signal(number)
        holder.wait(10)
    assert_gone(variables)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_in_the_foreground_ends_cleanly(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, "--without-cluster", "--demo-fault=wrong-version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        shown = [demo.stdout.readline() for _ in range(6)]
        candidate = next(line for line in shown if line.startswith("candidate")).split()[-1]
        state = Path(next(line for line in shown if line.startswith("logs")).split()[-1])
        children = [json.loads(path.read_text())["pid"] for path in state.glob("*.json")]
        assert len(children) == 3
        assert httpx.get(f"{candidate}/version").json()["version"] == "1.4.9"
        # As Ctrl-C in a terminal does: the whole process group.
        os.killpg(demo.pid, number)
        assert demo.wait(10) == 0
        assert demo.stderr.read() == ""
    assert not any(alive(pid) for pid in children)
    assert not state.exists()


def test_the_foreground_says_when_a_process_has_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, "--without-cluster"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        shown = [demo.stdout.readline() for _ in range(6)]
        state = Path(next(line for line in shown if line.startswith("logs")).split()[-1])
        os.kill(json.loads((state / "router.json").read_text())["pid"], signal.SIGKILL)
        _, errors = demo.communicate(timeout=10)
    assert demo.returncode == 1
    assert "router" in errors


def test_an_unknown_fault_is_wrong_use() -> None:
    command = [sys.executable, "-c", FOREGROUND, "--demo-fault=slow"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "slow-candidate" in done.stderr


def test_an_unknown_fault_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnknownFault):
        platform.start(faults=["nothing"], state=tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_a_process_that_cannot_start_is_shown_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aiohttp.py").write_text("raise ImportError('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = set(Path("/proc").glob("[0-9]*"))
    with pytest.raises(CannotLook, match="broken on purpose") as caught:
        platform.start(with_kube=False)
    assert "exit code 1" in str(caught.value)
    left = [entry for entry in set(Path("/proc").glob("[0-9]*")) - before if _is_demo(entry)]
    assert left == []


def _is_demo(entry: Path) -> bool:
    try:
        return b"seatrial.demo.chat" in (entry / "cmdline").read_bytes() and alive(int(entry.name))
    except OSError:
        return False


def test_a_process_that_does_not_serve_in_time_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "START_WITHIN", 0.0)
    with pytest.raises(CannotLook, match=r"did not serve within 0 s"):
        platform.start(with_kube=False)


def test_a_cluster_that_is_down_has_a_kubeconfig_that_is_refused(tmp_path: Path) -> None:
    with platform.start(faults=["cluster-down"], state=tmp_path / "state") as running:
        content = json.loads(Path(running.variables["kubeconfig"]).read_text())
        assert content["current-context"] == "seatrial-demo"
        with pytest.raises(httpx.ConnectError):
            httpx.get(content["clusters"][0]["cluster"]["server"])
        assert httpx.get(running.variables["public_url"] + "/readyz").status_code == 200


def test_what_the_cluster_is_started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, list[str]] = {}

    class Recorded:
        def __init__(self, name: str, module: str, arguments: list[str], **_: object) -> None:
            self.name = name
            started[module] = arguments

        def announced(self) -> dict[str, object]:
            return {"pid": 1, "admin_url": ""}

        def tell_to_end(self) -> None: ...

        def stop(self, within: float) -> None: ...

    monkeypatch.setattr(platform, "Child", Recorded)
    monkeypatch.setattr(platform, "_manifests", lambda: Path("/m"))
    faults = ["latest-tag", "not-ready", "missing-probe"]
    with platform.start(faults=faults, state=tmp_path) as running:
        assert running.variables["kubeconfig"] == str(tmp_path / "kubeconfig")
    patches = ["/m/demo-faults/latest-tag.yaml", "/m/demo-faults/missing-probe.yaml"]
    assert started["seatrial.demo.kubeapi"] == ["--manifests=/m/demo", "--patches", *patches]
    assert "--fault=not-ready" in started["seatrial.demo.chat"]


def test_die_with_parent_wants_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seatrial.demo.chat", "--version=1", "--die-with-parent", f"--state={tmp_path}"]
    done = subprocess.run(
        command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "needs a pipe" in done.stderr


def test_a_chat_process_alone_announces_itself_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seatrial.demo.chat", "--version=2.0.0", "--track=stable", f"--state={tmp_path}"]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as chat:
        announcement = tmp_path / "chat-stable.json"
        eventually(lambda: announcement.exists() and announcement.stat().st_size > 0)
        content = json.loads(announcement.read_text())
        assert content["pid"] == chat.pid
        assert httpx.get(f"{content['url']}/version").json()["version"] == "2.0.0"
        chat.terminate()
        assert chat.wait(10) == 0


def test_sockets_are_bound_to_loopback_only() -> None:
    with process.bound_socket() as bound:
        assert process.url_of(bound).startswith("http://127.0.0.1:")
