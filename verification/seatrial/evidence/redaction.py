"""The one exit: every text that leaves a run goes through here and leaves its secrets behind."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

MASK: Final = "[redacted]"
SHORTEST: Final = 4
"""Shorter secrets are not masked: replacing every ``a`` would destroy the report and hide nothing."""


def _forms(secret: str) -> set[str]:
    """The ways in which a secret turns up: as it is, in JSON, XML, URLs and basic authentication."""
    encoded = base64.b64encode(secret.encode()).decode()
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        escape(secret, {'"': "&quot;"}),
        escape(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        encoded,
        encoded.rstrip("="),
        repr(secret)[1:-1],
    }


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that replaces every form of every secret in a text by ``[redacted]``."""
    forms = sorted({form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}, key=len)
    if not forms:
        return lambda text: text
    pattern = re.compile("|".join(re.escape(form) for form in reversed(forms)))
    return lambda text: pattern.sub(MASK, text)


def scrub_folder(folder: Path, secrets: Iterable[str]) -> int:
    """Redact every file below ``folder`` in place and return how many were changed.

    The last line of defence: whatever another plugin wrote by itself is caught here. Raises OSError.
    """
    clean = redactor(secrets)
    changed = 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        # surrogateescape maps undecodable bytes to themselves, so that binary files survive.
        before = path.read_bytes()
        text = before.decode("utf-8", errors="surrogateescape")
        after = clean(text).encode("utf-8", errors="surrogateescape")
        if after != before:
            path.write_bytes(after)
            changed += 1
    return changed
