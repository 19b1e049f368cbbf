"""What is wrong in one file of a policy: every unknown key with the nearest valid one, every value with what it may be.

The keys are those of the structs in :mod:`seatrial.gate.policy`: a new section is a new field of ``Policy``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec

from seatrial.gate.policy import SUITES, TRIGGERS, Effects, Policy, RollbackRules, TriggerRules
from seatrial.gate.section import Section

_OWN: Final = {"extends": str, "description": str}
"""Keys of a file that are none of the policy that it comes to."""
_INNER: Final[dict[type[Section], tuple[tuple[str, ...], type[Section]]]] = {
    Effects: (SUITES, Effects),
    RollbackRules: (TRIGGERS, TriggerRules),
}
"""Sections that hold tables of their own, by suite or by trigger."""
_MADE: Final = ("name", "suite_effects", "trigger_rules")
"""Fields of a policy that are no keys of a file."""


def keys() -> list[str]:
    """The keys that may stand at the top of a file."""
    return [*_OWN, *(field.encode_name for field in msgspec.structs.fields(Policy) if field.name not in _MADE)]


def problems(data: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong in one file, each with its key."""
    yield from _unknown(data, keys(), "")
    for key, hint in (*_hints(Policy).items(), *_OWN.items()):
        if key not in data or key in _MADE or key == "extends":
            continue
        arguments = get_args(hint)
        if _section(hint):
            yield from _table(data[key], hint, key)
        elif get_origin(hint) is dict and _section(arguments[1]):
            yield from _by_suite(data[key], arguments[1], key)
        elif get_origin(hint) is tuple and _section(arguments[0]):
            yield from _tables(data[key], arguments[0], key)
        else:
            yield from _value(data, key, hint, "")


def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The type of each key, by the name that it has in a file."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(kind)}


def _section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Section)


def _listed(hint: Any) -> type[Section] | None:
    """The kind of the tables in a list inside a section."""
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    kinds = get_args(plain) if get_origin(plain) is tuple else ()
    return kinds[0] if kinds and _section(kinds[0]) else None


def _by_suite(tables: object, kind: type[Section], place: str) -> Iterator[str]:
    if not isinstance(tables, dict):
        yield f"{place}: expected a table, seen {repr(tables)[:60]}"
        return
    yield from _unknown(tables, SUITES, f"{place}.")
    for suite, table in tables.items():
        if suite in SUITES:
            yield from _table(table, kind, f"{place}.{suite}")


def _tables(entries: object, kind: type[Section], place: str) -> Iterator[str]:
    """A list of tables: the place of an entry is its number."""
    if not isinstance(entries, list):
        yield f"{place}: expected tables under [[{place}]], seen {str(entries)[:60]!r}"
        return
    for position, entry in enumerate(entries, start=1):
        yield from _table(entry, kind, f"{place}[{position}]")


def _table(section: object, kind: type[Section], place: str) -> Iterator[str]:
    if not isinstance(section, dict):
        yield f"{place}: expected a table, seen {repr(section)[:60]}"
        return
    names, inner = _INNER.get(kind, ((), kind)) if "." not in place else ((), kind)
    special = {key: value for key, value in section.items() if key in names}
    own = {key: value for key, value in section.items() if key not in special}
    for name, table in special.items():
        yield from _table(table, inner, f"{place}.{name}")
    hints = _hints(kind)
    found = [*_unknown(own, [*hints, *names], f"{place}."), *_missing(own, kind, place)]
    for key, hint in hints.items():
        found += _table(own[key], hint, f"{place}.{key}") if _section(hint) and key in own else ()
        if inside := _listed(hint):
            found += _tables(own[key], inside, f"{place}.{key}") if key in own else ()
            continue
        found += () if _section(hint) else _value(own, key, hint, f"{place}.")
    yield from found
    if not found:
        yield from (f"{place}: {words}" for words in msgspec.convert(own, kind).contradictions())


def _missing(section: Mapping[str, Any], kind: type[Section], place: str) -> Iterator[str]:
    names = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    missing = [name for name in names if name not in section]
    if missing:
        yield f"{place}: expected {', '.join(missing)} too, seen {', '.join(section) or 'nothing'}"


def _value(section: Mapping[str, Any], key: str, kind: Any, place: str) -> Iterator[str]:
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
    if "matching regex" in message:
        weekly = "Mon|Tue" in str(kind)
        return "expected such as Fri 16:00 to Mon 06:00" if weekly else "expected such as 90m, 4h, 2d or any"
    if "date" in message.lower():
        time = "datetime" in str(kind).rpartition("|")[0]
        return f"expected a {'time such as 2026-12-01T16:00:00Z' if time else 'day such as 2026-12-01'}"
    if "length >= 1" in message:
        return "expected text, not nothing"
    limit = re.search(r"Expected `int` >= (-?[0-9]+)", message)
    if limit:
        return f"expected a whole number, at least {limit[1]}"
    names = {"int": "a whole number", "str": "text", "array": "a list", "object": "a table", "bool": "true or false"}
    wanted = re.search(r"Expected `(\w+)", message)
    return f"expected {names.get(wanted[1], wanted[1])}" if wanted else message


def _unknown(section: Mapping[str, Any], known: Iterable[str], place: str) -> Iterator[str]:
    names = list(known)
    for key in section:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"
            yield f"{place}{key}: unknown key; {hint}"
