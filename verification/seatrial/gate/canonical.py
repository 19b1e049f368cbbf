"""One text for one value: what is hashed, chained or signed is written in this form and in no other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(document: Mapping[str, Any]) -> str:
    """Sorted keys, no insignificant space, ASCII alone: one text for one value, and fit for any file system."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256(text: str) -> str:
    """Of a text that is kept as UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def evidence_sha256(files: Mapping[str, str]) -> str:
    """One hash over the names and hashes of all files that were read."""
    return sha256(canonical(files))
