"""Reads JSON reports: Allure result files, `seatrial-run.json` beside them, and `evidence.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from seatrial.evidence.outcome import Outcome
from seatrial.evidence.properties import SCHEMA, TABLE
from seatrial.gate.evidence import GateCase, Problem, Reading, RunFacts
from seatrial.gate.junit import expected_cases

MAX_BYTES: Final = 64 * 1024 * 1024
"""Larger JSON files are refused: they are read whole."""

_STATUS: Final = {"passed": Outcome.PASS, "failed": Outcome.FAIL, "broken": Outcome.ERROR, "skipped": None}


def _load(path: Path) -> Any:
    """The JSON of a file. Raises ValueError in words, OSError."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: not whole JSON: {error.msg}") from None


def _strings(value: Any) -> dict[str, str]:
    """The entries of a JSON object that are text, a number or a truth value, as text."""
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return {str(key): str(item) for key, item in value.items() if isinstance(item, (str, int, float)) and item != ""}


def read_allure(path: Path, source: str) -> Reading:
    """One ``*-result.json``."""
    try:
        return _allure_result(_load(path), source)
    except ValueError as error:
        return Reading.of_problem(source, str(error))


def _allure_result(document: Any, source: str) -> Reading:
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")
    written = document.get("labels") or []
    if not isinstance(written, list):
        raise ValueError(f"labels: expected a list, seen {type(written).__name__}")
    labels = {str(label.get("name", "")): str(label.get("value", "")) for label in written if isinstance(label, dict)}
    status = document.get("status")
    details = document.get("statusDetails")
    message = str(details.get("message", "")) if isinstance(details, dict) else ""
    if "seatrial.key" not in labels:
        return Reading(cases=(_foreign_result(document, labels, status, message, source),))
    own = {name: value for name, value in labels.items() if name.startswith("seatrial.")}
    case = GateCase.of_properties(own, source=source, run=own.get("seatrial.run-id", ""))
    run = {name.removeprefix("seatrial."): value for name, value in own.items() if name in _RUN_NAMES}
    facts = (RunFacts(source=source, values=run),)
    outcome = _STATUS.get(status, Outcome.ERROR) if isinstance(status, str) else Outcome.ERROR
    if outcome is not Outcome.PASS and case.outcome is Outcome.PASS:
        # A teardown that failed after Allure had its status is told by the label; the reverse is not ours.
        problem = Problem(source=source, message=f"{case.key}: status {status}, and the label says pass", grave=True)
        return Reading(runs=facts, cases=(case.at_least(Outcome.ERROR, message),), problems=(problem,))
    if labels.get("seatrial.schema") != SCHEMA:
        message = f"written by another version: expected schema {SCHEMA}, seen {labels.get('seatrial.schema', 'none')}"
        return Reading(runs=facts, cases=(case,), problems=(Problem(source=source, message=message, grave=True),))
    return Reading(runs=facts, cases=(case,))


_RUN_NAMES: Final = frozenset(entry.name for entry in TABLE if entry.scope == "run" and entry.name != "seatrial.schema")


def _foreign_result(
    document: Mapping[str, Any], labels: Mapping[str, str], status: object, message: str, source: str
) -> GateCase:
    name = str(document.get("fullName") or document.get("name") or "(unnamed)")
    outcome = _STATUS.get(status, Outcome.ERROR) if isinstance(status, str) else Outcome.ERROR
    # In a run of ours, a result without our key says nothing about the product.
    if outcome is Outcome.FAIL and "seatrial.run-id" in labels:
        outcome = Outcome.ERROR
    return GateCase(
        key=name,
        check=name,
        object="",
        suite="foreign",
        outcome=outcome,
        message=message.split("\n", 1)[0],
        skip_reason=message if outcome is None else "",
        source=source,
        foreign=True,
    )


def read_run(path: Path, source: str) -> Reading:
    """``seatrial-run.json``: who the run was and what it expected, for consumers of Allure results alone."""
    try:
        values = {name.removeprefix("seatrial."): value for name, value in _strings(_load(path)).items()}
    except ValueError as error:
        return Reading.of_problem(source, str(error), grave=True)
    expected, problems = expected_cases(values.pop("expected", None), source)
    schema = values.pop("schema", "none")
    if schema != SCHEMA:
        message = f"written by another version: expected schema {SCHEMA}, seen {schema}"
        problems = (*problems, Problem(source=source, message=message, grave=True))
    return Reading(runs=(RunFacts(source=source, values=values),), expected=expected, problems=problems)


def read_evidence(path: Path, source: str) -> Reading:
    """``evidence.json``: identity, state, expected cases and outcomes."""
    try:
        document = _load(path)
        if not isinstance(document, dict):
            raise ValueError("expected a JSON object")
        schema, state = document.get("schema"), document.get("state")
        if str(schema) != SCHEMA:
            raise ValueError(f"written by another version: expected schema {SCHEMA}, seen {schema!r}")
        if state not in ("running", "finished", "interrupted"):
            raise ValueError(f"state: expected running, finished or interrupted, seen {state!r}")
        run = _strings(document.get("run"))
        expected = tuple(_planned(entry, source) for entry in _list(document, "expected"))
        cases = tuple(_outcome(entry, source, run.get("run-id", "")) for entry in _list(document, "outcomes"))
    except (ValueError, KeyError, TypeError) as error:
        words = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        return Reading.of_problem(source, words, grave=True)
    facts = RunFacts(source=source, values=run, state=str(state))
    return Reading(runs=(facts,), expected=expected, cases=cases)


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list):
        raise ValueError(f"{name}: expected a list, seen {type(value).__name__}")
    return value


def _planned(entry: Any, source: str) -> GateCase:
    values = _strings(entry)
    return GateCase.of_properties({**values, "outcome": ""}, source=source)


def _outcome(entry: Any, source: str, run: str) -> GateCase:
    return GateCase.of_properties(_strings(entry), source=source, run=run)
