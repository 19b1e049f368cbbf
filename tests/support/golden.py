"""Files that are compared character by character. `SEATRIAL_REWRITE_GOLDEN=1` writes them; read the diff then."""

import difflib
import os
from pathlib import Path

import pytest


def compare(path: Path, text: str) -> None:
    if os.environ.get("SEATRIAL_REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    expected = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text != expected:
        diff = difflib.unified_diff(expected.splitlines(), text.splitlines(), "golden", "now", lineterm="")
        pytest.fail(f"{path.name} differs (SEATRIAL_REWRITE_GOLDEN=1 rewrites it):\n" + "\n".join(diff), pytrace=False)
