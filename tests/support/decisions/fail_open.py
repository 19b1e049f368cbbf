"""Where other gates let a release through without having looked, and this one holds."""

from dataclasses import replace

from support.decisions.golden import ALONE, GOOD, IDENTITY_OPTIONAL, Golden, foreign, only_files
from support.reports import junit_case, junit_suite

BASELINE = GOOD.but("latency/regression", "inconclusive", message="stable was sent 0 requests: there is no baseline")

ROWS = [
    # Argo Rollouts.
    Golden(
        "Argo Rollouts: a measurement without conditions is Successful",
        replace(GOOD, cases=(), expected=()),
        "hold",
        (("no-report", "not a single test case"),),
        policy={"required": {}},
    ),
    Golden(
        "Argo Rollouts: conditions that decide neither way let the rollout go on",
        GOOD.but("latency/regression", "inconclusive"),
        "hold",
        (("inconclusive-checks", "could not decide, 0 tolerated"),),
    ),
    # Kayenta.
    Golden(
        "Kayenta: metrics without data pass",
        GOOD.but("latency/regression", None, message="no data"),
        "hold",
        (("missing-checks", "no data"),),
    ),
    Golden(
        "Kayenta: a metric of nothing but NaN passes",
        GOOD.but("latency/regression", "inconclusive", message="900 of 900 samples are NaN"),
        "hold",
        (("inconclusive-checks", "NaN"),),
    ),
    Golden(
        "Kayenta: NaN in a whole report",
        only_files(evidence__json='{"schema": 1, "state": "finished", "run": NaN, "expected": [], "outcomes": []}'),
        "hold",
        (("untrusted-report", "expected an object, seen a number"),),
        policy=IDENTITY_OPTIONAL,
    ),
    # Keptn.
    Golden(
        "Keptn: without a baseline the evaluation passes", BASELINE, "hold", (("inconclusive-checks", "no baseline"),)
    ),
    Golden(
        "Keptn: the baseline was never planned",
        replace(GOOD, cases=tuple(t for t in GOOD.cases if t.case.check != "latency/regression")),
        "hold",
        (("too-few-checks", "suite latency"),),
        policy={"required": {"latency": {"minimum": 1}}},
    ),
    # pytest, and who reads its exit code.
    Golden(
        "pytest: everything was skipped",
        replace(GOOD, cases=tuple(replace(t, outcome=None) for t in GOOD.cases)),
        "hold",
        (
            ("missing-checks", "15 skipped"),
            ("too-few-checks", "suite rollout"),
            ("too-few-checks", "suite smoke"),
            ("nothing-passed", "not one check"),
        ),
    ),
    Golden(
        "pytest: everything was skipped, tests of others",
        foreign(junit_case("a", inside="<skipped/>"), junit_case("b", inside="<skipped/>")),
        "hold",
        (("nothing-passed", "not one check"), ("foreign-skipped", "2 foreign tests skipped")),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "pytest: everything was deselected",
        replace(GOOD, cases=(), expected=GOOD.cases),
        "hold",
        (
            ("no-report", "not a single test case"),
            ("missing-checks", "15 planned checks"),
            ("too-few-checks", "suite rollout"),
            ("too-few-checks", "suite smoke"),
        ),
    ),
    Golden(
        "pytest: everything was deselected, tests of others",
        only_files(junit__xml=junit_suite("", "2026-05-04T11:55:00+00:00")),
        "hold",
        (("unreadable-report", "holds no test case"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "pytest: nothing was collected, since the folder is not there",
        lambda folder: None,
        "hold",
        (("unreadable-report", "no such file or folder"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "pytest-xdist: the worker died, and the others passed",
        ALONE["junit"].without("smoke/ready"),
        "hold",
        (("missing-checks", "smoke/ready"), ("too-few-checks", "suite smoke")),
    ),
]
