import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from seatrial.environment.model import LoadLimits, Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Role
from seatrial.load.measurement import Measurement, measure
from seatrial.load.profile import Profile

LIMITS = LoadLimits(allowed=True, max_rate=10_000, max_duration="60s", max_requests=100_000)


@dataclass(frozen=True, kw_only=True)
class Pair:
    name: str
    service: Service
    subject: ServiceTarget
    control: ServiceTarget | None
    copies: int = 1


@dataclass(frozen=True, kw_only=True)
class Server:
    url: str

    def seen(self) -> dict:
        with urlopen(f"{self.url}/seen") as answer:
            return json.load(answer)


def build_pair(stable: str, candidate: str | None = None, **service: object) -> Pair:
    it = Service.model_validate({"url": {"stable": stable, "candidate": candidate}, **service})

    def target(track: str, role: Role, url: str) -> ServiceTarget:
        return ServiceTarget(name="chatbot", track=track, role=role, base_url=url, service=it)

    if candidate is None:
        return Pair(name="chatbot", service=it, subject=target("stable", Role.SUBJECT, stable), control=None)
    return Pair(
        name="chatbot",
        service=it,
        subject=target("candidate", Role.SUBJECT, candidate),
        control=target("stable", Role.CONTROL, stable),
    )


@pytest.fixture
def pair_of() -> Callable[..., Pair]:
    return build_pair


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts a chat server with the given faults."""
    with ExitStack() as stack:

        def start(**settings: object) -> Server:
            process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("server.py")), json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.communicate)  # closes its input, upon which it ends
            stack.callback(process.terminate)
            port = int(process.stdout.readline())
            return Server(url=f"{'https' if settings.get('tls') else 'http'}://127.0.0.1:{port}")

        yield start


@pytest.fixture
def profile() -> Callable[..., Profile]:
    def build(**changes: object) -> Profile:
        content = {"rate": 50, "duration": "2s", "warm_up": "500ms", "prompts": ["when?", "where?"], "timeout": "2s"}
        # Two busy cores make the tests' client late now and then; what they test is not that.
        content["bounds"] = {
            "lateness_p99": "500ms",
            "achieved": 0.9,
            "overhead_p50": "200ms",
            "overhead_p99": "500ms",
        }
        return Profile.model_validate({**content, **changes})

    return build


@pytest.fixture
def run(tmp_path: Path, profile: Callable[..., Profile]) -> Callable[..., Measurement]:
    def go(pair: Pair, *, bearer: str | None = None, limits: LoadLimits = LIMITS, **changes: object) -> Measurement:
        return measure(
            pair, profile(**changes), run_id="run-1", directory=tmp_path / "samples", limits=limits, bearer=bearer
        )

    return go


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
