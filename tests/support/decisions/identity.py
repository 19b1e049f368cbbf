"""Evidence about something else: another time, environment or release."""

from support.decisions.golden import GOOD, Golden, both, minutes

ROWS = [
    # Time.
    Golden("stale", GOOD.of_run(started=minutes(-200), finished=minutes(-61)), "hold", (("stale-evidence", "stale"),)),
    Golden("just not stale", GOOD.of_run(started=minutes(-200), finished=minutes(-60)), "promote"),
    Golden(
        "stale and failed",
        GOOD.of_run(started=minutes(-99), finished=minutes(-99)).but("smoke/ready", "fail"),
        "hold",
        (
            ("stale-evidence", "stale"),
            ("failed-checks", "smoke/ready"),
        ),
    ),
    Golden(
        "one of two runs is stale",
        both(GOOD, GOOD.of_run(id="older", started=minutes(-99), finished=minutes(-98))),
        "hold",
        (("stale-evidence", "older ended 98 min ago, at 2026-05-04T10:22:00Z; allowed is"),),
    ),
    Golden("from the future", GOOD.of_run(finished=minutes(6)), "hold", (("stale-evidence", "in the future"),)),
    Golden("a clock a little ahead", GOOD.of_run(finished=minutes(4)), "promote"),
    Golden(
        "does not say when", GOOD.of_run(started="", finished="yesterday"), "hold", (("no-time", "does not say when"),)
    ),
    Golden(
        "time without a zone",
        GOOD.of_run(started="2026-05-04T11:50:00", finished="2026-05-04T11:55:00"),
        "hold",
        (("no-time", "does not say when"),),
    ),
    # Identity.
    Golden(
        "other environment",
        GOOD.of_run(environment="qa"),
        "hold",
        (("other-environment", "asked about demo, the evidence is about qa"),),
    ),
    Golden(
        "other environment and failed",
        GOOD.of_run(environment="qa").but("smoke/ready", "fail"),
        "hold",
        (
            ("other-environment", "about qa"),
            ("failed-checks", "smoke/ready"),
        ),
    ),
    Golden(
        "policy for another environment",
        GOOD,
        "hold",
        (
            ("other-environment", "the policy is for demo"),
            ("other-environment", "about demo"),
        ),
        asked={"environment": "qa"},
    ),
    Golden(
        "several environments",
        both(GOOD, GOOD.of_run(id="b", environment="qa")),
        "hold",
        (("other-environment", "asked about demo, the evidence is about demo, qa"),),
    ),
    Golden(
        "other release seen", GOOD.of_run(release_seen=("1.4.2",)), "hold", (("other-release", "seen running 1.4.2"),)
    ),
    Golden(
        "two releases seen",
        GOOD.of_run(release_seen=("1.5.0", "1.4.2")),
        "hold",
        (("other-release", "seen running 1.4.2"),),
    ),
    Golden(
        "other release seen, and failed",
        GOOD.of_run(release_seen=("1.4.2",)).but("smoke/version", "fail"),
        "hold",
        (
            ("other-release", "another release"),
            ("failed-checks", "smoke/version"),
        ),
    ),
    Golden(
        "other release wanted",
        GOOD,
        "hold",
        (
            ("other-release", "was to verify 1.5.0"),
            ("other-release", "seen running 1.5.0"),
        ),
        asked={"release": "1.6.0"},
    ),
    Golden(
        "two runs of two releases",
        both(GOOD, GOOD.of_run(id="b", release_wanted="1.4.2", release_seen=("1.4.2",))),
        "hold",
        (
            ("other-release", "was to verify 1.4.2"),
            ("other-release", "seen running 1.4.2"),
        ),
        asked={"release": ""},
    ),
    Golden(
        "release not seen",
        GOOD.of_run(release_seen=()),
        "hold",
        (("no-release", "did not see which release is running; asked for 1.5.0"),),
    ),
    Golden(
        "no release wanted",
        GOOD.of_run(release_wanted=""),
        "hold",
        (("no-release", "no release was asked for"),),
        asked={"release": ""},
    ),
    Golden(
        "any release will do",
        GOOD.of_run(release_wanted="", release_seen=()),
        "promote",
        policy={"evidence": {"release": "any"}},
        asked={"release": ""},
    ),
    Golden(
        "any release, but one was asked for",
        GOOD,
        "hold",
        (
            ("other-release", "was to verify"),
            ("other-release", "seen running"),
        ),
        policy={"evidence": {"release": "any"}},
        asked={"release": "2"},
    ),
]
