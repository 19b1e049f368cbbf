"""What a JUnit report says of its own size, held against what is in it: a report that lost a part is noticed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

DECLARED: Final = ("tests", "failures", "errors")
_WHOLE: Final = re.compile(r"[0-9]{1,12}")

MISCOUNTING: Final = {
    "pytest": "counts subtests, of which it writes the failures alone, and writes reruns, which it does not count",
    "pytest tests": "as pytest: the name of its outer element",
    "Mocha Tests": "mocha-junit-reporter, which Cypress uses too, counts pending tests and does not write them",
    "jest tests": "jest-junit writes a file that could not be run as two cases, and counts none",
}
"""Names of suites by which tools are known whose number of tests is none of cases. Their failures must still agree."""


@dataclass(slots=True)
class Counts:
    """One ``<testsuite>`` or ``<testsuites>``: what it declares, and what was seen below it."""

    name: str
    declared: Mapping[str, str]
    tests: int = 0
    bad: int = 0
    """Elements `failure` and `error`, since tools differ in which of both they count."""
    attempts: int = 0
    """Elements of earlier attempts, which Surefire counts as tests and as failures."""

    @classmethod
    def of(cls, attributes: Mapping[str, str]) -> Counts:
        """The element's own words; an attribute that is absent or empty says nothing."""
        declared = {name: attributes[name] for name in DECLARED if attributes.get(name)}
        return cls(attributes.get("name", "")[:100], declared)

    def add(self, inner: Counts) -> None:
        """Take over what was seen in a suite inside this one."""
        self.tests += inner.tests
        self.bad += inner.bad
        self.attempts += inner.attempts

    def disagreements(self, *, lenient: bool) -> Iterator[str]:
        """What does not agree, in words. ``lenient`` where the tool is one of MISCOUNTING.

        More failures than declared are no disagreement: they speak for themselves.
        """
        where = f"suite {self.name}" if self.name else "a suite"
        told: dict[str, int] = {}
        for name, text in self.declared.items():
            if _WHOLE.fullmatch(text) is None:
                yield f"{where} declares {name}={text[:30]!r}, which is no number"
            else:
                told[name] = int(text)
        if "tests" in told and told["tests"] not in (self.tests, self.tests + self.attempts) and not lenient:
            yield f"{where} declares {told['tests']} tests and holds {self.tests}: something is missing or was added"
        bad = told.get("failures", 0) + told.get("errors", 0)
        if bad > self.bad + self.attempts:
            yield f"{where} declares {bad} failures and errors and holds {self.bad}: something is missing"
