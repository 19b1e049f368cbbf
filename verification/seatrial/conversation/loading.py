"""From a file to a script, or to every mistake in it: file, line, key, what was expected, what was seen, what to do."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from seatrial.conversation.placeholders import BUILT_IN, is_open, names_in, texts_in
from seatrial.conversation.script import (
    ROW_NAME,
    Capture,
    Expect,
    JsonExpect,
    Repeat,
    Script,
    Step,
    ToolCall,
    Turn,
    names_used,
    row_name,
)
from seatrial.environment import positions

LARGEST: Final = 1_000_000
"""Bytes. A conversation is some kilobytes; what is larger is something else."""

_COUNTED: Final = ("turn", "row", "setup", "cleanup", "step")
_KINDS: Final = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}
_EXPECTED: Final = {
    "string_type": "a text in quotes",
    "bool_type": "true or false, without quotes",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_too_short": "a text that is not empty",
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake. ``line`` counts from 1; None where the file could not be read so far."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class BrokenScript(ValueError):
    """A file that is no valid script, with every problem found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def load(path: Path, *, shown: str | None = None) -> Script:
    """The script in ``path``; messages call the file ``shown``. Raises BrokenScript."""
    return parse(read(path, shown or str(path)), name=path.stem, shown=shown or str(path))


def read(path: Path, shown: str) -> str:
    """The text of a file that may be anything. Raises BrokenScript with one line."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as error:
        raise _single(shown, None, f"cannot be read: {error.strerror or error}") from None
    if len(raw) > LARGEST:
        raise _single(
            shown, None, f"expected at most {LARGEST:,} bytes, seen more; split the conversation into several"
        )
    if b"\0" in raw:
        raise _single(shown, raw[: raw.index(b"\0")].count(b"\n") + 1, "expected text, seen a binary file")
    try:
        # utf-8-sig: editors on Windows put a byte order mark in front, which TOML does not allow.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        seen = f"byte 0x{raw[error.start]:02x}"
        raise _single(shown, line, f"expected UTF-8, seen {seen}; save the file as UTF-8") from None


def parse(text: str, *, name: str, shown: str) -> Script:
    """The script in ``text``, whose id is ``name`` unless it says otherwise. Raises BrokenScript."""
    return parse_as(Script, text, name=name, shown=shown, review=review, keys_at=_keys_at)


Kind = TypeVar("Kind", bound=BaseModel)


def parse_as(
    model: type[Kind],
    text: str,
    *,
    name: str,
    shown: str,
    review: Callable[[Kind], Iterator[tuple[positions.Path, str]]],
    keys_at: Callable[[positions.Path], list[str]],
) -> Kind:
    """The ``model`` in ``text``, whose id is ``name`` unless it says otherwise. Raises BrokenScript.

    ``review`` says what the types cannot tell, and ``keys_at`` which keys are valid under a path.
    """
    text = text.replace("\r\n", "\n")
    try:
        document = tomllib.loads(text)
        lines = positions.line_numbers(text)
    except tomllib.TOMLDecodeError as error:
        raise _toml_problem(str(error), text, shown) from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _single(shown, None, f"expected TOML, seen something that cannot be read: {reason}") from None
    document.setdefault("id", name)
    try:
        script = model.model_validate(document)
    except ValidationError as error:
        details: list[dict[str, Any]] = [dict(detail) for detail in error.errors(include_url=False)]
        # A list whose elements are all broken is also called too short, which says nothing new.
        inside = {tuple(detail["loc"][:end]) for detail in details for end in range(1, len(detail["loc"]))}
        kept = [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in inside]
        raise BrokenScript(_in_order(_problem(detail, shown, lines, keys_at) for detail in kept)) from None
    problems = _in_order(
        Problem(file=shown, line=_line(path, lines), key=_words(path), message=message)
        for path, message in review(script)
    )
    if problems:
        raise BrokenScript(problems)
    return script


def review(script: Script) -> Iterator[tuple[positions.Path, str]]:
    """What the types cannot tell: names that nothing defines, and expectations that can never be looked at."""
    captured_in = {name: number for number, turn in reversed(list(enumerate(script.turns, 1))) for name in turn.capture}
    for name, text in script.values.items():
        for used in names_in(text):
            if used not in BUILT_IN and not is_open(used):
                message = f"expected only {' and '.join(f'${{{known}}}' for known in BUILT_IN)} inside a value"
                yield ("values", name), f"{message}, seen ${{{used}}}"
    known = {*BUILT_IN, *script.values}
    yield from _rows(script)
    if script.rows:
        known |= set(script.rows[0]) - {ROW_NAME}
    yield from _steps("setup", script.setup, known, writes=script.writes)
    for index, turn in enumerate(script.turns):
        for key, used in names_used(turn):
            if used in known or is_open(used):
                continue
            if used in captured_in:
                number = captured_in[used]
                when = (
                    "this turn's own answer" if number == index + 1 else f"the answer of turn {number}, which is later"
                )
                message = f"expected a value known by now, seen {used!r}, which is captured from {when}"
            else:
                message = f"nothing is called {used!r}{nearest(used, [*known, *captured_in])}"
            yield ("turn", index, *key), message
        for name in turn.capture:
            if name in known:
                yield ("turn", index, "capture", name), f"the name {name!r} is taken already; choose another"
            known.add(name)
        for timing in ("max_first_token", "max_pause"):
            if getattr(turn.expect, timing) is not None and not script.stream:
                message = "is only there in a streamed answer; set stream = true at the top of the file"
                yield ("turn", index, "expect", timing), message
    yield from _steps("cleanup", script.cleanup, known, writes=script.writes)
    if not any(turn.expect.says_something or turn.capture for turn in script.turns):
        yield ("turn",), "expected at least one expectation; a conversation that expects nothing always passes"


def _rows(script: Script) -> Iterator[tuple[positions.Path, str]]:
    """Rows that do not fit together."""
    seen: dict[str, int] = {}
    keys = set(script.rows[0]) - {ROW_NAME} if script.rows else set()
    for index, row in enumerate(script.rows):
        own = set(row) - {ROW_NAME}
        missing, more = sorted(keys - own), sorted(own - keys)
        if missing or more:
            words = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(more)} besides"
            yield ("row", index), f"expected the keys of the first row, which this one {words}"
        name = row_name(row, index)
        if not re.fullmatch(r"[\w.-]+", name):
            yield ("row", index, ROW_NAME), f"expected letters, digits, - and _ in the name of a row; seen {name!r}"
        if name in seen:
            yield ("row", index), f"expected a name of its own, seen {name!r}, which row {seen[name] + 1} has already"
        seen.setdefault(name, index)


def _steps(table: str, steps: Sequence[Step], known: set[str], *, writes: bool) -> Iterator[tuple[positions.Path, str]]:
    """Requests that the script may not make, or that use names which nothing defines."""
    for index, step in enumerate(steps):
        if step.method != "GET" and not writes:
            message = f"a {step.method} may change something: say writes = true at the top of the file"
            yield (table, index, "method"), message
        for text in texts_in([step.path, step.body]):
            for used in names_in(text):
                if used not in known and not is_open(used):
                    yield (table, index), f"nothing is called {used!r}{nearest(used, known)}"
        for name in step.capture:
            if name in known:
                yield (table, index, "capture", name), f"the name {name!r} is taken already; choose another"
            known.add(name)


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, as a reader of the file meets them."""
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)


def _single(shown: str, line: int | None, message: str) -> BrokenScript:
    return BrokenScript([Problem(file=shown, line=line, key="", message=message)])


def _toml_problem(reason: str, text: str, shown: str) -> BrokenScript:
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", reason)
    line, column = None, ""
    if place:
        reason = reason[: place.start()]
        line = int(place[1]) if place[1] else text.count("\n") + (not text.endswith("\n"))
        column = f" in column {place[2]}" if place[2] else " at the end"
    return _single(shown, line, f"expected TOML, seen a mistake{column}: {reason[0].lower()}{reason[1:]}")


def _problem(
    detail: Mapping[str, Any],
    shown: str,
    lines: Mapping[positions.Path, int],
    keys_at: Callable[[positions.Path], list[str]],
) -> Problem:
    path: positions.Path = tuple(detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    seen = _seen(detail["input"])
    if path and path[-1] == "[key]":
        path = path[:-1]
    if kind == "extra_forbidden":
        message = f"unknown key{nearest(str(path[-1]), keys_at(path[:-1]))}"
    elif kind == "missing":
        message = "expected this key, seen nothing"
    elif kind == "value_error":
        message = str(context["error"])
    elif kind in ("literal_error", "enum"):
        near = nearest(str(detail["input"]), re.findall(r"'([^']*)'", str(context["expected"])))
        message = f"expected {context['expected']}, seen {seen}{near if 'did' in near else ''}"
    elif kind in ("too_short", "too_long"):
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        message = f"expected {bound}, seen {context['actual_length']}"
    elif kind == "tuple_type" and path in (("turn",), ("step",)):
        message = f"expected one or more [[{path[0]}]], seen {seen}"
    elif kind in _EXPECTED:
        message = f"expected {_EXPECTED[kind]}, seen {seen}"
    else:
        message = f"{detail['msg']}, seen {seen}"
    return Problem(file=shown, line=_line(path, lines), key=_words(path), message=message)


def _keys_at(path: positions.Path) -> list[str]:
    """The keys that are valid under ``path``."""
    model: type[BaseModel] = Script
    tables: dict[object, type[BaseModel]] = {"turn": Turn, "setup": Step, "cleanup": Step}
    inside = path[2:] if path[:1] and path[0] in tables else path
    if path[:1] == ("repeat",):
        model, inside = Repeat, path[1:]
    elif path:
        model = tables.get(path[0], Script)
    if inside[:1] == ("expect",):
        deeper: dict[object, type[BaseModel]] = {"json": JsonExpect, "calls": ToolCall}
        model = deeper.get(inside[1] if len(inside) > 1 else None, Expect)
    elif inside[:1] == ("capture",):
        model = Capture
    return [field.alias or name for name, field in model.model_fields.items()]


def nearest(word: str, known: Iterable[str]) -> str:
    """What to say after an unknown word: the one that was probably meant, or all that there are."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else f"; there are: {', '.join(names)}"


def _line(path: positions.Path, lines: Mapping[positions.Path, int]) -> int:
    """Line of the nearest thing at or above ``path`` that stands in the file."""
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)


def _words(path: positions.Path) -> str:
    """``turn 2, expect.contains``: turns are counted as people count."""
    if (
        path[:1]
        and path[0] in ("turn", "row", "setup", "cleanup", "step")
        and len(path) > 1
        and isinstance(path[1], int)
    ):
        inside = ".".join(str(part) for part in path[2:] if not isinstance(part, int))
        return f"{path[0]} {path[1] + 1}, {inside}" if inside else f"{path[0]} {path[1] + 1}"
    return ".".join(str(part) for part in path if not isinstance(part, int))


def _seen(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    kind = _KINDS.get(type(value), type(value).__name__)
    return f"{kind} ({str(value).lower()})" if isinstance(value, (bool, int, float)) else kind
