"""Earlier decisions, as files or the audit log tell of them: what a promotion in another environment rests on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seatrial.gate.audit import LONGEST_LINE, Entry
from seatrial.gate.soundness import examine

MOST: Final = 20
"""Decisions of one environment that are kept of a log, the newest."""


@dataclass(frozen=True, kw_only=True)
class Precedent:
    """One earlier decision, or the taking back of a release."""

    source: str
    """Where it is known from: a file, or a line of the log."""
    decision: str = ""
    """SHA-256 of its ``decision.json``."""
    verdict: str = ""
    environment: str = ""
    release: str = ""
    digests: tuple[str, ...] = ()
    decided: str = ""
    shadow: bool = False
    """Whether it was decided beside the decision that counted, to try a policy out."""
    problem: str = ""
    """Why it cannot be believed, where that is so."""


def _wrong_policy(environment: str, policy: object) -> str:
    """A policy for anywhere, or for elsewhere, says nothing about this environment."""
    return "" if policy == environment else f"it was decided by a policy that is not for {environment or 'anything'}"


def of_record(source: str, digest: str, values: Mapping[str, Any]) -> Precedent:
    """What a ``decision.json`` that agrees with itself says."""
    return Precedent(
        source=source,
        decision=digest,
        verdict=str(values["decision"]),
        environment=str(values["environment"]),
        release=str(values["release"]["wanted"]),
        digests=tuple(map(str, values["release"]["digests"])),
        decided=str(values["decided"]),
        shadow=bool(values.get("shadow")),
        problem=_wrong_policy(str(values["environment"]), values["policy"]["environment"]),
    )


@dataclass(frozen=True, kw_only=True)
class History:
    """What an audit log tells."""

    path: Path
    entries: tuple[Entry, ...]
    problem: str = ""
    """Why nothing in it can be believed, where that is so."""

    @classmethod
    def read(cls, path: Path) -> History:
        """A log that is not there tells nothing; one that was changed is a problem."""
        try:
            with path.open("rb") as stream:
                lines = list(iter(lambda: stream.readline(LONGEST_LINE + 1), b""))
        except FileNotFoundError:
            return cls(path=path, entries=())
        except OSError as error:
            return cls(path=path, entries=(), problem=f"{path} cannot be read: {error.strerror or error}")
        found = examine(lines)
        if found.findings:
            first = found.findings[0]
            words = f"{path} is not sound: line {first.line}: {first.message}"
            return cls(path=path, entries=(), problem=f"{words}; see `seatrial audit verify {path}`")
        return cls(path=path, entries=tuple(Entry.parse(line[:-1]) for line in lines))

    def knows(self, decision: str) -> bool:
        """Whether a line is about the decision with this hash."""
        return any(entry.decision == decision and entry.kind == "decision" for entry in self.entries)

    def precedents(self, environments: Collection[str], releases: Collection[str]) -> Iterator[Precedent]:
        """The newest decisions and acts about ``releases`` in each of ``environments``."""
        if self.problem:
            yield Precedent(source=str(self.path), problem=self.problem)
            return
        told = [p for entry in self.entries if (p := self._precedent(entry)) and p.release in releases]
        for environment in environments:
            yield from [p for p in told if p.environment == environment][-MOST:]

    def _precedent(self, entry: Entry) -> Precedent | None:
        facts = entry.facts
        acted = entry.kind == "execution" and facts.get("decision") == "rollback"
        if entry.kind != "decision" and not acted:
            return None
        digests = facts.get("digests")
        return Precedent(
            source=f"{self.path}, number {entry.seq}",
            decision=entry.decision,
            verdict=str(facts.get("decision", "")),
            environment=str(facts.get("environment", "")),
            release=str(facts.get("release", "")),
            digests=tuple(map(str, digests)) if isinstance(digests, list) else (),
            decided=entry.time if acted else str(facts.get("decided", "")),
            shadow=bool(facts.get("shadow")),
            problem="" if acted else _wrong_policy(str(facts.get("environment", "")), facts.get("policy_for")),
        )
