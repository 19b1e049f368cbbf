"""Files that are generated from the code: written by `make docs`, checked by the tests and CI."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def between(page: Path, begin: str, end: str, text: str) -> str:
    """What ``page`` says, with ``text`` between its lines ``begin`` and ``end``. Raises ValueError without them."""
    before, first, rest = page.read_text(encoding="utf-8").partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise ValueError(f"{page}: expected the lines {begin!r} and {end!r}")
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def key_table(title: str, model: Any) -> str:
    """The keys of a model of pydantic and what they mean, as Markdown under a heading."""
    rows = [f"| `{field.alias or name}` | {field.description} |" for name, field in model.model_fields.items()]
    return "\n".join([f"### {title}\n", "| key | meaning |", "|---|---|", *rows, ""])


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
