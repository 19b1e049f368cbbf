"""Tests that are none of ours, counted to the suites that a policy says: one glob, the first that fits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import filterfalse

from seatrial.evidence.outcome import Severity
from seatrial.gate.evidence import FOREIGN, GateCase
from seatrial.gate.merging import Evidence
from seatrial.gate.pattern import compiled
from seatrial.gate.policy import Foreign, Policy


def assigned(evidence: Evidence, policy: Policy) -> Evidence:
    """The evidence with every foreign test in its suite, of its severity; what no entry fits stays as it is.

    What was left by a worker that died in a run of ours is foreign to everybody.
    """
    rules = [_Rule.of(entry) for entry in policy.foreign]
    cases = {
        key: _as_said(case, rules) if case.foreign and not case.run else case for key, case in evidence.cases.items()
    }
    return replace(evidence, cases=cases, passed=_counted(evidence, rules, frozenset(policy.dry_run)))


def names(evidence: Evidence) -> Iterator[str]:
    """Keys of the tests that passed and are no cases."""
    return (f"{FOREIGN}:{name}" for report in evidence.passes for name in report.tests)


@dataclass(frozen=True, kw_only=True)
class _Rule:
    entry: Foreign
    is_match: Callable[[str], bool]
    is_report: Callable[[str], bool]

    @classmethod
    def of(cls, entry: Foreign) -> _Rule:
        return cls(entry=entry, is_match=compiled(entry.match), is_report=compiled(entry.report))

    def fits(self, name: str, file: str, report: str) -> bool:
        return self.is_report(report) and (self.is_match(name) or self.is_match(file))


def _as_said(case: GateCase, rules: list[_Rule]) -> GateCase:
    name = case.key.removeprefix(f"{FOREIGN}:")
    # An Allure result is a file of its own; what can be named is its folder.
    report = case.source.rpartition("/")[0] + "/" if case.source.endswith("-result.json") else case.source
    for rule in rules:
        if rule.fits(name, case.file, report):
            said = rule.entry
            return replace(case, suite=said.suite, severity=Severity(said.severity), trigger=said.trigger)
    return case


def _counted(evidence: Evidence, rules: list[_Rule], dry_run: frozenset[str]) -> Mapping[str, int]:
    left_out = {key.removeprefix(f"{FOREIGN}:") for key in dry_run if key.startswith(f"{FOREIGN}:")}
    counts: dict[str, int] = {}
    for report in evidence.passes:
        if not rules and not left_out:
            counts[FOREIGN] = counts.get(FOREIGN, 0) + len(report.tests)
            continue
        rest: Collection[str] = report.tests.keys() - left_out if left_out else report.tests
        files = set(report.tests.values())
        for rule in rules:
            if rule.is_report(report.report):
                # A hundred thousand tests are common, and their files are few.
                others: Collection[str] = list(filterfalse(rule.is_match, rest))
                if fitting := set(filter(rule.is_match, files)):
                    others = [name for name in others if report.tests[name] not in fitting]
                counts[rule.entry.suite] = counts.get(rule.entry.suite, 0) + len(rest) - len(others)
                rest = others
        counts[FOREIGN] = counts.get(FOREIGN, 0) + len(rest)
    return {suite: count for suite, count in counts.items() if count}
