"""A recorded decision as it is shown: what has not the form that the gate writes is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def whole(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with lists where lists belong, tables where tables do, and whole numbers for counts."""
    causes = [{**cause, "cases": tables(cause.get("cases"))} for cause in tables(document.get("causes"))]
    suites = {
        str(name): {key: count for key, count in counts.items() if isinstance(count, int)}
        for name, counts in table(document.get("suites")).items()
        if isinstance(counts, dict)
    }
    return {
        **document,
        "causes": causes,
        "suites": suites,
        **{name: table(document.get(name)) for name in ("release", "policy")},
        **{name: _list(document.get(name)) for name in ("missing", "next", "runs")},
    }


def table(value: object) -> dict[str, Any]:
    """A table, empty where it is none."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[dict[str, Any]]:
    """The tables in a list."""
    return [entry for entry in _list(value) if isinstance(entry, dict)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
