"""A rollout as a pipeline makes it: two releases, a real nginx between them and their users, and a deployer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollout.driver import Driver
from rollout.proxy import Proxy

POLICY = """
extends = "base"
environment = "near"

[evidence]
expected = "required-suites"

[audit]
log = "{folder}/audit.jsonl"

[required]
smoke = {{minimum = 1}}
rollout = {{minimum = 8}}
"""
ENVIRONMENT = """
extends = "base"

[run]
track = "candidate"
phase = "canary"

[release]
version = "1.5.0"

[services.chat]
namespace = "chatbot-demo"
candidate_workload = "deployment/chatbot-candidate"
url.stable = "{stable}"
url.candidate = "{candidate}"
url.public = "{public}"
timeout = "3s"

[services.chat.objectives]
error_rate = 0.02

[services.chat.latency]
profile = "streamed"

[cluster]
kubeconfig = "{kubeconfig}"
context = "seatrial-demo"
namespaces = ["chatbot-demo"]

{metrics}
[load]
allowed = true
max_rate = 200
max_requests = 10000

[rollout]
strategy = "{strategy}"
rollback_command = ["kubectl", "rollout", "undo", "deployment/chatbot-candidate"]
steps = [20, 100]
probe_rate = 20
probe_users = {users}
step_within = "20s"
settle = "{settle}"
mixed_within = "5s"
"""

ROLLING = """
[run]
track = "stable"
phase = "canary"

[release]
version = "1.5.0"

[services.chat]
protocol = "openai"
namespace = "{namespace}"
workload = "deployment/chat"
url.stable = "{public}"
timeout = "3s"

[services.chat.health]
version = "/version"
ready = "/readyz"

[services.chat.objectives]
error_rate = 0.02

[cluster]
kubeconfig = "{kubeconfig}"
context = "{context}"
namespaces = ["{namespace}"]

[load]
allowed = true

[rollout]
strategy = "rolling"
rollback_command = ["kubectl", "rollout", "undo", "deployment/chat"]
probe_rate = 20
probe_users = {users}
step_within = "20s"
settle = "{settle}"
"""
METRICS = """
[metrics]
prometheus = "{prometheus}"
stale_after = "30s"
step = "1s"
settle = "2s"

[services.chat.metrics]
select = 'job="chat"'
"""


@dataclass
class Stage:
    """Where a rollout takes place. ``say`` appends the deployer's words."""

    proxy: Proxy
    variables: dict[str, str]
    folder: Path
    driver: Driver | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def say(self, word: str) -> None:
        with (self.folder / "words").open("a") as stream:
            stream.write(word + "\n")

    def story(self) -> dict[str, Any]:
        """What is known so far; empty before anything is."""
        found = list(self.folder.glob("reports/2*/samples/rollout/chat/story.json"))
        return json.loads(found[0].read_text()) if found else {}

    def watched_for(self, seconds: float) -> None:
        """Until users have been seen for so long."""
        self._until(lambda: self._seen() >= seconds)

    def judged(self, number: int) -> bool:
        """Wait until so many steps were judged. False where the watch ended before."""

        def known() -> bool:
            steps = self.story().get("steps", [])
            return len(steps) >= number and steps[number - 1]["latency"] is not None

        return self._until(known)

    def settling(self) -> bool:
        """Wait until the last step is behind. False where the watch ended before."""
        return self._until(lambda: self.story().get("settle_began") is not None)

    def _seen(self) -> float:
        for path in self.folder.glob("reports/2*/samples/rollout/chat/traffic.ndjson"):
            lines = path.read_text().splitlines()
            return float(json.loads(lines[-1])["at"]) if lines else 0.0
        return 0.0

    def _until(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 120
        while not holds():
            if self.over.wait(0.1):
                return False
            assert time.monotonic() < deadline, "the watch stands still"
        return True


Deploy = Callable[[Stage], None]


@dataclass(frozen=True)
class Verified:
    """One watched rollout and its decision."""

    exit_code: int
    output: str
    folder: Path

    def bad(self) -> dict[str, str]:
        """Outcomes that are no pass, of every check."""
        return {case["check"]: case["outcome"] for case in self._outcomes() if case["outcome"] not in ("pass", None)}

    def words(self, check: str) -> str:
        """What a check said."""
        return next(str(case.get("message", "")) for case in self._outcomes() if case["check"] == check)

    def too_busy(self) -> bool:
        """Whether this machine was too busy to measure on, as seatrial itself says."""
        return any("is not sound: requests were sent late" in str(case.get("message", "")) for case in self._outcomes())

    def _outcomes(self) -> list[dict[str, Any]]:
        content = json.loads((self.folder / "evidence.json").read_text())
        return list(content["outcomes"])

    def story(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "samples/rollout/chat/story.json").read_text())
        return found
