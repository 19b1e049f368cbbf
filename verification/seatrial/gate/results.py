"""Reads JSON reports of ours: `evidence.json`, and `seatrial-run.json` beside Allure results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from seatrial.gate.evidence import GateCase, Reading, RunFacts, own_values, schema_problem
from seatrial.gate.junit_cases import expected_cases

_STATES: Final = ("running", "finished", "interrupted")


def as_object(content: bytes) -> dict[str, Any]:
    """The JSON object in ``content``. Raises ValueError in words."""
    if not content.strip():
        raise ValueError("line 1: not whole JSON: the file is empty")
    try:
        document = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("line 1: not UTF-8 text") from None
    except RecursionError:
        raise ValueError("line 1: nested too deep") from None
    except MemoryError:
        # Brackets alone take thirty times their size; what was read so far is free again.
        raise ValueError("line 1: takes more memory than there is") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: not whole JSON: {error.msg}") from None
    except ValueError:
        raise ValueError("line 1: not readable: a number with thousands of digits") from None
    if not isinstance(document, dict):
        raise ValueError(f"line 1: expected a JSON object, seen {kind_of(document)}")
    return document


def kind_of(value: object) -> str:
    """What a value is, in JSON's words."""
    words = {dict: "an object", list: "a list", str: "text", bool: "a truth value", type(None): "null"}
    return words.get(type(value), "a number")


def _strings(value: Any) -> dict[str, str]:
    """The entries of a JSON object that are text or whole numbers, as text. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, seen {kind_of(value)}")
    return {str(key): str(item) for key, item in value.items() if isinstance(item, (str, int))}


def read_run(content: bytes, source: str) -> Reading:
    """``seatrial-run.json``: who the run was and what it expected, for consumers of Allure results alone."""
    try:
        values, _ = own_values(_strings(as_object(content)))
    except ValueError as error:
        return Reading.of_problem(source, str(error), grave=True)
    expected, problems = expected_cases(values.pop("expected", None), source)
    problems = (*schema_problem(values.pop("schema", None), source), *problems)
    return Reading(runs=(RunFacts(source=source, values=values, expected=expected),), problems=problems)


def read_evidence(content: bytes, source: str) -> Reading:
    """``evidence.json``: identity, state, expected cases and outcomes."""
    try:
        document = as_object(content)
    except ValueError as error:
        return Reading.of_problem(source, str(error))
    try:
        schema, state = document.get("schema"), document.get("state")
        if problems := schema_problem(None if schema is None else str(schema), source):
            return Reading(problems=problems)
        if state not in _STATES:
            raise ValueError(f"state: expected {', '.join(_STATES)}, seen {str(state)[:60]!r}")
        run = _strings(document.get("run"))
        run_id = run.get("run-id", "")
        expected = tuple(
            GateCase.of_properties({**_strings(entry), "outcome": ""}, source=source)
            for entry in _list(document, "expected")
        )
        cases = tuple(_concluded(entry, source, run_id) for entry in _list(document, "outcomes"))
    except ValueError as error:
        return Reading.of_problem(source, str(error), grave=True)
    facts = RunFacts(source=source, values=run, state=str(state), expected=expected)
    return Reading(runs=(facts,), cases=cases)


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list):
        raise ValueError(f"{name}: expected a list, seen {kind_of(value)}")
    return value


def _concluded(entry: Any, source: str, run: str) -> GateCase:
    case = GateCase.of_properties(_strings(entry), source=source, run=run)
    return case if case.outcome is not None else replace(case, skipped=True)
