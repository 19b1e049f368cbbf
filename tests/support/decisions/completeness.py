"""Evidence that is not complete: checks without an outcome, runs without an end, suites without enough."""

from dataclasses import replace

from support.decisions.golden import (
    ALONE,
    GOOD,
    IDENTITY_OPTIONAL,
    Golden,
    beside,
    both,
    crashed_worker,
    damaged,
    without_file,
)
from support.reports import junit_case, told

ROWS = [
    # What is required and expected.
    Golden(
        "required suite absent",
        GOOD,
        "hold",
        (("too-few-checks", "suite recovery"),),
        policy={"required": {"recovery": {}}},
    ),
    Golden(
        "required suite thin",
        GOOD,
        "hold",
        (("too-few-checks", "suite smoke"),),
        policy={"required": {"smoke": {"minimum": 5}}},
    ),
    Golden(
        "controls fill no suite",
        GOOD,
        "hold",
        (("too-few-checks", "suite smoke"),),
        policy={"required": {"smoke": {"minimum": 8}}},
    ),
    Golden(
        "expected check without outcome",
        GOOD.without("synthetic/greeting"),
        "hold",
        (("missing-checks", "synthetic/greeting"),),
    ),
    Golden(
        "expected check missing, JUnit alone",
        ALONE["junit"].without("synthetic/greeting"),
        "hold",
        (("missing-checks", "1 planned check has no outcome"),),
    ),
    Golden(
        "expected check missing, Allure alone",
        ALONE["allure"].without("synthetic/greeting"),
        "hold",
        (("missing-checks", "1 planned check has no outcome"),),
    ),
    Golden(
        "expected check skipped",
        GOOD.but("synthetic/greeting", None, message="no account"),
        "hold",
        (("missing-checks", "no account"),),
    ),
    Golden(
        "skipped and in no plan",
        replace(GOOD, expected=GOOD.cases).plus(told("smoke/dns", None)),
        "hold",
        (("missing-checks", "smoke/dns"),),
    ),
    Golden(
        "only required suites: another skipped",
        GOOD.but("synthetic/greeting", None),
        "promote",
        policy={"evidence": {"expected": "required-suites"}},
    ),
    Golden(
        "only required suites: one of them skipped",
        GOOD.but("rollout/complete", None, track=""),
        "hold",
        (("missing-checks", "rollout/complete"),),
        policy={"evidence": {"expected": "required-suites"}},
    ),
    Golden(
        "only required suites: the suite is not the first word of the check",
        GOOD.without("helm/release-deployed"),
        "hold",
        (("missing-checks", "helm/release-deployed"),),
        policy={"evidence": {"expected": "required-suites"}},
    ),
    Golden(
        "only required suites, JUnit alone: nothing tells the suite of what is missing",
        ALONE["junit"].without("helm/release-deployed"),
        "hold",
        (("missing-checks", "helm/release-deployed"),),
        policy={"evidence": {"expected": "required-suites"}},
    ),
    Golden(
        "JUnit does not say what was expected",
        damaged("junit.xml", lambda text: text.replace('"seatrial.expected"', '"other"')),
        "hold",
        (("unreadable-report", "which checks were expected"),),
    ),
    Golden(
        "the list of expected checks is unreadable",
        damaged(
            "junit.xml",
            lambda text: text.replace("[&quot;", "{").replace(
                'name="seatrial.expected" value=\'[', 'name="seatrial.expected" value=\'{'
            ),
        ),
        "hold",
        (("untrusted-report", "list of expected checks"),),
    ),
    # Runs that did not end well.
    Golden(
        "killed run",
        replace(GOOD, state="running", cases=(), expected=GOOD.cases).of_run(finished="").only("evidence"),
        "hold",
        (
            ("no-report", "not a single test case"),
            ("unfinished-run", "did not finish"),
            ("missing-checks", "15 planned checks"),
            ("too-few-checks", "suite rollout"),
            ("too-few-checks", "suite smoke"),
        ),
    ),
    Golden(
        "still running, all passed so far",
        replace(GOOD, state="running"),
        "hold",
        (("unfinished-run", "did not finish"),),
    ),
    Golden("interrupted", replace(GOOD, state="interrupted"), "hold", (("unfinished-run", "was interrupted"),)),
    Golden(
        "interrupted after a critical failure",
        replace(GOOD, state="interrupted").but("smoke/ready", "fail"),
        "rollback",
        (
            ("failed-checks", "smoke/ready"),
            ("unfinished-run", "was interrupted"),
        ),
    ),
    Golden(
        "an ordinary test beside the checks",
        damaged("junit.xml", lambda t: t.replace("</testsuite>", junit_case("unit") + "</testsuite>")),
        "promote",
    ),
    Golden(
        "an ordinary test fails",
        damaged(
            "junit.xml", lambda t: t.replace("</testsuite>", junit_case("unit", inside="<failure/>") + "</testsuite>")
        ),
        "hold",
        (("check-errors", "t::unit"),),
    ),
    Golden(
        "crashed worker",
        crashed_worker,
        "hold",
        (
            ("check-errors", "crashed"),
            ("missing-checks", "2 planned checks"),
            ("too-few-checks", "suite smoke"),
        ),
    ),
    # What does not count towards a minimum.
    Golden(
        "a noted failure does not complete a suite",
        GOOD.but("smoke/ready", "fail"),
        "hold",
        (
            ("too-few-checks", "suite smoke"),
            ("failed-checks", "smoke/ready"),
        ),
        policy={"effects": {"critical": "note"}},
    ),
    Golden(
        "a check in dry run does not complete a suite",
        GOOD,
        "hold",
        (("too-few-checks", "suite smoke"),),
        policy={"dry_run": ["smoke/ready"]},
    ),
    Golden(
        "everything in dry run",
        GOOD.only("evidence"),
        "hold",
        (("nothing-passed", "not one check"),),
        policy={"required": {}, "dry_run": sorted({t.case.check for t in GOOD.cases})},
    ),
    Golden(
        "controls alone",
        replace(GOOD, cases=tuple(t for t in GOOD.cases if t.case.role == "control")),
        "hold",
        (("nothing-passed", "not one check"),),
        policy={"required": {}},
    ),
    Golden(
        "a foreign test completes no suite of ours",
        beside(ALONE["junit"].without("smoke/ready"), "smoke/ready"),
        "hold",
        (
            ("missing-checks", "smoke/ready"),
            ("too-few-checks", "suite smoke"),
        ),
        policy=IDENTITY_OPTIONAL | {"required": {"smoke": {"minimum": 4}}},
    ),
    Golden(
        "a foreign test named like a planned check",
        beside(ALONE["junit"].without("synthetic/greeting"), "synthetic/greeting[greeting]@candidate"),
        "hold",
        (("missing-checks", "synthetic/greeting"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "an ordinary test of ours completes no suite",
        damaged("junit.xml", lambda t: t.replace("</testsuite>", junit_case("unit") + "</testsuite>")),
        "hold",
        (("too-few-checks", "suite foreign"),),
        policy={"required": {"foreign": {}}},
    ),
    # One kind of report, of a run that was killed or whose plan is gone.
    Golden(
        "JUnit alone, without an end",
        ALONE["junit"].of_run(finished=""),
        "hold",
        (("unfinished-run", "did not finish"),),
    ),
    Golden(
        "Allure alone, killed", ALONE["allure"].of_run(finished=""), "hold", (("unfinished-run", "did not finish"),)
    ),
    Golden(
        "Allure alone, without its run",
        without_file(ALONE["allure"], "allure-results/seatrial-run.json"),
        "hold",
        (
            ("unfinished-run", "did not finish"),
            ("no-plan", "no report of run 20260504T115000Z-demo-abc123 says which"),
        ),
    ),
    Golden(
        "Allure alone, without its run, failed",
        without_file(ALONE["allure"].but("smoke/ready", "fail"), "allure-results/seatrial-run.json"),
        "rollback",
        (
            ("failed-checks", "smoke/ready"),
            ("unfinished-run", "did not finish"),
            ("no-plan", "no report of run 20260504T115000Z-demo-abc123 says which"),
        ),
    ),
    Golden("evidence gone, JUnit and Allure whole", without_file(GOOD, "evidence.json"), "promote"),
    Golden(
        "half of two runs",
        both(GOOD, replace(GOOD, state="running", cases=()).of_run(id="b")),
        "hold",
        (("unfinished-run", "did not finish"),),
    ),
]
