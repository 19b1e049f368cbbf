"""The outcomes of a check, ranked once, and the exceptions that carry the ones an assertion cannot."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Outcome(enum.StrEnum):
    """Result of one check. A skip is no outcome: it is missing evidence with a reason."""

    PASS = "pass"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """Position in ``pass < inconclusive < error < fail``."""
        return _RANK[self]

    @classmethod
    def worst(cls, outcomes: Iterable[Outcome]) -> Outcome | None:
        """The highest ranked of ``outcomes``, or None where there are none: no evidence is not a pass."""
        return max(outcomes, key=lambda outcome: outcome.rank, default=None)


_RANK = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.ERROR: 2, Outcome.FAIL: 3}


class Severity(enum.StrEnum):
    """How much a failed check weighs; what follows from it is the policy's to say."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


class Trigger(enum.StrEnum):
    """The automatic-rollback trigger that a check feeds, if it is one."""

    HEALTH = "health"
    ERROR_RATE = "error-rate"
    LATENCY = "latency"


class Role(enum.StrEnum):
    """Whether a case judges the release (``subject``) or watches the stable track beside it (``control``)."""

    SUBJECT = "subject"
    CONTROL = "control"


class ProductFailure(AssertionError):
    """The thing under test is bad: outcome *fail*."""


class CannotLook(Exception):
    """The environment or the tool kept us from looking: outcome *error*, never a verdict on the product."""


class Inconclusive(Exception):
    """We looked and the evidence does not decide: outcome *inconclusive*; the message says what is still needed."""
