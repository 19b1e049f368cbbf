"""The embedded API with the demo's manifests, in a process of its own, and the official client for two users."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes import client, config

REPOSITORY = Path(__file__).parents[2]
NAMESPACE = "chatbot-demo"


@dataclass(frozen=True)
class Served:
    """The running API."""

    state: Path
    process: "subprocess.Popen[bytes]"

    def client(self, user: str = "admin.kubeconfig") -> client.ApiClient:
        settings = client.Configuration()
        config.load_kube_config(str(self.state / user), client_configuration=settings)
        settings.retries = False
        return client.ApiClient(settings)

    def kubectl(self, kubectl: str, *words: str, user: str = "admin.kubeconfig") -> "subprocess.CompletedProcess[str]":
        home = {"HOME": str(self.state), "PATH": os.environ["PATH"], "KUBECONFIG": str(self.state / user)}
        return subprocess.run([kubectl, *words], env=home, capture_output=True, text=True, timeout=60, check=False)


def serve(state: Path, *patches: str) -> Served:
    """Start the API and wait until it announces itself."""
    manifests = REPOSITORY / "fixtures" / "manifests"
    files = [str(manifests / "demo-faults" / f"{name}.yaml") for name in patches]
    command = [sys.executable, "-m", "seatrial.demo.kubeapi", "--state", str(state), "--die-with-parent"]
    command += ["--manifests", str(manifests / "demo"), *(["--patches", *files] if files else [])]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    deadline = time.monotonic() + 20
    announcement = state / "kubeapi.json"
    while not (announcement.exists() and announcement.read_bytes()):
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        assert time.monotonic() < deadline, "the API did not start"
    return Served(state=state, process=process)


def stop(served: Served) -> int:
    """Close its standard input, as the death of its parent does, and wait."""
    assert served.process.stdin is not None
    served.process.stdin.close()
    code = served.process.wait(timeout=10)
    assert served.process.stderr is not None
    served.process.stderr.close()
    return code


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = serve(tmp_path_factory.mktemp("kubeapi"))
    yield served
    assert stop(served) == 0
