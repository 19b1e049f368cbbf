"""Configuration checks: functions that yield findings about one object at a time, and how they become a conclusion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from seatrial.checks import waiver as waivers
from seatrial.checks.check import Check, Per, sections
from seatrial.environment.model import Environment
from seatrial.environment.strategy import Strategy
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome, Severity, Trigger
from seatrial.snapshot.intake import describe
from seatrial.snapshot.kinds import POD_TEMPLATES
from seatrial.snapshot.manifests import SOURCE
from seatrial.snapshot.objects import Item, annotations_of, controlled, labels_of, name_of, namespace_of
from seatrial.snapshot.snapshot import Absent, Snapshot, Unread
from seatrial.snapshot.workload import Workload, workloads

Findings = Iterator[Finding]
MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading an object raises that is not of the form that its kind has."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What one case may look at: a snapshot, the strategy, and the part of the cluster that the case is about."""

    snapshot: Snapshot
    environment: Environment
    now: dt.datetime
    namespace: str | None = None
    """The namespace that the case is about; None is all of them."""
    only: Workload | None = None
    """The one workload that the case is about."""
    without: frozenset[tuple[str, str, str]] = frozenset()
    """Workloads (kind, namespace, name) that have cases of their own."""
    directory: Path = field(default_factory=Path)
    """Where files that the strategy names are looked up."""

    @property
    def rules(self) -> Strategy:
        """The strategy of the environment."""
        return self.environment.config

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces that the case is about."""
        found = (self.namespace,) if self.namespace is not None else self.snapshot.namespaces
        return tuple(name for name in found if name not in self.rules.system_namespaces)

    def workloads(self) -> Sequence[Workload]:
        """Workloads that the case is about. Raises Unread."""
        if self.only is not None:
            return (self.only,)
        found = [
            workload
            for namespace in self.namespaces
            for workload in workloads(self.snapshot, namespace)
            if (workload.kind, workload.namespace, workload.name) not in self.without
        ]
        return found if not self.rules.exclude else [one for one in found if not self._excluded(one.kind, one.item)]

    def objects(self, *kinds: str) -> Sequence[Item]:
        """Objects of ``kinds`` that the case is about, without those that belong to another object. Raises Unread."""
        found: list[Item] = []
        for kind in kinds:
            items = [
                item
                for namespace in self.namespaces
                for item in self.snapshot.of(kind, namespace)
                if kind in POD_TEMPLATES or not controlled(item)
            ]
            found += items if not self.rules.exclude else [item for item in items if not self._excluded(kind, item)]
        return found

    def _excluded(self, kind: str, item: Item) -> bool:
        place = f"{kind}/{namespace_of(item)}/{name_of(item)}"
        return any(fnmatchcase(place, pattern) for pattern in self.rules.exclude)

    def listed(self, workload: Workload, patterns: Iterable[str]) -> bool:
        """Whether one of the patterns ``kind/name`` is about ``workload``."""
        place = f"{workload.kind.lower()}/{workload.name}"
        return any(fnmatchcase(place, pattern.lower()) for pattern in patterns)


def finding(subject: Item | Workload, path: str, expected: str, seen: Any, *, view: View | None = None) -> Finding:
    """What is wrong at ``path`` of an object. ``seen`` must hold no secret."""
    item = subject.item if isinstance(subject, Workload) else subject
    kind = subject.kind if isinstance(subject, Workload) else str(item.get("kind", "object"))
    owner = labels_of(item).get(view.rules.owner_label, "") if view is not None else ""
    return Finding(
        where=f"{kind} {namespace_of(item)}/{name_of(item)}" if namespace_of(item) else f"{kind} {name_of(item)}",
        path=path,
        expected=expected,
        seen=_short(seen),
        kind=kind,
        namespace=namespace_of(item),
        name=name_of(item),
        owner=str(owner),
        source=annotations_of(item).get(SOURCE, ""),
    )


def _short(seen: Any) -> str:
    if seen is None:
        return "not set"
    text = ("true" if seen else "false") if isinstance(seen, bool) else str(seen)
    return text if len(text) <= 120 else f"{text[:117]}..."


def rule(
    identity: str,
    *,
    severity: str,
    per: Per,
    needs: tuple[str, ...] = (),
    kinds: tuple[str, ...] = (),
    live: bool = False,
    whole: bool = False,
    trigger: str | None = None,
    suite: str = "config",
    skip: Callable[[Environment], str] | None = None,
) -> Callable[[Callable[..., Findings]], Check]:
    """Make a generator of findings a check.

    It is called with ``(workload, view)``, ``(item, view)`` for each object of ``kinds``, ``(namespace, view)`` or
    ``(view)``, as ``per`` says. ``live`` checks need a running cluster; ``whole`` ones need to see everything, and are
    inconclusive over a set of manifests that may be a part. ``skip`` says why the environment does not ask for it.
    """

    def make(function: Callable[..., Findings]) -> Check:
        title, why, remedy = sections(identity, function.__doc__ or "")
        read = {
            "workload": tuple(POD_TEMPLATES),
            "object": kinds,
        }.get(per, ())

        def run(view: View) -> Assessment:
            reason = skip(view.environment) if skip is not None else ""
            if reason:
                return Assessment.not_applicable(reason)
            return assess(check, function, view)

        check = Check(
            id=identity,
            suite=suite,
            severity=Severity(severity),
            trigger=Trigger(trigger) if trigger else None,
            per=per,
            needs=tuple(dict.fromkeys((*read, *needs))),
            title=title,
            why=why,
            remedy=remedy,
            run=run,
            live=live,
            whole=whole,
            kinds=kinds,
        )
        return check

    return make


def _subjects(check: Check, view: View) -> Sequence[Any]:
    if check.per == "workload":
        return view.workloads()
    if check.per == "object":
        return view.objects(*check.kinds)
    return view.namespaces if check.per == "namespace" else (None,)


def _nothing(check: Check, view: View) -> str:
    place = f" in {', '.join(view.namespaces)}" if view.namespaces else ""
    what = {"workload": "workload", "object": " or ".join(check.kinds), "namespace": "namespace"}.get(
        check.per, "subject"
    )
    return f"there is no {'other ' if view.without and check.per == 'workload' else ''}{what}{place}"


def assess(check: Check, function: Callable[..., Findings], view: View) -> Assessment:
    """Run ``function`` over everything that the case is about. One object that cannot be read keeps no other."""
    if check.live and view.snapshot.source == "manifests":
        return Assessment.not_applicable("it needs a running cluster, and these are manifests")
    found: list[Finding] = []
    malformed: list[str] = []
    try:
        subjects = _subjects(check, view)
        if not subjects:
            return Assessment.not_applicable(_nothing(check, view))
        for subject in subjects:
            try:
                found += function(view) if check.per == "cluster" else function(subject, view)
            except MALFORMED as error:
                what = "" if isinstance(error, ValueError) else f"is malformed: {type(error).__name__}: "
                malformed.append(f"{_name(subject)}: {what}{' '.join(str(error).split())[:200]}")
    except Unread as problem:
        return Assessment.error(
            str(problem), remedy="see the rights of the verifier (`seatrial role`), and the network"
        )
    except Absent as problem:
        return Assessment.not_applicable(str(problem))
    kept, waived = waivers.divide(check.id, found, view.environment, view.snapshot, view.now.date())
    if check.whole and not view.snapshot.complete:
        kept = [replace(one, certain=False) for one in kept]
    return replace(_conclude(check, kept, malformed, len(subjects), len(waived)), waived=tuple(waived))


def _name(subject: Any) -> str:
    if isinstance(subject, Workload):
        return subject.where
    return describe(subject) if isinstance(subject, dict) else str(subject or "the cluster")


def _conclude(check: Check, kept: list[Finding], malformed: list[str], n: int, waived: int) -> Assessment:
    certain = [one for one in kept if one.certain]
    noun = check.per if check.per in ("workload", "namespace", "cluster") else "object"
    place = f"{n} {noun}{'' if n == 1 else 's'}"
    aside = f", {waived} waived" if waived else ""
    if certain:
        words = f"{len(certain)} finding{'' if len(certain) == 1 else 's'} in {place}{aside}: {certain[0]}"
        first = certain[0]
        failed = Assessment.failed(words, seen=first.seen, limit=first.expected, remedy=check.remedy)
        return replace(failed, findings=tuple(kept), n=n)
    if malformed:
        more = f" and {len(malformed) - 1} more" if len(malformed) > 1 else ""
        return replace(Assessment.error(f"{malformed[0]}{more}", remedy="see the object with kubectl get -o yaml"), n=n)
    if kept:
        words = f"{len(kept)} finding(s) that only a whole set would settle{aside}: {kept[0]}"
        remedy = "render everything that is deployed together, and say so with --seatrial-manifests-complete"
        return replace(Assessment.inconclusive(words, n=n, remedy=remedy), findings=tuple(kept))
    return Assessment(outcome=Outcome.PASS, message=f"holds for {place}{aside}", n=n)
