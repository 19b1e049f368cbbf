"""Checks that the policy sets aside."""

from support.decisions.golden import GOOD, Golden, quarantined

ROWS = [
    # Dry run.
    Golden(
        "failure in dry run",
        GOOD.but("smoke/ready", "fail"),
        "promote",
        (("dry-run", "in dry run"),),
        policy={"dry_run": ["smoke/ready"], "required": {}},
    ),
    Golden(
        "error in dry run",
        GOOD.but("smoke/ready", "error"),
        "promote",
        (("dry-run", "in dry run"),),
        policy={"dry_run": ["smoke/ready"], "required": {}},
    ),
    Golden(
        "skipped in dry run",
        GOOD.but("smoke/ready", None),
        "promote",
        (("dry-run", "smoke/ready"),),
        policy={"dry_run": ["smoke/ready"], "required": {}},
    ),
    # Quarantine; its own tests have the rest.
    Golden(
        "failure in quarantine",
        GOOD.but("synthetic/greeting", "fail"),
        "promote",
        (("quarantined", "synthetic/greeting"),),
        policy=quarantined("2026-05-04"),
    ),
    Golden(
        "quarantine that is over",
        GOOD.but("synthetic/greeting", "fail"),
        "rollback",
        (("failed-checks", "synthetic/greeting"), ("expired-quarantine", "of chat team, until 2026-05-03")),
        policy=quarantined("2026-05-03"),
    ),
    Golden(
        "quarantine that is not needed",
        GOOD,
        "promote",
        (("unused-quarantine", "what it covers passed"),),
        policy=quarantined("2026-05-04"),
    ),
]
