"""Kubeconfigs for the users of the embedded API."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path


def write(path: Path, *, server: str, authority: bytes, token: str, user: str, namespace: str, name: str) -> None:
    """Write a kubeconfig that only we may read. It is JSON, which is YAML too. Raises OSError."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user, "namespace": namespace}}],
        "current-context": name,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(document, stream, indent=1)
