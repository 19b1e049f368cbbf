"""Files that are generated from the code: written by `make docs`, checked by the tests and CI."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def main(files: Mapping[Path, str]) -> int:
    """Write ``files``, texts by path; with ``--check`` among the arguments name those out of date and return 1."""
    if "--check" not in sys.argv[1:]:
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path} is out of date: run make docs", file=sys.stderr)
    return int(bool(stale))
