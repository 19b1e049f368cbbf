"""The policy: which evidence a promotion needs, and what follows from each outcome. TOML, per environment."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

Effect = Literal["rollback", "hold", "note"]
Count = Annotated[int, msgspec.Meta(ge=0)]

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class PolicyProblem(ValueError):
    """A policy that cannot be used; the message names the file, the key, and the nearest valid one."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: an unknown key is an error."""


class Required(Section, frozen=True):
    """What a required suite must bring."""

    minimum: Count = 1
    """executed checks of the track under test"""


class EvidenceRules(Section, frozen=True):
    """When evidence counts."""

    identity: Literal["required", "optional"] = "required"
    """whether reports must say which environment and release they are about"""
    max_age: str = "4h"
    """from the end of the run to the decision"""
    release: Literal["same", "any"] = "same"
    """whether the release seen running must be the one wanted"""
    expected: Literal["all", "required-suites"] = "all"
    """which of the planned checks must have an outcome"""

    @property
    def max_age_seconds(self) -> int:
        """``max_age`` in seconds."""
        match = re.fullmatch(r"(\d+)([smhd])", self.max_age)
        assert match is not None
        return int(match[1]) * _UNITS[match[2]]


class Effects(Section, frozen=True):
    """What follows from a failed check, by its severity."""

    critical: Effect = "rollback"
    """for a failure without which the release cannot be used"""
    major: Effect = "hold"
    """for one that must be mended before promotion"""
    minor: Effect = "note"
    """for one that people should know of"""


class Budgets(Section, frozen=True):
    """How many outcomes that decide nothing are tolerated."""

    inconclusive: Count = 0
    """checks that looked and could not decide"""
    error: Count = 0
    """checks that could not look"""


class RollbackRules(Section, frozen=True):
    """What must hold for a rollback to be possible."""

    requires: tuple[str, ...] = ()
    """checks that must have passed, such as `rollback/history`"""


class Policy(Section, frozen=True):
    """How evidence about one environment becomes a decision."""

    environment: str = ""
    """environment that it is for; empty for any"""
    required: dict[str, Required] = {}
    """suites without which there is no promotion"""
    evidence: EvidenceRules = EvidenceRules()
    """when evidence counts"""
    effects: Effects = Effects()
    """what follows from a failed check"""
    suite_effects: dict[str, Effects] = {}
    """effects of single suites, which replace the general ones"""
    dry_run: tuple[str, ...] = ()
    """checks that are shown and never decide"""
    budgets: Budgets = Budgets()
    """how many outcomes that decide nothing are tolerated"""
    rollback: RollbackRules = RollbackRules()
    """what a rollback needs"""

    def effect(self, suite: str, severity: str) -> Effect:
        """What a failure of this severity in this suite calls for."""
        effects = self.suite_effects.get(suite, self.effects)
        known: dict[str, Effect] = {"critical": effects.critical, "major": effects.major, "minor": effects.minor}
        return known.get(severity, "hold")

    def sha256(self) -> str:
        """Over the canonical JSON of the policy as it comes out of all files that it extends."""
        canonical = json.dumps(msgspec.to_builtins(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def load(path: Path, directories: Sequence[Path]) -> Policy:
    """Read a policy and what it extends, looked up beside it and in ``directories``. Raises PolicyProblem."""
    data = _read(path, [path.parent, *directories], ())
    try:
        policy = msgspec.convert(data, Policy)
    except msgspec.ValidationError as error:
        raise PolicyProblem(f"{path}: {_words(str(error))}") from None
    if not re.fullmatch(r"\d+[smhd]", policy.evidence.max_age):
        raise PolicyProblem(
            f"{path}: evidence.max_age: expected such as 90m, 4h or 2d; seen {policy.evidence.max_age!r}"
        )
    return policy


def _read(path: Path, directories: Sequence[Path], chain: tuple[Path, ...]) -> dict[str, Any]:
    if path in chain:
        raise PolicyProblem(f"{path}: extends goes round in a circle")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyProblem(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyProblem(f"{path}: not readable as TOML: {error}") from None
    parent = data.pop("extends", None)
    if parent is None:
        return data
    base = next((place / f"{parent}.toml" for place in directories if (place / f"{parent}.toml").is_file()), None)
    if base is None:
        raise PolicyProblem(f"{path}: extends: expected the name of a policy, seen {parent!r}")
    return _laid_over(_read(base, directories, (*chain, path)), data)


def _laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(base)
    for key, value in over.items():
        below = laid.get(key)
        laid[key] = _laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return laid


def _words(message: str) -> str:
    """The sentence of msgspec, with the key as it stands in the file and the nearest valid one where it is unknown."""
    match = re.search(r" - at `\$\.?(.*?)`$", message)
    place = (match[1] if match else "").replace("[...]", ".NAME")
    text = message[: match.start()] if match else message
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text)
    if unknown is None:
        return f"{place}: {text[:1].lower()}{text[1:]}"
    known = _fields(place)
    near = difflib.get_close_matches(unknown[1], known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}"
    return f"{place}.{unknown[1]}: unknown key{hint}".lstrip(".")


def _fields(place: str) -> list[str]:
    sections: dict[str, type[Section]] = {
        "": Policy,
        "required.NAME": Required,
        "evidence": EvidenceRules,
        "effects": Effects,
        "suite_effects.NAME": Effects,
        "budgets": Budgets,
        "rollback": RollbackRules,
    }
    section = sections.get(place, Policy)
    return sorted(section.__struct_fields__)
