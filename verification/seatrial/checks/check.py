"""What a kind of check is: an identity, a severity, and a function whose docstring is its page in the catalogue."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Severity, Trigger

Per = Literal["service", "workload", "object", "namespace", "cluster", "release", "host", "environment"]
"""What one case of the check is about."""


def _always(*_: Any) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Check:
    """One kind of check. ``needs`` are the kinds or capabilities that it reads."""

    id: str
    suite: str
    severity: Severity
    trigger: Trigger | None
    per: Per
    needs: tuple[str, ...]
    title: str
    why: str
    remedy: str
    run: Callable[..., Assessment]
    applies: Callable[..., bool] = _always
    """Whether the check belongs to the plan for a subject; told from the environment alone."""
    kinds: tuple[str, ...] = ()
    """Of a check per object, the kinds that it is about."""
    live: bool = False
    """Whether it needs a running cluster; manifests cannot answer it."""
    whole: bool = False
    """Whether it must see everything that there is; over a part it cannot tell absent from unseen."""


def check(
    identity: str,
    *,
    suite: str,
    severity: str,
    per: Per,
    trigger: str | None = None,
    needs: tuple[str, ...] = (),
    applies: Callable[..., bool] = _always,
) -> Callable[[Callable[..., Assessment]], Check]:
    """Make a function a check. Raises ValueError where its docstring lacks what must hold, why, or the remedy."""

    def make(function: Callable[..., Assessment]) -> Check:
        title, why, remedy = sections(identity, function.__doc__ or "")
        return Check(
            id=identity,
            suite=suite,
            severity=Severity(severity),
            trigger=Trigger(trigger) if trigger else None,
            per=per,
            needs=needs,
            title=title,
            why=why,
            remedy=remedy,
            run=function,
            applies=applies,
        )

    return make


def sections(identity: str, doc: str) -> tuple[str, str, str]:
    """Title, why and remedy of a check's docstring. Raises ValueError where one is missing."""
    doc = inspect.cleandoc(doc)
    match = re.fullmatch(r"(.+?)\n+Why: (.+?)\n+Remedy: (.+)", doc.strip(), re.DOTALL)
    if match is None:
        raise ValueError(f"{identity}: the docstring must say what holds, then `Why:`, then `Remedy:`")
    title, why, remedy = (" ".join(part.split()) for part in match.groups())
    return title, why, remedy
