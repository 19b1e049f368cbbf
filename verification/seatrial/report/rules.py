"""The rules of a policy beside what a decision had: needed, had, and whether it was met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seatrial.gate import freeze
from seatrial.gate.policy import ROLLING_BACK, Policy
from seatrial.report.text import plain

_SEVERITIES: Final = ("critical", "major", "minor")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One rule; ``met`` is None where a rule can be neither kept nor broken."""

    rule: str
    needed: str
    had: str = ""
    met: bool | None = None


def table(document: Mapping[str, Any], policy: Policy) -> list[str]:
    """The rules in lines of equal columns; ``document`` is whole."""
    rows = list(applied(document, policy))
    widths = [max(len(getattr(row, name)) for row in rows) for name in ("rule", "needed", "had")]
    words = {True: "met", False: "NOT MET", None: ""}
    return [
        f"  {row.rule:<{widths[0]}}  {row.needed:<{widths[1]}}  {row.had:<{widths[2]}}  {words[row.met]}".rstrip()
        for row in rows
    ]


def applied(document: Mapping[str, Any], policy: Policy) -> Iterator[Row]:
    """Every rule that applied, in the order of the policy."""
    causes: Sequence[Mapping[str, Any]] = document["causes"]
    codes = {str(cause.get("code")) for cause in causes}
    counts = {code: sum(len(c["cases"]) for c in causes if c.get("code") == code) for code in codes}

    def rule(name: str, needed: str, *broken: str, had: str = "") -> Row:
        return Row(rule=name, needed=needed, had=had, met=not codes.intersection(broken))

    evidence = policy.evidence
    if policy.environment:
        yield rule("environment", policy.environment, "other-environment", had=_word(document, "environment"))
    yield rule("evidence.identity", evidence.identity, "no-identity")
    yield rule("evidence.max_age", f"at most {evidence.max_age}", "stale-evidence", "no-time")
    seen = str(document["release"].get("seen") or "none")
    yield rule("evidence.release", evidence.release, "other-release", "no-release", had=f"seen {plain(seen, 40)}")
    yield rule("evidence.digests", evidence.digests, "other-digests", "no-digests")
    missing = len(document["missing"])
    yield rule("evidence.expected", f"{evidence.expected} with an outcome", "missing-checks", had=f"{missing} missing")
    for suite, minimum, counted in suites(document, policy):
        needed = f"at least {minimum} executed"
        yield Row(rule=f"required.{suite}.minimum", needed=needed, had=str(counted), met=counted >= minimum)
    if policy.manifest.expected:
        yield rule("manifest.expected", f"{len(policy.manifest.expected)} planned", "unplanned-checks")
    budget, undecided = policy.budgets.inconclusive, counts.get("inconclusive-checks", 0)
    yield Row(rule="budgets.inconclusive", needed=f"at most {budget}", had=str(undecided), met=undecided <= budget)
    yield rule("errors", "none", "check-errors", had=str(counts.get("check-errors", 0)))
    yield from _effects(causes, policy)
    if set(policy.triggers.rollback) != set(ROLLING_BACK):
        yield Row(rule="triggers.rollback", needed=", ".join(policy.triggers.rollback) or "none")
    for check in policy.rollback.requires:
        lacking = any(c.get("code") == "no-way-back" and check in str(c.get("sentence")) for c in causes)
        asked = lacking or document.get("decision") == "rollback"
        had, met = ("", not lacking) if asked else ("not asked", None)
        yield Row(rule="rollback.requires", needed=f"{check} passed", had=had, met=met)
    for window in policy.freeze:
        yield rule("freeze", freeze.spoken(window), "frozen", "frozen-whole", "no-calendar")
    for name, entries in (("waivers", policy.waivers), ("quarantine", policy.quarantine)):
        for entry in entries:
            expired = f"expired-{name.removesuffix('s')}"
            over = any(c.get("code") == expired and entry.match in str(c.get("sentence")) for c in causes)
            yield Row(rule=name, needed=plain(entry.match, 60), had=f"until {entry.expires}", met=not over)
    if policy.promotion.after:
        yield rule("promotion.after", plain(", ".join(policy.promotion.after), 60), "no-promotion")
    if policy.approval.required:
        # Where something else holds, nobody is asked to approve it.
        asked = document.get("decision") == "promote" or "no-approval" in codes
        needed, had = f"{policy.approval.minimum} approved", "" if asked else "not asked"
        met = "no-approval" not in codes if asked else None
        yield Row(rule="approval.required", needed=needed, had=had, met=met)
    if policy.dry_run:
        had = f"{counts.get('dry-run', 0)} not passed"
        yield Row(rule="dry_run", needed=plain(", ".join(policy.dry_run), 60), had=had)


def suites(document: Mapping[str, Any], policy: Policy) -> Iterator[tuple[str, int, int]]:
    """Each required suite with its minimum and the checks that counted."""
    for suite, required in sorted(policy.required.items()):
        told = document["suites"].get(suite, {})
        yield suite, required.minimum, told.get("counted", told.get("executed", 0))


def _effects(causes: Sequence[Mapping[str, Any]], policy: Policy) -> Iterator[Row]:
    """What failures call for, with how many there were; suites with effects of their own follow where one failed."""
    failed = [
        (str(case.get("suite", "")), str(case.get("severity", "")))
        for cause in causes
        if cause.get("code") in ("failed-checks", "shared-failures")
        for case in cause["cases"]
    ]
    for severity in _SEVERITIES:
        groups: dict[str, int] = {}
        for suite, found in failed:
            if found == severity:
                name = f"effects.{suite}.{severity}" if suite in policy.suite_effects else f"effects.{severity}"
                groups[name] = groups.get(name, 0) + 1
        for name in dict.fromkeys((f"effects.{severity}", *groups)):
            suite = name.split(".")[1] if name.count(".") == 2 else ""
            yield Row(rule=name, needed=policy.severity_effect(suite, severity), had=f"{groups.get(name, 0)} failed")


def _word(document: Mapping[str, Any], name: str) -> str:
    return plain(str(document.get(name) or "none"), 40)
