"""Findings on the terminal: whose they are, what to do about them, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

MOST_OBJECTS: Final = 3
MOST_GROUPS: Final = 40
NOBODY: Final = "nobody (no owner label)"


def grouped(cases: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines with the findings of cases that did not pass, by owner and check; one remedy for all that share it."""
    owners: dict[str, dict[str, list[str]]] = {}
    facts: dict[str, Mapping[str, Any]] = {}
    for case in cases:
        for found in case.get("findings") or ():
            # Only objects of a cluster have owners; what a probe saw has been said by its own case.
            if found.get("kind") and not found.get("waived") and case.get("outcome") in ("fail", "inconclusive"):
                check = str(case["check"])
                facts[check] = case
                places = owners.setdefault(found.get("owner") or NOBODY, {}).setdefault(check, [])
                if found["where"] not in places:
                    places.append(found["where"])
    groups = [(owner, check) for owner in sorted(owners) for check in sorted(owners[owner])]
    last = None
    for owner, check in groups[:MOST_GROUPS]:
        if owner != last:
            yield owner
            last = owner
        places = owners[owner][check]
        more = f" and {len(places) - MOST_OBJECTS} more" if len(places) > MOST_OBJECTS else ""
        yield f"  {check} ({facts[check].get('severity')}): {', '.join(places[:MOST_OBJECTS])}{more}"
        yield f"    -> {facts[check].get('remedy', '')}"
    if len(groups) > MOST_GROUPS:
        yield f"... and {len(groups) - MOST_GROUPS} more, all in evidence.json"
