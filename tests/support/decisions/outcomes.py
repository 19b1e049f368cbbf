"""Outcomes, and what follows from them by severity."""

from dataclasses import replace

from support.decisions.golden import ALONE, GOOD, Golden, both
from support.reports import told

ROWS = [
    # Everything good, in each report alone and together.
    Golden("all good", GOOD, "promote"),
    Golden("all good, nothing asked", GOOD, "promote", asked={"environment": "", "release": ""}),
    Golden("JUnit alone", ALONE["junit"], "promote"),
    Golden("Allure alone", ALONE["allure"], "promote"),
    Golden("evidence.json alone", ALONE["evidence"], "promote"),
    Golden("two whole runs", both(GOOD, GOOD.of_run(id="20260504T115100Z-demo-def456")), "promote"),
    # Outcomes by severity.
    Golden("critical failure", GOOD.but("smoke/ready", "fail"), "rollback", (("failed-checks", "1 check failed"),)),
    Golden(
        "critical failure, JUnit alone",
        ALONE["junit"].but("smoke/ready", "fail"),
        "rollback",
        (("failed-checks", "smoke/ready"),),
    ),
    Golden(
        "critical failure, Allure alone",
        ALONE["allure"].but("smoke/ready", "fail"),
        "rollback",
        (("failed-checks", "smoke/ready"),),
    ),
    Golden(
        "critical failure, evidence alone",
        ALONE["evidence"].but("smoke/ready", "fail"),
        "rollback",
        (("failed-checks", "smoke/ready"),),
    ),
    Golden("major failure", GOOD.but("latency/regression", "fail"), "hold", (("failed-checks", "latency/regression"),)),
    Golden(
        "minor failure",
        GOOD.but("helm/release-deployed", "fail", track=""),
        "promote",
        (("failed-checks", "helm/release"),),
    ),
    Golden(
        "critical failure of config",
        GOOD.but("podsec/privileged", "fail", track=""),
        "hold",
        (("failed-checks", "podsec"),),
    ),
    Golden(
        "major failure of config",
        GOOD.but("probe/liveness-missing", "fail", track=""),
        "hold",
        (("failed-checks", "probe"),),
    ),
    Golden(
        "critical failure of rollout",
        GOOD.but("rollout/complete", "fail", track=""),
        "rollback",
        (("failed-checks", "rollout"),),
    ),
    Golden(
        "critical failure of synthetic",
        GOOD.but("synthetic/greeting", "fail"),
        "rollback",
        (("failed-checks", "greeting"),),
    ),
    Golden(
        "effects: major rolls back",
        GOOD.but("latency/regression", "fail"),
        "rollback",
        (("failed-checks", "latency"),),
        policy={"effects": {"major": "rollback"}},
    ),
    Golden(
        "effects: critical is noted",
        GOOD.but("smoke/ready", "fail"),
        "promote",
        (("failed-checks", "smoke/ready"),),
        policy={"effects": {"critical": "note"}, "required": {}},
    ),
    Golden(
        "failures of all severities",
        GOOD.but("smoke/ready", "fail")
        .but("latency/regression", "fail")
        .but("helm/release-deployed", "fail", track=""),
        "rollback",
        (
            ("failed-checks", "smoke/ready"),
            ("failed-checks", "latency"),
            ("failed-checks", "helm"),
        ),
    ),
    Golden(
        "unknown severity",
        GOOD.plus(told("smoke/odd", "fail", severity="major")).plus(
            replace(told("smoke/other", "fail"), more={"seatrial.severity": "__class__"})
        ),
        "hold",
        (
            ("untrusted-report", "expected critical, major, minor; seen '__class__'"),
            ("untrusted-report", "expected critical, major, minor; seen '__class__'"),
            ("untrusted-report", "expected critical, major, minor; seen '__class__'"),
            ("failed-checks", "smoke/odd"),
            ("check-errors", "t::smoke/other"),
            ("missing-checks", "smoke/other"),
        ),
    ),
    # Outcomes that decide nothing, and their budgets.
    Golden("error", GOOD.but("smoke/ready", "error"), "hold", (("check-errors", "could not look"),)),
    Golden(
        "error of a minor check",
        GOOD.but("helm/release-deployed", "error", track=""),
        "hold",
        (("check-errors", "1 check"),),
    ),
    Golden(
        "inconclusive",
        GOOD.but("latency/regression", "inconclusive"),
        "hold",
        (("inconclusive-checks", "could not decide"),),
    ),
    Golden(
        "inconclusive within budget",
        GOOD.but("smoke/ready", "inconclusive"),
        "promote",
        (("inconclusive-checks", "1 tolerated"),),
        policy={"budgets": {"inconclusive": 1}},
    ),
    Golden(
        "failure beside an error",
        GOOD.but("smoke/ready", "fail").but("smoke/live", "error"),
        "rollback",
        (
            ("failed-checks", "smoke/ready"),
            ("check-errors", "smoke/live"),
        ),
    ),
]
