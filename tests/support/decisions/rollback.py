"""What a rollback takes."""

from seatrial.evidence.outcome import Trigger
from support.decisions.golden import CALIBRATED, GOOD, SLOW, Golden
from support.reports import told

ROWS = [
    # Stable beside the candidate.
    Golden(
        "shared failure",
        GOOD.but("smoke/ready", "fail").but("smoke/ready", "fail", track="stable"),
        "hold",
        (("shared-failures", "smoke/ready"),),
    ),
    Golden(
        "failure, and stable could not be looked at",
        GOOD.but("smoke/ready", "fail").but("smoke/ready", "error", track="stable"),
        "hold",
        (("shared-failures", "smoke/ready"),),
    ),
    Golden(
        "failure of the control alone",
        GOOD.but("smoke/ready", "fail", track="stable"),
        "promote",
        (("control-only", "stable track alone"),),
    ),
    Golden(
        "error of the control alone",
        GOOD.but("smoke/ready", "error", track="stable"),
        "promote",
        (("control-only", "smoke/ready"),),
    ),
    Golden(
        "control inconclusive",
        GOOD.but("smoke/ready", "inconclusive", track="stable"),
        "promote",
        (("control-only", "smoke/ready"),),
    ),
    Golden("control skipped", GOOD.but("smoke/ready", None, track="stable"), "hold", (("missing-checks", "@stable"),)),
    Golden(
        "one failure shared, one not",
        GOOD.but("smoke/ready", "fail").but("smoke/ready", "fail", track="stable").but("smoke/live", "fail"),
        "rollback",
        (
            ("failed-checks", "smoke/live"),
            ("shared-failures", "smoke/ready"),
        ),
    ),
    # What a rollback needs.
    Golden(
        "rollback, no way back",
        GOOD.but("smoke/ready", "fail").but("rollback/history", "fail", track=""),
        "hold",
        (
            ("no-way-back", "rollback/history"),
            ("failed-checks", "smoke/ready"),
            ("failed-checks", "rollback/history"),
        ),
    ),
    Golden(
        "rollback, way back unknown",
        GOOD.but("smoke/ready", "fail").without("rollback/history"),
        "hold",
        (
            ("no-way-back", "rollback/history was not executed"),
            ("failed-checks", "smoke/ready"),
            ("missing-checks", "1 planned check"),
        ),
    ),
    Golden(
        "rollback, way back unlooked at",
        GOOD.but("smoke/ready", "fail").but("rollback/history", "error", track=""),
        "hold",
        (
            ("no-way-back", "did not pass"),
            ("failed-checks", "smoke/ready"),
            ("check-errors", "could not look"),
        ),
    ),
    # What the rollbacks of one trigger rest on.
    Golden(
        "slow, calibrated",
        SLOW.plus(told("latency/calibrated")),
        "rollback",
        (("failed-checks", "the policy says rollback | latency/regression"),),
        policy=CALIBRATED,
    ),
    Golden(
        "slow, not calibrated",
        SLOW.plus(told("latency/calibrated", "inconclusive", message="there is no record")),
        "hold",
        (
            ("uncalibrated", "trigger latency do not roll back: latency/calibrated did not pass"),
            ("failed-checks", "the policy says rollback, which is withheld"),
            ("inconclusive-checks", "there is no record"),
        ),
        policy=CALIBRATED,
    ),
    Golden(
        "slow, calibration not looked at",
        SLOW,
        "hold",
        (("uncalibrated", "latency/calibrated was not executed"), ("failed-checks", "withheld")),
        policy=CALIBRATED,
    ),
    Golden(
        "slow, another service calibrated",
        SLOW.plus(told("latency/calibrated", obj="shop")),
        "hold",
        (("uncalibrated", "latency/calibrated was not executed"), ("failed-checks", "withheld")),
        policy=CALIBRATED,
    ),
    Golden(
        "slow, not calibrated, and not ready",
        SLOW.but("smoke/ready", "fail"),
        "rollback",
        (
            ("failed-checks", "smoke/ready"),
            ("uncalibrated", "latency/calibrated was not executed"),
            ("failed-checks", "latency/regression"),
        ),
        policy=CALIBRATED,
    ),
    Golden(
        "slow as stable is, not calibrated",
        SLOW.plus(told("latency/regression", "fail", severity="critical", track="stable", role="control")),
        "hold",
        (("shared-failures", "latency/regression"),),
        policy=CALIBRATED,
    ),
    Golden(
        "slow, noted, not calibrated",
        SLOW,
        "promote",
        (("failed-checks", "the policy says note"),),
        policy={**CALIBRATED, "suite_effects": {"latency": {"critical": "note"}}},
    ),
    Golden(
        "not ready, what its trigger rests on is of another suite",
        GOOD.but("smoke/ready", "fail", trigger=Trigger.HEALTH).but("rollout/complete", "fail", track=""),
        "hold",
        (
            ("uncalibrated", "failures of the trigger health do not roll back: rollout/complete did not pass"),
            ("failed-checks", "smoke/ready"),
            ("failed-checks", "rollout/complete"),
        ),
        policy={
            "trigger_rules": {"health": {"requires": ["rollout/complete"]}},
            "suite_effects": {"rollout": {"critical": "hold"}},
        },
    ),
    Golden(
        "rollback asks for nothing",
        GOOD.but("smoke/ready", "fail").without("rollback/history"),
        "rollback",
        (
            ("failed-checks", "smoke/ready"),
            ("missing-checks", "1 planned"),
        ),
        policy={"rollback": {}},
    ),
]
