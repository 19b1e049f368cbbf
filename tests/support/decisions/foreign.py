"""Reports that are none of ours."""

from support.decisions.golden import GOOD, IDENTITY_OPTIONAL, Golden, beside, files, foreign, minutes, only_files
from support.reports import junit_case, junit_suite

ROWS = [
    # Reports of others.
    Golden(
        "foreign JUnit, identity required",
        foreign(junit_case("a")),
        "hold",
        (("no-identity", "does not say which environment and release it is about"),),
        policy={"required": {}},
    ),
    Golden("foreign JUnit, identity optional", foreign(junit_case("a")), "promote", policy=IDENTITY_OPTIONAL),
    Golden(
        "foreign failure",
        foreign(junit_case("a", inside='<failure message="no"/>')),
        "hold",
        (
            ("failed-checks", "t::a"),
            ("nothing-passed", "not one check"),
        ),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign error",
        foreign(junit_case("a", inside='<error message="no"/>')),
        "hold",
        (
            ("check-errors", "t::a"),
            ("nothing-passed", "not one check"),
        ),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign skip",
        foreign(junit_case("a"), junit_case("b", inside="<skipped/>")),
        "promote",
        (("foreign-skipped", "t::b"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign, nothing looked",
        foreign(junit_case("b", inside="<skipped/>")),
        "hold",
        (
            ("nothing-passed", "not one check"),
            ("foreign-skipped", "t::b"),
        ),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign suite required",
        foreign(junit_case("a")),
        "hold",
        (("too-few-checks", "suite foreign"),),
        policy={**IDENTITY_OPTIONAL, "required": {"foreign": {"minimum": 2}}},
    ),
    Golden(
        "foreign failure that an identity hides",
        foreign(junit_case("a", inside="<failure/>")),
        "hold",
        (
            ("no-identity", "does not say which environment and release it is about"),
            ("failed-checks", "t::a"),
            ("nothing-passed", "not one check"),
        ),
        policy={"required": {}},
    ),
    Golden(
        "duplicated names, one failed",
        foreign(junit_case("a"), junit_case("a", inside="<failure/>"), junit_case("a")),
        "hold",
        (
            ("failed-checks", "1 check failed"),
            ("nothing-passed", "not one check"),
        ),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "failure and error in one case",
        foreign(junit_case("a", inside="<error/><failure/>")),
        "hold",
        (
            ("failed-checks", "t::a"),
            ("nothing-passed", "not one check"),
        ),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "a case within a case",
        foreign('<testcase name="a"><failure/><testcase name="b"/></testcase>'),
        "hold",
        (("unreadable-report", "inside"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign Allure",
        only_files(**{"a-result__json": '{"name":"a","status":"broken","stop":1777895700000}'}),
        "hold",
        (
            ("check-errors", "1 check"),
            ("nothing-passed", "not one check"),
        ),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "Allure without a status",
        only_files(**{"a-result__json": '{"name":"a","stop":1777895700000}'}),
        "hold",
        (
            ("check-errors", "1 check"),
            ("nothing-passed", "not one check"),
        ),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "Allure with odd labels",
        only_files(**{"a-result__json": '{"name":"a","status":"passed","labels":7}'}),
        "hold",
        (("unreadable-report", "labels"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden("Allure attachments are no reports", files(**{"x-attachment__xml": "<html/>"}), "promote"),
    # Foreign reports and time.
    Golden(
        "foreign JUnit without a time",
        only_files(junit__xml=junit_suite(junit_case("a"))),
        "hold",
        (("no-time", "junit.xml does not say when it was; allowed is 1h ago"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign JUnit without a time, any will do",
        only_files(junit__xml=junit_suite(junit_case("a"))),
        "promote",
        policy={"evidence": {"identity": "optional", "max_age": "any"}, "required": {}},
    ),
    Golden(
        "foreign JUnit, stale",
        only_files(junit__xml=junit_suite(junit_case("a"), minutes(-90))),
        "hold",
        (("stale-evidence", "junit.xml ended 90 min ago, at 2026-05-04T10:30:00Z;"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign JUnit, time without a zone is UTC",
        only_files(junit__xml=junit_suite(junit_case("a"), "2026-05-04T11:55:00.123")),
        "promote",
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign Allure, passed",
        only_files(**{"a-result__json": '{"name":"a","status":"passed","stop":1777895700000}'}),
        "promote",
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign JUnit, flaky",
        foreign(junit_case("a"), junit_case("b", inside='<flakyFailure message="503"/>')),
        "hold",
        (("flaky-checks", "1 check passed after an attempt that did not, 0 tolerated | foreign:t::b 503"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign JUnit, flaky within budget",
        foreign(junit_case("a", inside='<flakyError message="503"/>')),
        "promote",
        (("flaky-checks", "1 tolerated"),),
        policy={**IDENTITY_OPTIONAL, "budgets": {"flaky": 1}},
    ),
    Golden(
        "foreign JUnit, expected to fail",
        foreign(junit_case("a"), junit_case("b", inside='<skipped type="pytest.xfail" message="SHOP-1"/>')),
        "promote",
        (("expected-failures", "1 foreign test expected to fail | foreign:t::b expected to fail: SHOP-1"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign Allure, number out of range",
        only_files(**{"a-result__json": '{"name":"a","status":"passed","stop":1e400}'}),
        "hold",
        (("unreadable-report", "a-result.json: line 1: not whole JSON: Number out of range"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign Allure, time out of range",
        only_files(**{"a-result__json": '{"name":"a","status":"passed","stop":99999999999999999999}'}),
        "hold",
        (("no-time", "a-result.json does not say when it was; allowed is 1h ago"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign JUnit beside ours, identity required",
        beside(GOOD.only("junit"), "theirs"),
        "hold",
        (("no-identity", "does not say which environment and release it is about"),),
    ),
]
