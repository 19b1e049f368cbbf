"""Finds a policy, reads it from TOML, and lays it over what it extends."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from seatrial.gate import keys, policy_problems
from seatrial.gate.policy import Policy

_ADDED: Final = frozenset({"freeze"})
"""Lists that a policy adds to those of the one it extends. Any other takes the place of that one: an exemption that is
not said again is gone, and a freeze stays."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
SHIPPED_TO_OTHERS: Final = frozenset({"base", "demo"})
"""What a project that is not ours gets from the package; the other policies are examples of this repository."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of policies; ``only`` limits what is taken from it."""

    path: Path
    only: frozenset[str] | None = None

    def file(self, name: str) -> Path | None:
        """The policy called ``name``, or None."""
        if not _NAME.fullmatch(name) or (self.only is not None and name not in self.only):
            return None
        path = self.path / f"{name}.toml"
        return path if path.is_file() else None

    def names(self) -> set[str]:
        """Names of the policies that this folder offers."""
        return {path.stem for path in self.path.glob("*.toml") if self.only is None or path.stem in self.only}


class PolicyProblem(ValueError):
    """A policy that cannot be used; the message names the file, the keys, and the nearest valid ones."""


class UnknownPolicy(PolicyProblem):
    """There is no policy of this name; the message names those that there are."""


def folders(fixtures: Path | None = None) -> list[Folder]:
    """Where policies are looked for: in ``fixtures`` or the project's own, then in those shipped with the package."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "shipped" / "fixtures" / "policies"
    shipped = inside if inside.is_dir() else package.parents[1] / "fixtures" / "policies"
    own = (fixtures or Path("fixtures")) / "policies"
    if own.resolve() == shipped:
        return [Folder(path=own)]
    return [Folder(path=own), Folder(path=shipped, only=SHIPPED_TO_OTHERS)]


def find(name: str, places: Sequence[Folder]) -> Path:
    """The file of the policy called ``name``. Raises UnknownPolicy."""
    found = _find(name, places)
    if found is not None:
        return found
    names = known(places)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names) or 'none'}"
    where = ", ".join(str(place.path) for place in places)
    raise UnknownPolicy(f"there is no policy {name[:100]!r} in {where}; {hint}")


def _find(name: str, places: Iterable[Folder]) -> Path | None:
    return next((path for place in places if (path := place.file(name)) is not None), None)


def known(places: Iterable[Folder]) -> list[str]:
    """Names of all policies that ``places`` offer."""
    return sorted(set().union(*(place.names() for place in places)))


def load(path: Path, places: Sequence[Folder] = ()) -> Policy:
    """Read a policy and what it extends, looked up beside it and in ``places``. Raises PolicyProblem."""
    data = _read(path, [Folder(path=path.parent), *places], ())
    data.pop("description", None)
    effects, special = _parted(data.pop("effects", {}))
    rollback, triggers = _parted(data.pop("rollback", {}))
    own = {"effects": effects, "suite_effects": special, "rollback": rollback, "trigger_rules": triggers}
    values = {**data, "name": path.stem, **own}
    # Every value was checked in its own file, so that the message could name it.
    return msgspec.convert(values, Policy)


def _parted(section: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A section's keys, and the tables inside it."""
    tables = {key: value for key, value in section.items() if isinstance(value, dict)}
    return {key: value for key, value in section.items() if key not in tables}, tables


def _read(path: Path, places: Sequence[Folder], chain: tuple[Path, ...]) -> dict[str, Any]:
    resolved = path.resolve()
    if resolved in chain:
        raise PolicyProblem(f"{path}: extends goes round in a circle")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyProblem(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyProblem(f"{path}: not readable as TOML: {error}") from None
    if problems := list(policy_problems.problems(data)):
        raise PolicyProblem("\n  ".join([f"{path}:", *problems]) if len(problems) > 1 else f"{path}: {problems[0]}")
    _resolve_keys(data, path)
    parent = data.pop("extends", None)
    if parent is None:
        return data
    base = _find(parent, places) if isinstance(parent, str) else None
    if base is None:
        names = [name for name in known(places) if name != path.stem]
        raise PolicyProblem(f"{path}: extends: expected the name of a policy ({', '.join(names)}), seen {parent!r}")
    below = _read(base, places, (*chain, resolved))
    # A description tells of its own file alone.
    below.pop("description", None)
    return _laid_over(below, data)


def _resolve_keys(data: Mapping[str, Any], path: Path) -> None:
    """Read the keys of approvers where their files lie, so that the policy is whole in itself. Raises PolicyProblem."""
    identities = data.get("approval", {}).get("identities", [])
    owners: dict[str, str] = {}
    for position, identity in enumerate(identities, start=1):
        place = f"{path}: approval.identities[{position}]"
        try:
            identity.update(keys.resolved(identity, path.parent))
        except keys.KeyProblem as problem:
            raise PolicyProblem(f"{place}.key: {problem}") from None
        owner = owners.setdefault(identity["key"], identity["name"])
        if owner != identity["name"]:
            raise PolicyProblem(f"{place}.key: is that of {owner}: one key cannot stand for two people")


def _laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(base)
    for key, value in over.items():
        below = laid.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            laid[key] = _laid_over(below, value)
        else:
            laid[key] = [*below, *value] if key in _ADDED and below else value
    return laid
