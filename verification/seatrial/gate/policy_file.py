"""Reads a policy from TOML and what it extends; every unknown key is named, with the nearest valid one."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec

from seatrial.gate.policy import (
    SUITES,
    TRIGGERS,
    Budgets,
    Effects,
    EvidenceRules,
    Policy,
    Quarantine,
    Required,
    RollbackRules,
    TriggerRules,
)

_SECTIONS: Final[dict[str, type[msgspec.Struct]]] = {
    "evidence": EvidenceRules,
    "effects": Effects,
    "budgets": Budgets,
    "rollback": RollbackRules,
}
_LISTS: Final[dict[str, type[msgspec.Struct]]] = {"quarantine": Quarantine}
"""Lists of tables, `[[quarantine]]`; a policy's own takes the place of that which it extends."""
_OWN: Final[dict[str, tuple[tuple[str, ...], type[msgspec.Struct]]]] = {
    "effects": (SUITES, Effects),
    "rollback": (TRIGGERS, TriggerRules),
}
"""Sections that hold tables of their own, by suite or by trigger."""
_TOP: Final = (
    "extends",
    "description",
    "environment",
    *_SECTIONS,
    *_LISTS,
    "required",
    "dry_run",
)
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
    if problems := list(_problems(data)):
        raise PolicyProblem("\n  ".join([f"{path}:", *problems]) if len(problems) > 1 else f"{path}: {problems[0]}")
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


def _laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(base)
    for key, value in over.items():
        below = laid.get(key)
        laid[key] = _laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return laid


def _problems(data: Mapping[str, Any]) -> Iterable[str]:
    """Everything that is wrong in one file, each with its key: unknown keys, and values that are not allowed."""
    yield from _unknown(data, _TOP, "")
    for name, kind in _SECTIONS.items():
        section = data.get(name, {})
        names, inner = _OWN.get(name, ((), kind))
        own = {key: value for key, value in section.items() if key in names} if isinstance(section, dict) else {}
        if own:
            section = {key: value for key, value in section.items() if key not in own}
            for inside, special in own.items():
                yield from _table(special, inner, f"{name}.{inside}", ())
        yield from _table(section, kind, name, names)
    for name, kind in _LISTS.items():
        yield from _tables(data.get(name, []), kind, name)
    required = data.get("required", {})
    if not isinstance(required, dict):
        yield f"required: expected a table, seen {required!r}"
        return
    yield from _unknown(required, SUITES, "required.")
    for suite, rule in required.items():
        yield from _table(rule, Required, f"required.{suite}", ())
    for key, allowed in (("environment", str), ("dry_run", list[str]), ("description", str)):
        yield from _value(data, key, allowed, "")


def _tables(entries: object, kind: type[msgspec.Struct], place: str) -> Iterable[str]:
    """A list of tables: the place of an entry is its number."""
    if not isinstance(entries, list):
        yield f"{place}: expected tables under [[{place}]], seen {str(entries)[:60]!r}"
        return
    for position, entry in enumerate(entries, start=1):
        yield from _table(entry, kind, f"{place}[{position}]", ())
        if not isinstance(entry, dict):
            continue
        missing = [field.name for field in msgspec.structs.fields(kind) if field.required and field.name not in entry]
        if missing:
            yield f"{place}[{position}]: expected {', '.join(missing)} too, seen {', '.join(entry) or 'nothing'}"


def _table(section: object, kind: type[msgspec.Struct], place: str, more: Iterable[str]) -> Iterable[str]:
    if not isinstance(section, dict):
        yield f"{place}: expected a table, seen {section!r}"
        return
    names = kind.__struct_fields__
    yield from _unknown(section, [*names, *more], f"{place}.")
    hints = get_type_hints(kind, include_extras=True)
    for name in names:
        yield from _value(section, name, hints[name], f"{place}.")


def _value(section: Mapping[str, Any], key: str, kind: Any, place: str) -> Iterable[str]:
    if key not in section:
        return
    try:
        msgspec.convert(section[key], kind)
    except msgspec.ValidationError as error:
        values = re.findall(r"'([^']+)'", str(kind).partition("Literal[")[2].partition("]")[0])
        expected = f"expected {', '.join(values)}" if values else _words(str(error), kind)
        yield f"{place}{key}: {expected}; seen {str(section[key])[:60]!r}"


def _words(message: str, kind: Any) -> str:
    """What was expected, in words of the house."""
    if "pattern" in str(kind) and "matching regex" in message:
        return "expected such as 90m, 4h, 2d or any"
    if "`date`" in message or "date" in message.lower():
        return "expected a day such as 2026-12-01"
    if "length >= 1" in message:
        return "expected text, not nothing"
    limit = re.search(r"Expected `int` >= (-?[0-9]+)", message)
    if limit:
        return f"expected a whole number, at least {limit[1]}"
    names = {"int": "a whole number", "str": "text", "array": "a list", "object": "a table"}
    wanted = re.search(r"Expected `(\w+)", message)
    return f"expected {names.get(wanted[1], wanted[1])}" if wanted else message


def _unknown(section: Mapping[str, Any], known: Iterable[str], place: str) -> Iterable[str]:
    names = list(known)
    for key in section:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"
            yield f"{place}{key}: unknown key; {hint}"
