"""Waivers: findings that somebody accepts for a time, in the environment file or on the object, and never silently."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from seatrial.environment.model import Environment
from seatrial.evidence.assessment import Finding
from seatrial.snapshot.objects import Item, annotations_of
from seatrial.snapshot.snapshot import Snapshot

PREFIX: Final = "waive.seatrial.io/"
"""Prefix of annotations that waive; the check's id follows, with a dot for its slash."""
_FIELD: Final = re.compile(r"\s*(owner|expires|reason)\s*=\s*")


class MalformedWaiver(ValueError):
    """An annotation that was meant to waive, and does not say what a waiver must say."""


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """A waiver as it stands on an object: ``owner=...; expires=YYYY-MM-DD; reason=...``."""

    check: str
    owner: str
    expires: dt.date
    reason: str


def parse(key: str, text: str) -> Annotation:
    """Read an annotation. Raises MalformedWaiver with what is missing."""
    check = key.removeprefix(PREFIX).replace(".", "/", 1)
    fields: dict[str, str] = {}
    rest = text
    while rest:
        match = _FIELD.match(rest)
        if match is None:
            raise MalformedWaiver(f"expected `owner=...; expires=YYYY-MM-DD; reason=...`, seen {text[:80]!r}")
        # The reason is for people: it comes last, and may hold anything.
        name, rest = match[1], rest[match.end() :]
        value, _, rest = (rest, "", "") if name == "reason" else rest.partition(";")
        fields[name] = value.strip()
    missing = [name for name in ("owner", "expires", "reason") if not fields.get(name)]
    if missing:
        raise MalformedWaiver(f"{', '.join(missing)} missing in {text[:80]!r}")
    try:
        expires = dt.date.fromisoformat(fields["expires"])
    except ValueError:
        raise MalformedWaiver(f"expires: expected YYYY-MM-DD, seen {fields['expires'][:40]!r}") from None
    return Annotation(check=check, owner=fields["owner"], expires=expires, reason=fields["reason"])


def annotated(items: Sequence[Item]) -> Iterator[tuple[Item, str, str]]:
    """Objects with an annotation that waives, its key and its text."""
    for item in items:
        for key, text in annotations_of(item).items():
            if key.startswith(PREFIX):
                yield item, key, str(text)


def covers(pattern: str, found: Finding) -> bool:
    """Whether a waiver's ``object`` covers a finding: ``*``, a name, ``namespace/name``, ``Kind/namespace/name``."""
    places = (
        found.name,
        f"{found.namespace}/{found.name}",
        f"{found.kind}/{found.namespace}/{found.name}",
        found.where,
    )
    return any(fnmatchcase(place, pattern) for place in places)


def _on_object(found: Finding, check: str, snapshot: Snapshot, today: dt.date) -> bool:
    item = snapshot.find(found.kind, found.namespace, found.name) if found.kind in snapshot.objects else None
    text = annotations_of(item).get(f"{PREFIX}{check.replace('/', '.')}") if item is not None else None
    if text is None:
        return False
    try:
        return parse(f"{PREFIX}{check.replace('/', '.')}", text).expires >= today
    except MalformedWaiver:
        return False


def divide(
    check: str, found: Sequence[Finding], environment: Environment, snapshot: Snapshot, today: dt.date
) -> tuple[list[Finding], list[Finding]]:
    """What stays, and what is waived. An expired, malformed or forbidden waiver waives nothing."""
    allowed = environment.config.waivers
    if not found or allowed == "forbidden" or check.startswith("waiver/"):
        return list(found), []
    valid = [one for one in environment.waivers if one.check == check and one.expires >= today]
    kept: list[Finding] = []
    waived: list[Finding] = []
    for one in found:
        accepted = any(covers(waiver.object, one) for waiver in valid)
        if not accepted and allowed == "any":
            accepted = _on_object(one, check, snapshot, today)
        (waived if accepted else kept).append(one)
    return kept, waived
