"""A check that is run again: its pass is flaky in every report, and the gate holds."""

from pathlib import Path

import pytest

from seatrial.gate import collection
from seatrial.gate.merging import merge
from support.project import Project

CHECKS = """
import pathlib
import pytest

@pytest.mark.smoke
def test_flaky():
    seen = pathlib.Path("seen")
    first = not seen.exists()
    seen.touch()
    assert not first, "503"

@pytest.mark.smoke
def test_fails():
    assert False, "always"

@pytest.mark.smoke
def test_passes():
    pass
"""

AGAIN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    '''What pytest-rerunfailures does, without what it needs for workers that crash.'''
    for attempt in (1, 2):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        again = attempt == 1 and any(report.failed for report in reports)
        for report in reports:
            if again and report.failed:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if not again:
            return True
        item._initrequest()
    return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
"""


@pytest.mark.parametrize("kept", [("junit.xml",), ("evidence.json",), ("allure-results",), ()])
def test_a_pass_at_the_second_attempt_is_flaky(project: Project, kept: tuple[str, ...]) -> None:
    project.environment()
    project.pytester.makepyfile(CHECKS)
    project.pytester.makeconftest(AGAIN)
    project.run("--env=mine", "--release=2.0.1")
    folder = project.latest.resolve()
    reports = [folder / name for name in kept] or [folder]
    evidence = merge(collection.read([Path(report) for report in reports]))
    told = {case.check: (case.outcome, case.flaky) for case in evidence.cases.values()}
    assert told == {"smoke/flaky": ("pass", True), "smoke/fails": ("fail", False), "smoke/passes": ("pass", False)}
    assert not [problem for problem in evidence.problems if problem.grave]
    (flaky,) = [case for case in evidence.cases.values() if case.flaky]
    assert flaky.message == "passed at attempt 2; before, fail: 503"
