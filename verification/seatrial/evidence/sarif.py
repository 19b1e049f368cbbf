"""Findings as SARIF 2.1.0, the format of code-scanning pages.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. A finding in a manifest points at its file and
line. One in a running object has no file; since scanning pages want one, its path is ``cluster/NAMESPACE/KIND/NAME``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION: Final = "2.1.0"
_LEVELS: Final = {"critical": "error", "major": "warning", "minor": "note"}
_SCORES: Final = {"critical": "9.0", "major": "6.0", "minor": "3.0"}
"""Security severities, on the scale of CVSS, by which scanning pages sort."""


def document(cases: Iterable[Mapping[str, Any]], *, root: Path, suite_version: str) -> dict[str, Any]:
    """The findings of ``cases`` (as in ``evidence.json``) as one SARIF run, with paths relative to ``root``."""
    told = [case for case in cases if case.get("findings")]
    rules = {str(case["check"]): _rule(case) for case in told}
    positions = {identity: position for position, identity in enumerate(sorted(rules))}
    results = [result for case in told for result in _results(case, positions[str(case["check"])], root)]
    driver = {
        "name": "seatrial",
        "semanticVersion": suite_version,
        "rules": [rules[identity] for identity in sorted(rules)],
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(case: Mapping[str, Any]) -> dict[str, Any]:
    severity = str(case.get("severity", "major"))
    remedy = str(case.get("remedy", ""))
    return {
        "id": str(case["check"]),
        "shortDescription": {"text": str(case["check"])},
        **({"help": {"text": remedy}} if remedy else {}),
        "defaultConfiguration": {"level": _LEVELS.get(severity, "warning")},
        "properties": {"security-severity": _SCORES.get(severity, "6.0"), "tags": [str(case.get("suite", ""))]},
    }


def _results(case: Mapping[str, Any], position: int, root: Path) -> Iterator[dict[str, Any]]:
    findings: Sequence[Mapping[str, str]] = case["findings"]
    for found in findings:
        place = " ".join(part for part in (found.get("where"), found.get("path")) if part)
        result: dict[str, Any] = {
            "ruleId": str(case["check"]),
            "ruleIndex": position,
            "level": _LEVELS.get(str(case.get("severity")), "warning"),
            "message": {"text": f"{place}: expected {found.get('expected')}, seen {found.get('seen')}"},
            "locations": [_location(found, root)],
            "partialFingerprints": {"seatrial/v1": _fingerprint(str(case["check"]), found)},
        }
        if found.get("waived"):
            result["suppressions"] = [{"kind": "external", "status": "accepted"}]
        if found.get("certain") == "no":
            result["kind"] = "review"
        yield result


def _fingerprint(check: str, found: Mapping[str, str]) -> str:
    identity = "\0".join((check, found.get("where", ""), found.get("path", "")))
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _location(found: Mapping[str, str], root: Path) -> dict[str, Any]:
    kind, namespace, name = (found.get(key, "") for key in ("kind", "namespace", "name"))
    file, _, line = found.get("source", "").rpartition(":")
    if file and line.isdigit():
        relative = os.path.relpath(file, root)
        inside = not relative.startswith("..") and not Path(relative).is_absolute()
        uri = Path(relative).as_posix() if inside else Path(file).as_posix()
        physical = {"artifactLocation": {"uri": uri}, "region": {"startLine": int(line)}}
    else:
        uri = "/".join(part for part in ("cluster", namespace, kind, name) if part)
        physical = {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
    qualified = "/".join(part for part in (namespace, kind, name) if part) or found.get("where", "")
    return {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": qualified}]}
