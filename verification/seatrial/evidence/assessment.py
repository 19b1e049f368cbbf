"""What a check concludes: an outcome with its numbers, in words that a tired engineer can act on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from seatrial.evidence.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check objects to, located.

    ``where`` names the object (``Deployment shop/chatbot``, a URL, a host), ``path`` the place inside it (a JSON path,
    a header, a turn); ``seen`` and ``expected`` are shown as they are, so they must already be short.
    """

    where: str
    expected: str
    seen: str
    path: str = ""
    kind: str = ""
    """Of an object of Kubernetes, as `namespace` and `name`."""
    namespace: str = ""
    name: str = ""
    owner: str = ""
    """Who answers for the object, where it says so."""
    source: str = ""
    """File and line that the object was read from, where it was."""
    certain: bool = True
    """False where what is missing may only not have been looked at; such a finding is inconclusive."""

    def __str__(self) -> str:
        place = f"{self.where} {self.path}".strip()
        return f"{place}: expected {self.expected}, seen {self.seen}"


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Conclusion of one check over one object.

    ``seen``, ``limit`` and ``interval`` are in ``unit``; ``n`` is the number of observations behind them. ``message``
    is one sentence; ``remedy`` is what to do next. A pass carries its numbers too.
    """

    outcome: Outcome
    message: str
    seen: str = ""
    limit: str = ""
    interval: str = ""
    n: int | None = None
    unit: str = ""
    remedy: str = ""
    explanation: str = ""
    """A paragraph for who wants to know more than the message says."""
    pictures: tuple[str, ...] = ()
    """Paths of pictures, relative to the run's folder."""
    findings: Sequence[Finding] = field(default=())
    waived: Sequence[Finding] = field(default=())
    """Findings that somebody has accepted for a time."""
    applicable: bool = True
    """False where there is nothing that the check could be about; that is neither a pass nor missing."""

    @classmethod
    def not_applicable(cls, reason: str) -> Assessment:
        """There is nothing that the check could be about, and it is certain that there is nothing."""
        return cls(outcome=Outcome.PASS, message=f"not applicable: {reason}", n=0, applicable=False)

    @classmethod
    def passed(cls, message: str, *, seen: str = "", limit: str = "", n: int | None = None) -> Assessment:
        """The check held; say over what (``n`` objects, ``seen`` value), since a pass over nothing is no pass."""
        return cls(outcome=Outcome.PASS, message=message, seen=seen, limit=limit, n=n)

    @classmethod
    def failed(cls, message: str, *, seen: str = "", limit: str = "", remedy: str = "") -> Assessment:
        """The product is bad: what was expected is ``limit``, what was there is ``seen``."""
        return cls(outcome=Outcome.FAIL, message=message, seen=seen, limit=limit, remedy=remedy)

    @classmethod
    def error(cls, message: str, *, remedy: str = "") -> Assessment:
        """We could not look; ``message`` says what stood in the way."""
        return cls(outcome=Outcome.ERROR, message=message, remedy=remedy)

    @classmethod
    def inconclusive(cls, message: str, *, seen: str = "", n: int | None = None, remedy: str = "") -> Assessment:
        """Too little to decide; ``remedy`` says how much more is needed."""
        return cls(outcome=Outcome.INCONCLUSIVE, message=message, seen=seen, n=n, remedy=remedy)

    @classmethod
    def of_findings(
        cls, findings: Iterable[Finding], *, held: str, broken: str, n: int, remedy: str = ""
    ) -> Assessment:
        """Fail with all ``findings``, or pass with ``held``; over ``n`` = 0 objects it is inconclusive, never a pass.

        ``broken`` may contain ``{count}``, the number of findings.
        """
        found = tuple(findings)
        if found:
            message = broken.format(count=len(found))
            first = found[0]
            return replace(
                cls.failed(message, seen=first.seen, limit=first.expected, remedy=remedy), findings=found, n=n
            )
        if n == 0:
            return cls.inconclusive("there was nothing to look at", n=0, remedy=remedy)
        return cls.passed(held, n=n)
