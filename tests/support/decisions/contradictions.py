"""Reports that contradict each other, or themselves."""

import json
from dataclasses import replace

from seatrial.evidence.outcome import Role, Severity
from support.decisions.golden import GOOD, Golden, damaged

ROWS = [
    # Reports that contradict each other, or themselves.
    Golden(
        "contradictory reports",
        damaged("junit.xml", lambda t: GOOD.but("smoke/ready", "fail").junit()),
        "hold",
        (
            ("untrusted-report", "reports of one run differ"),
            ("failed-checks", "smoke/ready"),
        ),
    ),
    Golden(
        "contradiction that hides a failure",
        damaged("evidence.json", lambda t: json.dumps(GOOD.but("smoke/ready", "error").evidence())),
        "hold",
        (
            ("untrusted-report", "reports of one run differ"),
            ("check-errors", "smoke/ready"),
        ),
    ),
    Golden(
        "a property better than its element",
        damaged("junit.xml", lambda t: t.replace("</properties></testcase>", "</properties><failure/></testcase>", 1)),
        "hold",
        (
            ("untrusted-report", "the property says pass, the element says fail"),
            ("untrusted-report", "reports of one run differ"),
            ("check-errors", "smoke/tcp"),
        ),
    ),
    Golden(
        "a property better than a skip",
        damaged("junit.xml", lambda t: t.replace("</properties></testcase>", "</properties><skipped/></testcase>", 1)),
        "hold",
        (
            ("untrusted-report", "the property says pass, the element says skipped"),
            ("untrusted-report", "reports of one run differ"),
            ("check-errors", "smoke/tcp"),
        ),
    ),
    Golden(
        "a label better than its status",
        damaged("allure-results/0-result.json", lambda t: t.replace('"passed"', '"failed"')),
        "hold",
        (
            ("untrusted-report", "the label says pass"),
            ("untrusted-report", "differ"),
            ("check-errors", "the label says pass"),
        ),
    ),
    Golden(
        "a label better than a skip",
        damaged("allure-results/0-result.json", lambda t: t.replace('"passed"', '"skipped"')),
        "hold",
        (
            ("untrusted-report", "the label says pass"),
            ("untrusted-report", "differ"),
            ("check-errors", "the label says pass"),
        ),
    ),
    Golden(
        "an outcome that there is not",
        damaged(
            "junit.xml",
            lambda t: t.replace('name="seatrial.outcome" value="pass"', 'name="seatrial.outcome" value="great"', 1),
        ),
        "hold",
        (("untrusted-report", "great"),),
    ),
    Golden(
        "unknown schema, JUnit",
        damaged(
            "junit.xml", lambda t: t.replace('name="seatrial.schema" value="1"', 'name="seatrial.schema" value="2"')
        ),
        "hold",
        (("untrusted-report", "expected schema 1, seen 2"),),
    ),
    Golden(
        "unknown schema, Allure",
        damaged(
            "allure-results/0-result.json",
            lambda t: t.replace('"seatrial.schema", "value": "1"', '"seatrial.schema", "value": "2"'),
        ),
        "hold",
        (("untrusted-report", "seen 2"),),
    ),
    Golden(
        "unknown schema, Allure's run",
        damaged(
            "allure-results/seatrial-run.json", lambda t: t.replace('"seatrial.schema": "1"', '"seatrial.schema": "2"')
        ),
        "hold",
        (("untrusted-report", "seen 2"),),
    ),
    Golden(
        "unknown schema, evidence.json",
        damaged("evidence.json", lambda t: t.replace('"schema": 1', '"schema": 2')),
        "hold",
        (("untrusted-report", "seen 2"),),
    ),
    Golden(
        "unknown state",
        damaged("evidence.json", lambda t: t.replace('"finished"', '"done"', 1)),
        "hold",
        (("untrusted-report", "seen 'done'"),),
    ),
    Golden(
        "a case without a key",
        damaged("evidence.json", lambda t: t.replace('"key": "smoke/tcp[chat]@candidate", ', "", 1)),
        "hold",
        (("untrusted-report", "expected check[object]@track, seen ''"),),
    ),
    # Reports that are not what a run wrote.
    Golden(
        "severity told differently",
        damaged(
            "evidence.json", lambda t: json.dumps(GOOD.but("smoke/ready", "pass", severity=Severity.MINOR).evidence())
        ),
        "hold",
        (
            ("untrusted-report", "reports of one run differ"),
            ("untrusted-report", "smoke/ready[chat]@candidate was planned as minor subject of"),
        ),
    ),
    Golden(
        "a failed subject told as a control",
        replace(GOOD.but("smoke/ready", "fail", role=Role.CONTROL), expected=GOOD.cases).only("evidence"),
        "hold",
        (
            ("untrusted-report", "smoke/ready[chat]@candidate was planned as critical subject"),
            ("too-few-checks", "suite smoke"),
            ("control-only", "smoke/ready"),
        ),
    ),
    Golden(
        "plans that differ",
        damaged("junit.xml", lambda t: t.replace('"helm/release-deployed[chatbot]"', '"helm/other[chatbot]"')),
        "hold",
        (
            ("untrusted-report", "check, object and track say helm/release-deployed[chatbot]"),
            ("untrusted-report", "reports of run 20260504T115000Z-demo-abc123 differ in which"),
            ("missing-checks", "helm/other"),
        ),
    ),
    Golden(
        "releases of one run that differ",
        damaged("junit.xml", lambda t: GOOD.of_run(release_seen=("1.4.2",)).junit()),
        "hold",
        (("untrusted-report", "release-seen is 1.4.2 here and 1.5.0 elsewhere"),),
    ),
    Golden(
        "a key that is not that of its check",
        damaged("evidence.json", lambda t: t.replace('"check": "smoke/tcp"', '"check": "smoke/other"', 1)),
        "hold",
        (("untrusted-report", "check, object and track say smoke/other[chat]@candidate"),),
    ),
    Golden(
        "a role that there is not",
        damaged("junit.xml", lambda t: t.replace('value="control"', 'value="spectator"', 1)),
        "hold",
        (("untrusted-report", "expected subject, control; seen 'spectator'"),),
    ),
    Golden(
        "expected keys that are none",
        damaged("junit.xml", lambda t: t.replace('"smoke/tcp[chat]@candidate"', '"smoke/tcp"', 1)),
        "hold",
        (("untrusted-report", "expected check[object]@track, seen 'smoke/tcp'"),),
    ),
]
