"""The demo's Kubernetes API as a real process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client, config

from seatrial.demo.child import Child

MANIFESTS = Path(__file__).resolve().parents[2] / "fixtures" / "manifests"
NAMESPACE = "chatbot-demo"


@dataclass(frozen=True, kw_only=True)
class Api:
    """One running API."""

    child: Child
    state: Path
    url: str

    def connect(self, name: str = "admin.kubeconfig") -> client.ApiClient:
        return config.new_client_from_config(str(self.state / name))


def start(state: Path, *arguments: str) -> Api:
    child = Child("kubeapi", "seatrial.demo.kubeapi", [f"--manifests={MANIFESTS / 'demo'}", *arguments], state=state)
    deadline = time.monotonic() + 20
    announced: Any = None
    while announced is None:
        assert time.monotonic() < deadline, child.tail()
        announced = child.announced()
        time.sleep(0.005)
    return Api(child=child, state=state, url=announced["url"])
