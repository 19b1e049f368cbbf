"""Reads JSON reports: Allure result files, `seatrial-run.json` beside them, and `evidence.json`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from seatrial.evidence.outcome import Outcome
from seatrial.gate.evidence import GateCase, Problem, Reading, RunFacts, own_values, schema_problem
from seatrial.gate.junit import expected_cases

_STATUS: Final = {"passed": Outcome.PASS, "failed": Outcome.FAIL, "broken": Outcome.ERROR, "skipped": None}
_STATES: Final = ("running", "finished", "interrupted")


def _object(content: bytes) -> dict[str, Any]:
    """The JSON object in ``content``. Raises ValueError in words."""
    if not content.strip():
        raise ValueError("line 1: not whole JSON: the file is empty")
    try:
        document = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("line 1: not UTF-8 text") from None
    except RecursionError:
        raise ValueError("line 1: nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: not whole JSON: {error.msg}") from None
    except ValueError:
        raise ValueError("line 1: not readable: a number with thousands of digits") from None
    if not isinstance(document, dict):
        raise ValueError(f"line 1: expected a JSON object, seen {_kind(document)}")
    return document


def _kind(value: object) -> str:
    words = {dict: "an object", list: "a list", str: "text", bool: "a truth value", type(None): "null"}
    return words.get(type(value), "a number")


def _strings(value: Any) -> dict[str, str]:
    """The entries of a JSON object that are text or whole numbers, as text. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, seen {_kind(value)}")
    return {str(key): str(item) for key, item in value.items() if isinstance(item, (str, int))}


def read_allure(content: bytes, source: str) -> Reading:
    """One ``*-result.json``."""
    try:
        return _allure_result(_object(content), source)
    except ValueError as error:
        return Reading.of_problem(source, str(error))


def _allure_result(document: Mapping[str, Any], source: str) -> Reading:
    written = document.get("labels") or []
    if not isinstance(written, list):
        raise ValueError(f"labels: expected a list, seen {_kind(written)}")
    labels = {str(label.get("name", "")): str(label.get("value", "")) for label in written if isinstance(label, dict)}
    status = document.get("status")
    outcome = _STATUS.get(status, Outcome.ERROR) if isinstance(status, str) else Outcome.ERROR
    details = document.get("statusDetails")
    message = str(details.get("message") or "") if isinstance(details, dict) else ""
    name = str(document.get("fullName") or document.get("name") or "")[:1_000]
    run_values, case_values = own_values(labels)
    run = run_values.get("run-id", "")
    if not run_values and not case_values:
        facts = RunFacts(source=source, values=_stopped(document), foreign=True)
        return Reading(runs=(facts,), cases=(GateCase.of_foreign(name, outcome, message, source=source),))
    problems = schema_problem(run_values.pop("schema", None), source)
    # A label written while the run went on cannot know its end.
    run_values.pop("finished", None)
    runs = (RunFacts(source=source, values=run_values),)
    if "key" not in case_values:
        # In a run of ours, a result without our key says nothing about the product.
        unknown = Outcome.ERROR if outcome is Outcome.FAIL else outcome
        case = GateCase.of_foreign(name, unknown, message, source=source, run=run)
        return Reading(runs=runs, cases=(case,), problems=problems)
    try:
        told = GateCase.of_properties(case_values, source=source, run=run)
    except ValueError as error:
        return Reading(runs=runs, problems=(*problems, Problem(source=source, message=str(error), grave=True)))
    if told.outcome is None:
        return Reading(runs=runs, cases=(_without_outcome(told, outcome, message),), problems=problems)
    if told.outcome is Outcome.PASS and outcome is not Outcome.PASS:
        # The reverse is not: a teardown that failed after Allure had its status is told by the label.
        words = f"contradictory: the label says pass, the status is {status}"
        told = told.at_least(Outcome.ERROR, words)
        problems = (*problems, Problem(source=source, message=f"{told.key}: {words}", grave=True))
    return Reading(runs=runs, cases=(told,), problems=problems)


def _without_outcome(told: GateCase, status: Outcome | None, message: str) -> GateCase:
    if status in (Outcome.FAIL, Outcome.ERROR):
        return told.at_least(Outcome.ERROR, message)
    return replace(told, skipped=True, message=told.message or message or "it neither ran nor was skipped")


def _stopped(document: Mapping[str, Any]) -> dict[str, str]:
    stop = document.get("stop")
    if not isinstance(stop, int) or isinstance(stop, bool):
        return {}
    try:
        moment = dt.datetime.fromtimestamp(stop / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return {}
    return {"finished": moment.isoformat()}


def read_run(content: bytes, source: str) -> Reading:
    """``seatrial-run.json``: who the run was and what it expected, for consumers of Allure results alone."""
    try:
        values, _ = own_values(_strings(_object(content)))
    except ValueError as error:
        return Reading.of_problem(source, str(error), grave=True)
    expected, problems = expected_cases(values.pop("expected", None), source)
    problems = (*schema_problem(values.pop("schema", None), source), *problems)
    return Reading(runs=(RunFacts(source=source, values=values, expected=expected),), problems=problems)


def read_evidence(content: bytes, source: str) -> Reading:
    """``evidence.json``: identity, state, expected cases and outcomes."""
    try:
        document = _object(content)
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
        raise ValueError(f"{name}: expected a list, seen {_kind(value)}")
    return value


def _concluded(entry: Any, source: str, run: str) -> GateCase:
    case = GateCase.of_properties(_strings(entry), source=source, run=run)
    return case if case.outcome is not None else replace(case, skipped=True)
