"""Kubeconfig files for those who may talk to the API."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Final

NAME: Final = "seatrial-demo"
"""Of the cluster and of the context."""


def write(path: Path, *, url: str, authority: bytes, user: str, token: str, namespace: str) -> None:
    """Write a kubeconfig with one context, readable by its owner only. JSON is YAML."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": NAME,
                "cluster": {"server": url, "certificate-authority-data": base64.b64encode(authority).decode()},
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": user, "namespace": namespace}}],
        "current-context": NAME,
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
