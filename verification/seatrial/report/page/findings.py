"""What the configuration checks object to, by who answers for it and by severity."""

from __future__ import annotations

from typing import Final

from seatrial.report.page.folder import Finding
from seatrial.report.page.markup import SPACE, Child, Html, joined, table, tag
from seatrial.report.page.material import Material
from seatrial.report.page.words import badge

NOBODY: Final = "nobody (no owner label)"
MAX_FINDINGS: Final = 300
_SEVERITIES: Final = ("critical", "major", "minor")


def findings(material: Material) -> Html | None:
    """A table for each owner, the gravest findings first; those that are waived last, and marked."""
    found = sorted(material.contents.findings, key=_weight)
    if not found:
        return None
    owners: dict[str, list[Finding]] = {}
    for finding in found[:MAX_FINDINGS]:
        owners.setdefault(finding.owner or NOBODY, []).append(finding)
    more = len(found) - MAX_FINDINGS
    rest = tag("p", f"... and {more} more, all in evidence.json", class_="aside") if more > 0 else None
    return joined([*(_owner(owner, owned) for owner, owned in owners.items()), rest])


def _weight(finding: Finding) -> tuple[bool, int, str, str, str]:
    known = finding.severity in _SEVERITIES
    rank = _SEVERITIES.index(finding.severity) if known else len(_SEVERITIES)
    return finding.waived, rank, finding.check, finding.where, finding.path


def _owner(owner: str, found: list[Finding]) -> Html:
    header = ["check", "severity", "object", "expected", "seen"]
    rows = [_row(finding) for finding in found]
    return joined([tag("h3", owner), table(f"Findings of {owner}: {len(found)}", header, rows)])


def _row(finding: Finding) -> list[Child]:
    waived = joined([SPACE, badge("waived")]) if finding.waived else None
    place = joined([finding.where, tag("br"), tag("code", finding.path)]) if finding.path else finding.where
    weight = joined([badge(finding.severity), waived])
    return [tag("code", finding.check), weight, place, finding.expected, finding.seen]
