"""Reads Allure's ``*-container.json``: what was set up before tests and torn down after them, and where that failed.

A container names the results that its fixtures were for by their uuids. One without a failing fixture says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from seatrial.evidence.outcome import Outcome
from seatrial.gate.evidence import GateCase
from seatrial.gate.results import as_object, kind_of

_FINE: Final = ("passed", "skipped", None)
"""Any other status, `unknown` too, is a fixture that did not do what it was to do."""


class _Fixture(msgspec.Struct):
    name: Any = None
    status: Any = None
    statusDetails: Any = None  # noqa: N815 - Allure's own name


class _Container(msgspec.Struct):
    """What a decision needs of a container."""

    uuid: Any = None
    children: list[Any] | None = None
    befores: list[_Fixture] | None = None
    afters: list[_Fixture] | None = None


@dataclass(frozen=True, kw_only=True)
class BrokenFixture:
    """A fixture that failed."""

    message: str
    source: str


_decode = msgspec.json.Decoder(_Container).decode


class Containers:
    """The containers of one place. What they name is known by its folder and uuid, as :func:`place` writes it."""

    def __init__(self) -> None:
        self._children: dict[str, list[str]] = {}
        self._broken: list[tuple[BrokenFixture, list[str]]] = []

    def add(self, content: bytes, source: str) -> None:
        """Take one file. Raises ValueError in words."""
        container = _parsed(content)
        children = [place(source, child) for child in container.children or () if isinstance(child, str)]
        if isinstance(container.uuid, str):
            self._children[place(source, container.uuid)] = children
        for kind, fixtures in (("set-up", container.befores), ("tear-down", container.afters)):
            for fixture in fixtures or ():
                if fixture.status not in _FINE:
                    words = _words(kind, fixture)
                    self._broken.append((BrokenFixture(message=words, source=source), children))

    def broken(self) -> tuple[dict[str, BrokenFixture], list[BrokenFixture]]:
        """Results whose fixture failed, with the first that did, and fixtures that failed for no result at all."""
        results: dict[str, BrokenFixture] = {}
        nobodys: list[BrokenFixture] = []
        for fixture, children in self._broken:
            named = self._results_in(children)
            results.update((name, fixture) for name in named if name not in results)
            nobodys += [] if named else [fixture]
        return results, nobodys

    def _results_in(self, children: list[str]) -> list[str]:
        """Children, and instead of containers among them those of theirs."""
        waiting, named = list(children), dict.fromkeys(children)
        while waiting:
            inside = [child for child in self._children.get(waiting.pop(), ()) if child not in named]
            named.update(dict.fromkeys(inside))
            waiting += inside
        return [name for name in named if name not in self._children]


def errors_of_ours(cases: Mapping[str, GateCase], broken: Mapping[str, BrokenFixture]) -> Iterator[GateCase]:
    """The cases of ours whose fixture failed, as errors; a case that failed has failed.

    An attempt before the last, and a failure that was expected, stay what they are. The errors are of no run: its
    other reports need not know of them, and do not contradict them.
    """
    last: dict[tuple[str, str], int] = {}
    for case in cases.values() if broken else ():
        last[case.run, case.key] = max(last.get((case.run, case.key), 1), case.attempt)
    for name, case in cases.items() if broken else ():
        expected = case.skipped and case.message.startswith("expected to fail: ")
        if (fixture := broken.get(name)) and case.attempt == last[case.run, case.key] and not expected:
            told = replace(case, run="", skipped=False, source=fixture.source)
            yield told.at_least(Outcome.ERROR, fixture.message)


def errors_of_the_run(fixtures: Iterable[BrokenFixture]) -> Iterator[GateCase]:
    """Fixtures that failed for no result that was read."""
    for fixture in dict.fromkeys(fixtures):
        yield GateCase.of_foreign(f"{fixture.source} (run)", Outcome.ERROR, fixture.message, source=fixture.source)


def place(source: str, uuid: str) -> str:
    """By what a result or a container is known: uuids are those of one folder."""
    return f"{source.rpartition('/')[0]}/{uuid}"


def _parsed(content: bytes) -> _Container:
    try:
        return _decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError, MemoryError) as error:
        # Read again, slowly, for words with a line.
        document = as_object(content)
        for name in ("children", "befores", "afters"):
            if not isinstance(document.get(name), list | None):
                raise ValueError(f"{name}: expected a list, seen {kind_of(document[name])}") from None
        raise ValueError(f"line 1: no container of Allure: {error}") from None


def _words(kind: str, fixture: _Fixture) -> str:
    details = fixture.statusDetails if isinstance(fixture.statusDetails, dict) else {}
    said = str(details.get("message") or "").strip()
    status = fixture.status if isinstance(fixture.status, str) else "of no status"
    return f"{kind} fixture {fixture.name or 'without a name'} is {status}" + (f": {said}" if said else "")
