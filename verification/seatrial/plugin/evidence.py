"""Collects the outcomes of a run in the process that pytest was started as, and writes its evidence at both ends."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from seatrial.evidence import sarif
from seatrial.evidence.case import Case
from seatrial.evidence.outcome import Outcome, Role, Severity, Trigger
from seatrial.evidence.properties import TABLE
from seatrial.evidence.redaction import scrub_folder
from seatrial.evidence.run import Run, RunFolder, State, write_atomically
from seatrial.fixtures.record import case_of

EXPECTED_FILE = ".expected.json"
"""Where a worker leaves the planned cases for the controller, which does not collect."""


def plan_as_text(cases: Mapping[str, Case]) -> str:
    """The planned cases by node id, as JSON."""
    return json.dumps({nodeid: case.as_json() for nodeid, case in cases.items()})


def plan_from_text(text: str) -> dict[str, Case]:
    """The reverse of :func:`plan_as_text`."""
    return {
        nodeid: Case(
            check=case["check"],
            object=case["object"],
            suite=case["suite"],
            severity=Severity(case["severity"]),
            trigger=Trigger(case["trigger"]) if case["trigger"] else None,
            track=case["track"],
            role=Role(case["role"]),
        )
        for nodeid, case in json.loads(text).items()
    }


def planned_cases(selected: Sequence[pytest.Item], deselected: Sequence[pytest.Item]) -> dict[str, Case]:
    """What the run must answer for, by node id: the selected cases, and the deselected ones of suites that run in part.

    A suite that was left out whole is missed by the policy that requires it; one that was thinned out would not be.
    Raises UsageError where two items stand for the same case, since one would hide the other.
    """
    plan = {item.nodeid: case for item in selected if (case := case_of(item)) is not None}
    suites = {case.suite for case in plan.values()}
    holders: dict[str, str] = {}
    for nodeid, case in plan.items():
        if holders.setdefault(case.key, nodeid) != nodeid:
            raise pytest.UsageError(f"two items stand for the case {case.key}: {holders[case.key]} and {nodeid}")
    left_out = ((item.nodeid, case) for item in deselected if (case := case_of(item)) is not None)
    return plan | {nodeid: case for nodeid, case in left_out if case.suite in suites and case.key not in holders}


class EvidenceWriter:
    """Keeps the outcomes of one run; lives in the controller, or in the only process there is."""

    def __init__(self, *, run: Run, folder: RunFolder) -> None:
        self.run = run
        self.folder = folder
        self.plan: dict[str, Case] = {}
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.begun = False

    def begin(self, plan: Mapping[str, Case]) -> None:
        """Write what is expected, before the first check runs. Raises OSError."""
        self.plan = dict(plan)
        self.begun = True
        self._write("running")

    def add(self, report: pytest.TestReport) -> None:
        """Take the outcome out of the last report of an item."""
        concluded = getattr(report, "seatrial_case", None)
        if concluded is not None:
            self.outcomes[concluded["key"]] = concluded
        elif report.when not in ("setup", "call", "teardown") and report.nodeid in self.plan:
            # What xdist reports for the test that a worker was running when it died.
            case = self.plan[report.nodeid]
            first = str(report.longrepr).strip().split("\n", 1)[0]
            self.outcomes[case.key] = {**case.as_json(), "outcome": Outcome.ERROR.value, "message": first}

    def annotate(self, plugins: Iterable[object]) -> None:
        """Add the run's properties to the JUnit test suite.

        pytest's own ``record_testsuite_property`` is lost in xdist's workers, so the controller does it, on the object
        that the fixture would use. An item in whose middle the run was interrupted is left out: without a name and a
        result it would count as one that passed.
        """
        properties = self.run.properties(self.expected_keys())
        for plugin in plugins:
            add = getattr(plugin, "add_global_property", None)
            if callable(add):
                for name, value in properties.items():
                    add(name, value)
            items = getattr(plugin, "node_reporters_ordered", None)
            if isinstance(items, list):
                # Those that are finished have given up their attributes for what is written of them.
                items[:] = [item for item in items if getattr(item, "attrs", True)]

    def expected_keys(self) -> list[str]:
        """Case keys of the plan, in its order, each once."""
        return list(dict.fromkeys(case.key for case in self.plan.values()))

    def end(self, state: State, *, moment: dt.datetime) -> None:
        """Close the run. Raises OSError."""
        self.run = self.run.ended(moment)
        self._write(state)

    def write_sarif(self, root: Path) -> None:
        """Write the findings for code-scanning pages, where there are any. Raises OSError."""
        outcomes = [self.outcomes[key] for key in sorted(self.outcomes)]
        if any(outcome.get("findings") for outcome in outcomes):
            content = sarif.document(outcomes, root=root, suite_version=self.run.suite_version)
            write_atomically(self.folder.sarif, json.dumps(content, indent=1))

    def finish_files(self, junit_written_to: Path | None, secrets: Iterable[str]) -> None:
        """Bring a JUnit file written elsewhere into the folder and take the secrets out of every file."""
        if junit_written_to is not None and junit_written_to.is_file() and junit_written_to != self.folder.junit:
            shutil.copyfile(junit_written_to, self.folder.junit)
        (self.folder.path / EXPECTED_FILE).unlink(missing_ok=True)
        scrub_folder(self.folder.path, secrets)

    def tally(self) -> dict[str, int]:
        """How many cases ended how; ``missing`` counts the planned ones without an outcome."""
        counts = dict.fromkeys([outcome.value for outcome in Outcome], 0)
        for outcome in self.outcomes.values():
            if outcome.get("outcome"):
                counts[outcome["outcome"]] += 1
        decided = {key for key, outcome in self.outcomes.items() if outcome.get("outcome")}
        moot = {key for key, outcome in self.outcomes.items() if outcome.get("applicable") == "no"}
        counts["not applicable"] = len(moot - decided)
        decided |= moot
        counts["missing"] = len(set(self.expected_keys()) - decided)
        return counts

    def _write(self, state: State) -> None:
        cases = {case.key: case for case in self.plan.values()}
        self.folder.write_evidence(
            self.run,
            state=state,
            expected=list(cases.values()),
            outcomes=[self.outcomes[key] for key in sorted(self.outcomes)],
        )


def concluded(values: Mapping[str, str], findings: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """A finished case as it stands in ``evidence.json``: its properties under short names, and its findings."""
    known = {entry.name: entry for entry in TABLE}
    short = {name.removeprefix("seatrial."): value for name, value in values.items() if name in known}
    short["track"] = short.pop("case-track", "")
    document: dict[str, Any] = {"outcome": None, **short}
    if document["outcome"] is None:
        document["skip_reason"] = document.pop("message", "")
    if findings:
        document["findings"] = list(findings)
    return document


def publish_plan(folder: RunFolder, plan: Mapping[str, Case]) -> None:
    """Leave the plan where the controller finds it; every worker has collected the same, so the last one may win."""
    write_atomically(folder.path / EXPECTED_FILE, plan_as_text(plan))


def read_plan(folder: RunFolder) -> dict[str, Case]:
    """The plan that a worker left, empty where there is none (a worker on another machine)."""
    path = folder.path / EXPECTED_FILE
    return plan_from_text(path.read_text(encoding="utf-8")) if path.is_file() else {}
