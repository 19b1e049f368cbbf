"""Names of checks in a policy that are those of none, and rules about one check that take each other's effect."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal

from seatrial.gate.pattern import compiled
from seatrial.gate.policy import Policy

if TYPE_CHECKING:
    from seatrial.gate.lint import Known

Level = Literal["error", "warning"]
Told = tuple[str, str, Level]
"""A key, what is wrong there, and how much."""

_OPEN: Final = ("synthetic", "foreign:")
"""Families whose checks are data or somebody else's: no list can hold them."""


def findings(policy: Policy, known: Known) -> Iterator[Told]:
    """Unknown names; entries that another makes useless; what the plan of a run has not."""
    for key, name in _names(policy):
        yield from _unknown(key, name, known.checks)
    yield from _doubled(policy)
    yield from _useless(policy)
    if known.planned is None:
        return
    names = {name for case in known.planned for name in (case.check, case.key)}
    for key, name in _names(policy):
        if not any(map(compiled(name), names)):
            always = key == "manifest.expected" or key.endswith("requires")
            so = ": it always holds" if key == "manifest.expected" else ": nothing ever rolls back" if always else ""
            yield key, f"{name} is of nothing that the run planned{so}", "error" if always else "warning"


def _names(policy: Policy) -> Iterator[tuple[str, str]]:
    """Every name or glob of checks, with its key."""
    for key, names in (
        ("dry_run", policy.dry_run),
        ("rollback.requires", policy.rollback.requires),
        *((f"rollback.{trigger}.requires", rule.requires) for trigger, rule in policy.trigger_rules.items()),
        ("manifest.expected", policy.manifest.expected),
        ("waivable.never", policy.waivable.never),
    ):
        yield from ((key, name) for name in names)
    for key, entries in (("waivers", policy.waivers), ("quarantine", policy.quarantine)):
        yield from ((f"{key}[{position}]", entry.match) for position, entry in enumerate(entries, start=1))


def _unknown(key: str, name: str, checks: Mapping[str, str]) -> Iterator[Told]:
    # `check[object]@track` is a case of a check; what a star may stand for is its own business.
    check = name.partition("[")[0]
    if check.startswith(_OPEN) or any(map(compiled(check), checks)):
        return
    family = check.partition("/")[0]
    near = difflib.get_close_matches(check, checks, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; `seatrial checks` lists those that there are"
    ours = family in {other.partition("/")[0] for other in checks} or bool(near)
    yield key, f"{name} is no check of seatrial{hint}", "error" if ours else "warning"


def _doubled(policy: Policy) -> Iterator[Told]:
    seen: set[tuple[str, str]] = set()
    for key, name in _names(policy):
        section = key.partition("[")[0]
        if (section, name) in seen:
            yield key, f"{name} stands there twice", "warning" if section != "waivers" else "error"
        seen.add((section, name))


def _useless(policy: Policy) -> Iterator[Told]:
    quarantined = {entry.match for entry in policy.quarantine}
    for position, entry in enumerate(policy.waivers, start=1):
        key, check = f"waivers[{position}]", entry.match.partition("[")[0]
        forbidding = [glob for glob in policy.waivable.never if entry.match == glob or compiled(glob)(check)]
        if forbidding:
            yield key, f"{entry.match} may never be waived (waivable.never {forbidding[0]}): it only holds", "error"
        elif check in policy.dry_run:
            yield key, f"{entry.match} is in dry_run and decides nothing: there is nothing to waive", "error"
        elif entry.match in quarantined or check in quarantined:
            yield key, f"{entry.match} is in quarantine and decides nothing: there is nothing to waive", "error"
        if check == "*":
            yield key, f"{entry.match} waives every failure", "error"
    for position, kept in enumerate(policy.quarantine, start=1):
        key, check = f"quarantine[{position}]", kept.match.partition("[")[0]
        if check in policy.dry_run:
            yield key, f"{kept.match} is in dry_run and decides nothing: there is nothing to set aside", "error"
        if check == "*":
            yield key, f"{kept.match} sets every check aside", "error"
