"""Differences between the tracks by class of prompt: told with a verdict, and never decided by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seatrial.evidence.outcome import Outcome
from seatrial.judge.kept import Kept
from seatrial.judge.latency import LatencyRule, LevelComparison, compare_level, milliseconds
from seatrial.load.measurement import Measurement

LEVELS: Final = (0.5, 0.95)
MOST: Final = 4
"""Classes that are told of, those that differ most; the summary has all."""


@dataclass(frozen=True, kw_only=True)
class ClassDifference:
    """One quantile of one class. ``slower`` where it is shown beyond the margin, all that was tested considered."""

    name: str
    comparison: LevelComparison
    slower: bool

    def __str__(self) -> str:
        seen = self.comparison
        noted = ", slower beyond the margin" if self.slower else ""
        return f"{self.name} {milliseconds(seen.difference, sign=True)} ms at {seen.name} (n={seen.n}{noted})"


def class_differences(measurement: Measurement, rule: LatencyRule) -> tuple[ClassDifference, ...]:
    """Each class and level with enough pairs, the largest differences first; none where there is one class alone.

    Which are shown slower is told by Holm's step-down procedure (Holm 1979): each round tests what is left at an equal
    share of the allowance, until nothing more is shown, so that many classes make no more false notes than one.
    """
    control, subject, names = measurement.paired_by_class()
    known = np.unique(names)
    if len(known) < 2:
        return ()
    tests = []
    for name in known:
        pairs = Kept()
        pairs.add(control[names == name], subject[names == name])
        tests += [(str(name), level, pairs.control, pairs.candidate) for level in LEVELS]
    plain = replace(rule, required=(0.5,))
    compared = {(name, level): compare_level(one, other, level, plain) for name, level, one, other in tests}
    open_tests = [test for test in tests if not compared[test[0], test[1]].reason]
    shown: set[tuple[str, float]] = set()
    while open_tests:
        strict = replace(plain, confidence=1 - (1 - rule.confidence) / len(open_tests))
        found = {
            (name, level)
            for name, level, one, other in open_tests
            if compare_level(one, other, level, strict).verdict is Outcome.FAIL
        }
        if not found:
            break
        shown |= found
        open_tests = [test for test in open_tests if (test[0], test[1]) not in found]
    differences = [
        ClassDifference(name=name, comparison=seen, slower=(name, level) in shown)
        for (name, level), seen in compared.items()
        if not seen.reason
    ]
    return tuple(sorted(differences, key=lambda one: (not one.slower, -abs(one.comparison.difference))))


def told(differences: Sequence[ClassDifference]) -> str:
    """Those that differ most, in a phrase; empty where there are none."""
    if not differences:
        return ""
    first: dict[str, ClassDifference] = {}
    for one in differences:
        first.setdefault(one.name, one)
    shown = list(first.values())[:MOST]
    rest = f", and {len(first) - len(shown)} more classes" if len(first) > len(shown) else ""
    return f"by class of prompt {'; '.join(map(str, shown))}{rest}"
