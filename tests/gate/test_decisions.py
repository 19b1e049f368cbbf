"""Reports, a policy and a question in; verdict, exit code and causes out: the gate's contract as one table."""

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from support.gate import ask
from support.reports import NOW, Reports, good, junit_case, junit_suite, told

PRODUCT, ENVIRONMENT, EVIDENCE, POLICY = (
    "product failure",
    "environment or tool error",
    "no evidence",
    "policy violation",
)
EXIT = {"promote": 0, "hold": 10, "rollback": 20}

Write = Callable[[Path], object]


@dataclass(frozen=True)
class Golden:
    """One row. ``causes`` are all of them in order, notes too: the kind, and words of the sentence or of a case."""

    name: str
    reports: Reports | Write
    verdict: str
    causes: tuple[tuple[str, str], ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)


GOOD = good()
IDENTITY_OPTIONAL = {"evidence": {"identity": "optional", "max_age": "1h"}, "required": {}}


def minutes(count: int) -> str:
    return (NOW + dt.timedelta(minutes=count)).isoformat()


def files(**contents: str | bytes) -> Write:
    """Files beside the good reports; ``__`` stands for a dot."""

    def write(folder: Path) -> None:
        GOOD.write(folder)
        only_files(**contents)(folder)

    return write


def only_files(**contents: str | bytes) -> Write:
    def write(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for name, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / name.replace("__", ".")).write_bytes(data)

    return write


def both(first: Reports, second: Reports) -> Write:
    def write(folder: Path) -> None:
        first.write(folder / "first")
        second.write(folder / "second")

    return write


def damaged(name: str, change: Callable[[str], str]) -> Write:
    """The good reports with the text of one file changed."""

    def write(folder: Path) -> None:
        GOOD.write(folder)
        path = folder / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    return write


def outside(folder: Path) -> None:
    GOOD.write(folder)
    elsewhere = GOOD.but("smoke/ready", "fail").write(folder.parent / "elsewhere")
    (folder / "more.xml").symlink_to(elsewhere / "junit.xml")


def loop(folder: Path) -> None:
    GOOD.write(folder)
    (folder / "loop.xml").symlink_to("loop.xml")


def folder_like_a_report(folder: Path) -> None:
    GOOD.write(folder)
    (folder / "inner.xml").mkdir()


def pipe(folder: Path) -> None:
    GOOD.write(folder)
    os.mkfifo(folder / "pipe.xml")


def deep_folders(folder: Path) -> None:
    GOOD.write(folder)
    inner = folder
    for _ in range(150):
        inner /= "d"
    GOOD.write(inner)


def foreign(*cases: str) -> Write:
    return only_files(junit__xml=junit_suite("".join(cases)))


def crashed_worker(folder: Path) -> None:
    """A case without properties, as xdist reports the test that a worker was running when it died."""
    reports = GOOD.only("junit").without("smoke/ready")
    text = reports.junit().replace(
        "</testsuite>", junit_case("worker", inside='<failure message="crashed"/>') + "</testsuite>"
    )
    only_files(junit__xml=text)(folder)


ALONE = {kind: GOOD.only(kind) for kind in ("junit", "allure", "evidence")}
BOMB = '<!DOCTYPE lolz [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>'
EXTERNAL = (
    '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="a">&x;</testcase></testsuite>'
)
HISTORY = ("rollback/history", "a rollback cannot be counted on")

TABLE = [
    # Everything good, in each report alone and together.
    Golden("all good", GOOD, "promote"),
    Golden("all good, nothing asked", GOOD, "promote", asked={"environment": "", "release": ""}),
    Golden("JUnit alone", ALONE["junit"], "promote"),
    Golden("Allure alone", ALONE["allure"], "promote"),
    Golden("evidence.json alone", ALONE["evidence"], "promote"),
    Golden("two whole runs", both(GOOD, GOOD.of_run(id="20260504T115100Z-demo-def456")), "promote"),
    # Outcomes by severity.
    Golden("critical failure", GOOD.but("smoke/ready", "fail"), "rollback", ((PRODUCT, "1 check failed"),)),
    Golden(
        "critical failure, JUnit alone",
        ALONE["junit"].but("smoke/ready", "fail"),
        "rollback",
        ((PRODUCT, "smoke/ready"),),
    ),
    Golden(
        "critical failure, Allure alone",
        ALONE["allure"].but("smoke/ready", "fail"),
        "rollback",
        ((PRODUCT, "smoke/ready"),),
    ),
    Golden(
        "critical failure, evidence alone",
        ALONE["evidence"].but("smoke/ready", "fail"),
        "rollback",
        ((PRODUCT, "smoke/ready"),),
    ),
    Golden("major failure", GOOD.but("latency/regression", "fail"), "hold", ((PRODUCT, "latency/regression"),)),
    Golden(
        "minor failure", GOOD.but("helm/release-deployed", "fail", track=""), "promote", ((PRODUCT, "helm/release"),)
    ),
    Golden(
        "critical failure of config", GOOD.but("podsec/privileged", "fail", track=""), "hold", ((PRODUCT, "podsec"),)
    ),
    Golden(
        "major failure of config", GOOD.but("probe/liveness-missing", "fail", track=""), "hold", ((PRODUCT, "probe"),)
    ),
    Golden(
        "critical failure of rollout",
        GOOD.but("rollout/complete", "fail", track=""),
        "rollback",
        ((PRODUCT, "rollout"),),
    ),
    Golden(
        "critical failure of synthetic", GOOD.but("synthetic/greeting", "fail"), "rollback", ((PRODUCT, "greeting"),)
    ),
    Golden(
        "effects: major rolls back",
        GOOD.but("latency/regression", "fail"),
        "rollback",
        ((PRODUCT, "latency"),),
        policy={"effects": {"major": "rollback"}},
    ),
    Golden(
        "effects: critical is noted",
        GOOD.but("smoke/ready", "fail"),
        "promote",
        ((PRODUCT, "smoke/ready"),),
        policy={"effects": {"critical": "note"}},
    ),
    Golden(
        "failures of all severities",
        GOOD.but("smoke/ready", "fail")
        .but("latency/regression", "fail")
        .but("helm/release-deployed", "fail", track=""),
        "rollback",
        ((PRODUCT, "smoke/ready"), (PRODUCT, "latency"), (PRODUCT, "helm")),
    ),
    Golden(
        "unknown severity",
        GOOD.plus(told("smoke/odd", "fail", severity="major")).plus(
            replace(told("smoke/other", "fail"), more={"seatrial.severity": "__class__"})
        ),
        "hold",
        ((PRODUCT, "2 checks failed"),),
    ),
    # Outcomes that decide nothing, and their budgets.
    Golden("error", GOOD.but("smoke/ready", "error"), "hold", ((ENVIRONMENT, "could not look"),)),
    Golden(
        "error of a minor check",
        GOOD.but("helm/release-deployed", "error", track=""),
        "hold",
        ((ENVIRONMENT, "1 check"),),
    ),
    Golden("inconclusive", GOOD.but("latency/regression", "inconclusive"), "hold", ((EVIDENCE, "could not decide"),)),
    Golden(
        "error within budget",
        GOOD.but("smoke/ready", "error"),
        "promote",
        ((ENVIRONMENT, "1 tolerated"),),
        policy={"budgets": {"error": 1}},
    ),
    Golden(
        "errors beyond budget",
        GOOD.but("smoke/ready", "error").but("smoke/live", "error"),
        "hold",
        ((ENVIRONMENT, "2 checks"),),
        policy={"budgets": {"error": 1}},
    ),
    Golden(
        "inconclusive within budget",
        GOOD.but("smoke/ready", "inconclusive"),
        "promote",
        ((EVIDENCE, "1 tolerated"),),
        policy={"budgets": {"inconclusive": 1}},
    ),
    Golden(
        "failure beside an error",
        GOOD.but("smoke/ready", "fail").but("smoke/live", "error"),
        "rollback",
        ((ENVIRONMENT, "smoke/live"), (PRODUCT, "smoke/ready")),
    ),
    # What is required and expected.
    Golden(
        "required suite absent",
        GOOD,
        "hold",
        ((EVIDENCE, "suite recovery: expected"),),
        policy={"required": {"recovery": {}}},
    ),
    Golden(
        "required suite thin",
        GOOD,
        "hold",
        ((EVIDENCE, "at least 5 executed, seen 4"),),
        policy={"required": {"smoke": {"minimum": 5}}},
    ),
    Golden(
        "controls fill no suite",
        GOOD,
        "hold",
        ((EVIDENCE, "suite smoke: expected"),),
        policy={"required": {"smoke": {"minimum": 8}}},
    ),
    Golden(
        "expected check without outcome",
        GOOD.without("synthetic/greeting"),
        "hold",
        ((EVIDENCE, "synthetic/greeting"),),
    ),
    Golden(
        "expected check missing, JUnit alone",
        ALONE["junit"].without("synthetic/greeting"),
        "hold",
        ((EVIDENCE, "1 planned check has no outcome"),),
    ),
    Golden(
        "expected check missing, Allure alone",
        ALONE["allure"].without("synthetic/greeting"),
        "hold",
        ((EVIDENCE, "1 planned check has no outcome"),),
    ),
    Golden(
        "expected check skipped",
        GOOD.but("synthetic/greeting", None, message="no account"),
        "hold",
        ((EVIDENCE, "no account"),),
    ),
    Golden(
        "skipped and in no plan",
        replace(GOOD, expected=GOOD.cases).plus(told("smoke/dns", None)),
        "hold",
        ((EVIDENCE, "smoke/dns"),),
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
        ((EVIDENCE, "rollout/complete"),),
        policy={"evidence": {"expected": "required-suites"}},
    ),
    Golden(
        "only required suites: the suite is not the first word of the check",
        GOOD.without("helm/release-deployed"),
        "hold",
        ((EVIDENCE, "helm/release-deployed"),),
        policy={"evidence": {"expected": "required-suites"}},
    ),
    Golden(
        "only required suites, JUnit alone: nothing tells the suite of what is missing",
        ALONE["junit"].without("helm/release-deployed"),
        "hold",
        ((EVIDENCE, "helm/release-deployed"),),
        policy={"evidence": {"expected": "required-suites"}},
    ),
    Golden(
        "JUnit does not say what was expected",
        damaged("junit.xml", lambda text: text.replace('"seatrial.expected"', '"other"')),
        "hold",
        ((EVIDENCE, "which checks were expected"),),
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
        ((EVIDENCE, "list of expected checks"),),
    ),
    # Runs that did not end well.
    Golden(
        "killed run",
        replace(GOOD, state="running", cases=(), expected=GOOD.cases).of_run(finished="").only("evidence"),
        "hold",
        (
            (EVIDENCE, "single executed check"),
            (EVIDENCE, "did not finish"),
            (EVIDENCE, f"{len(GOOD.cases)} planned checks"),
            (EVIDENCE, "suite rollout"),
            (EVIDENCE, "suite smoke"),
        ),
    ),
    Golden("still running, all passed so far", replace(GOOD, state="running"), "hold", ((EVIDENCE, "did not finish"),)),
    Golden("interrupted", replace(GOOD, state="interrupted"), "hold", ((EVIDENCE, "was interrupted"),)),
    Golden(
        "interrupted after a critical failure",
        replace(GOOD, state="interrupted").but("smoke/ready", "fail"),
        "rollback",
        ((EVIDENCE, "was interrupted"), (PRODUCT, "smoke/ready")),
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
        ((ENVIRONMENT, "t::unit"),),
    ),
    Golden(
        "crashed worker",
        crashed_worker,
        "hold",
        ((EVIDENCE, "2 planned checks"), (EVIDENCE, "at least 4 executed, seen 3"), (ENVIRONMENT, "crashed")),
    ),
    # Time.
    Golden("stale", GOOD.of_run(started=minutes(-200), finished=minutes(-61)), "hold", ((POLICY, "stale"),)),
    Golden("just not stale", GOOD.of_run(started=minutes(-200), finished=minutes(-60)), "promote"),
    Golden(
        "stale and failed",
        GOOD.of_run(started=minutes(-99), finished=minutes(-99)).but("smoke/ready", "fail"),
        "hold",
        ((POLICY, "stale"), (PRODUCT, "does not bear it")),
    ),
    Golden(
        "one of two runs is stale",
        both(GOOD, GOOD.of_run(id="older", started=minutes(-99), finished=minutes(-98))),
        "hold",
        ((POLICY, "run older"),),
    ),
    Golden("from the future", GOOD.of_run(finished=minutes(6)), "hold", ((EVIDENCE, "in the future"),)),
    Golden("a clock a little ahead", GOOD.of_run(finished=minutes(4)), "promote"),
    Golden(
        "does not say when", GOOD.of_run(started="", finished="yesterday"), "hold", ((EVIDENCE, "does not say when"),)
    ),
    Golden(
        "time without a zone",
        GOOD.of_run(started="2026-05-04T11:50:00", finished="2026-05-04T11:55:00"),
        "hold",
        ((EVIDENCE, "does not say when"),),
    ),
    # Identity.
    Golden(
        "other environment",
        GOOD.of_run(environment="qa"),
        "hold",
        ((POLICY, "asked about demo, the evidence is about qa"),),
    ),
    Golden(
        "other environment and failed",
        GOOD.of_run(environment="qa").but("smoke/ready", "fail"),
        "hold",
        ((POLICY, "about qa"), (PRODUCT, "does not bear it")),
    ),
    Golden(
        "policy for another environment",
        GOOD,
        "hold",
        ((POLICY, "about demo"), (POLICY, "the policy is for demo")),
        asked={"environment": "qa"},
    ),
    Golden(
        "several environments",
        both(GOOD, GOOD.of_run(id="b", environment="qa")),
        "hold",
        ((POLICY, "several environments: demo, qa"),),
    ),
    Golden("other release seen", GOOD.of_run(release_seen=("1.4.2",)), "hold", ((POLICY, "seen running 1.4.2"),)),
    Golden(
        "two releases seen", GOOD.of_run(release_seen=("1.5.0", "1.4.2")), "hold", ((POLICY, "seen running 1.4.2"),)
    ),
    Golden(
        "other release seen, and failed",
        GOOD.of_run(release_seen=("1.4.2",)).but("smoke/version", "fail"),
        "hold",
        ((POLICY, "another release"), (PRODUCT, "does not bear it")),
    ),
    Golden(
        "other release wanted",
        GOOD,
        "hold",
        ((POLICY, "was to verify 1.5.0"), (POLICY, "seen running 1.5.0")),
        asked={"release": "1.6.0"},
    ),
    Golden(
        "two runs of two releases",
        both(GOOD, GOOD.of_run(id="b", release_wanted="1.4.2", release_seen=("1.4.2",))),
        "hold",
        ((POLICY, "was to verify 1.4.2"), (POLICY, "seen running 1.4.2")),
        asked={"release": ""},
    ),
    Golden("release not seen", GOOD.of_run(release_seen=()), "hold", ((EVIDENCE, "not seen which release"),)),
    Golden(
        "no release wanted",
        GOOD.of_run(release_wanted=""),
        "hold",
        ((EVIDENCE, "no release was asked for"),),
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
        ((POLICY, "was to verify"), (POLICY, "seen running")),
        policy={"evidence": {"release": "any"}},
        asked={"release": "2"},
    ),
    # Stable beside the candidate.
    Golden(
        "shared failure",
        GOOD.but("smoke/ready", "fail").but("smoke/ready", "fail", track="stable"),
        "hold",
        ((ENVIRONMENT, "stable track too"),),
    ),
    Golden(
        "failure, and stable could not be looked at",
        GOOD.but("smoke/ready", "fail").but("smoke/ready", "error", track="stable"),
        "hold",
        ((ENVIRONMENT, "could not look at the stable track"), (ENVIRONMENT, "could not be looked at")),
    ),
    Golden(
        "failure of the control alone",
        GOOD.but("smoke/ready", "fail", track="stable"),
        "promote",
        ((PRODUCT, "stable track alone"),),
    ),
    Golden(
        "error of the control alone",
        GOOD.but("smoke/ready", "error", track="stable"),
        "promote",
        ((ENVIRONMENT, "could not look at the stable track"),),
    ),
    Golden(
        "control inconclusive",
        GOOD.but("smoke/ready", "inconclusive", track="stable"),
        "promote",
        ((EVIDENCE, "on the stable track could not decide"),),
    ),
    Golden("control skipped", GOOD.but("smoke/ready", None, track="stable"), "hold", ((EVIDENCE, "@stable"),)),
    Golden(
        "one failure shared, one not",
        GOOD.but("smoke/ready", "fail").but("smoke/ready", "fail", track="stable").but("smoke/live", "fail"),
        "rollback",
        ((PRODUCT, "smoke/live"), (ENVIRONMENT, "smoke/ready")),
    ),
    # What a rollback needs.
    Golden(
        "rollback, no way back",
        GOOD.but("smoke/ready", "fail").but("rollback/history", "fail", track=""),
        "hold",
        ((PRODUCT, "a rollback was called for"), (PRODUCT, "rollback/history"), (PRODUCT, "did not pass")),
    ),
    Golden(
        "rollback, way back unknown",
        GOOD.but("smoke/ready", "fail").without("rollback/history"),
        "hold",
        ((EVIDENCE, "1 planned check"), (PRODUCT, "a rollback was called for"), (EVIDENCE, "has no outcome")),
    ),
    Golden(
        "rollback, way back unlooked at",
        GOOD.but("smoke/ready", "fail").but("rollback/history", "error", track=""),
        "hold",
        ((ENVIRONMENT, "could not look"), (PRODUCT, "called for"), (ENVIRONMENT, "did not pass")),
    ),
    Golden(
        "rollback asks for nothing",
        GOOD.but("smoke/ready", "fail").without("rollback/history"),
        "rollback",
        ((EVIDENCE, "1 planned"), (PRODUCT, "smoke/ready")),
        policy={"rollback": {}},
    ),
    # Dry run.
    Golden(
        "failure in dry run",
        GOOD.but("smoke/ready", "fail"),
        "promote",
        ((PRODUCT, "failed in dry run"),),
        policy={"dry_run": ["smoke/ready"]},
    ),
    Golden("error in dry run", GOOD.but("smoke/ready", "error"), "promote", policy={"dry_run": ["smoke/ready"]}),
    Golden(
        "skipped in dry run",
        GOOD.but("smoke/ready", None),
        "promote",
        policy={"dry_run": ["smoke/ready"], "required": {}},
    ),
    # Reports of others.
    Golden(
        "foreign JUnit, identity required",
        foreign(junit_case("a")),
        "hold",
        ((POLICY, "do not say which environment"),),
        policy={"required": {}},
    ),
    Golden("foreign JUnit, identity optional", foreign(junit_case("a")), "promote", policy=IDENTITY_OPTIONAL),
    Golden(
        "foreign failure",
        foreign(junit_case("a", inside='<failure message="no"/>')),
        "hold",
        ((PRODUCT, "t::a"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign error",
        foreign(junit_case("a", inside='<error message="no"/>')),
        "hold",
        ((ENVIRONMENT, "t::a"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign skip",
        foreign(junit_case("a"), junit_case("b", inside="<skipped/>")),
        "promote",
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign, nothing looked",
        foreign(junit_case("b", inside="<skipped/>")),
        "hold",
        ((EVIDENCE, "single executed check"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign suite required",
        foreign(junit_case("a")),
        "hold",
        ((EVIDENCE, "suite foreign"),),
        policy={**IDENTITY_OPTIONAL, "required": {"foreign": {"minimum": 2}}},
    ),
    Golden(
        "foreign failure that an identity hides",
        foreign(junit_case("a", inside="<failure/>")),
        "hold",
        ((POLICY, "do not say"), (PRODUCT, "t::a")),
        policy={"required": {}},
    ),
    Golden(
        "duplicated names, one failed",
        foreign(junit_case("a"), junit_case("a", inside="<failure/>"), junit_case("a")),
        "hold",
        ((PRODUCT, "1 check failed"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "failure and error in one case",
        foreign(junit_case("a", inside="<error/><failure/>")),
        "hold",
        ((PRODUCT, "t::a"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "a case within a case",
        foreign('<testcase name="a"><failure/><testcase name="b"/></testcase>'),
        "hold",
        ((EVIDENCE, "inside"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "foreign Allure",
        only_files(**{"a-result__json": '{"name":"a","status":"broken"}'}),
        "hold",
        ((ENVIRONMENT, "1 check"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "Allure without a status",
        only_files(**{"a-result__json": '{"name":"a"}'}),
        "hold",
        ((ENVIRONMENT, "1 check"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "Allure with odd labels",
        only_files(**{"a-result__json": '{"name":"a","status":"passed","labels":7}'}),
        "hold",
        ((EVIDENCE, "labels"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden("Allure attachments are no reports", files(**{"x-attachment__xml": "<html/>"}), "promote"),
    # Reports that contradict each other, or themselves.
    Golden(
        "contradictory reports",
        damaged("junit.xml", lambda t: GOOD.but("smoke/ready", "fail").junit()),
        "hold",
        ((EVIDENCE, "reports of one run differ"), (PRODUCT, "does not bear it")),
    ),
    Golden(
        "contradiction that hides a failure",
        damaged("evidence.json", lambda t: json.dumps(GOOD.but("smoke/ready", "error").evidence())),
        "hold",
        ((EVIDENCE, "reports of one run differ"), (ENVIRONMENT, "smoke/ready")),
    ),
    Golden(
        "a property better than its element",
        damaged("junit.xml", lambda t: t.replace("</properties></testcase>", "</properties><failure/></testcase>", 1)),
        "hold",
        ((EVIDENCE, "its property says that it did"),),
    ),
    Golden(
        "a property better than a skip",
        damaged("junit.xml", lambda t: t.replace("</properties></testcase>", "</properties><skipped/></testcase>", 1)),
        "hold",
        ((EVIDENCE, "its property says that it did"),),
    ),
    Golden(
        "a label better than its status",
        damaged("allure-results/0-result.json", lambda t: t.replace('"passed"', '"failed"')),
        "hold",
        ((EVIDENCE, "the label says pass"), (EVIDENCE, "differ"), (ENVIRONMENT, "smoke/tcp")),
    ),
    Golden(
        "a label better than a skip",
        damaged("allure-results/0-result.json", lambda t: t.replace('"passed"', '"skipped"')),
        "hold",
        ((EVIDENCE, "the label says pass"), (EVIDENCE, "differ"), (ENVIRONMENT, "smoke/tcp")),
    ),
    Golden(
        "an outcome that there is not",
        damaged(
            "junit.xml",
            lambda t: t.replace('name="seatrial.outcome" value="pass"', 'name="seatrial.outcome" value="great"', 1),
        ),
        "hold",
        ((EVIDENCE, "great"),),
    ),
    Golden(
        "unknown schema, JUnit",
        damaged(
            "junit.xml", lambda t: t.replace('name="seatrial.schema" value="1"', 'name="seatrial.schema" value="2"')
        ),
        "hold",
        ((EVIDENCE, "another version: expected schema 1, seen 2"),),
    ),
    Golden(
        "unknown schema, Allure",
        damaged(
            "allure-results/0-result.json",
            lambda t: t.replace('"seatrial.schema", "value": "1"', '"seatrial.schema", "value": "2"'),
        ),
        "hold",
        ((EVIDENCE, "seen 2"),),
    ),
    Golden(
        "unknown schema, Allure's run",
        damaged(
            "allure-results/seatrial-run.json", lambda t: t.replace('"seatrial.schema": "1"', '"seatrial.schema": "2"')
        ),
        "hold",
        ((EVIDENCE, "seen 2"),),
    ),
    Golden(
        "unknown schema, evidence.json",
        damaged("evidence.json", lambda t: t.replace('"schema": 1', '"schema": 2')),
        "hold",
        ((EVIDENCE, "seen 2"),),
    ),
    Golden(
        "unknown state",
        damaged("evidence.json", lambda t: t.replace('"finished"', '"done"', 1)),
        "hold",
        ((EVIDENCE, "seen 'done'"),),
    ),
    Golden(
        "a case without a key",
        damaged("evidence.json", lambda t: t.replace('"key": "smoke/tcp[chat]@candidate", ', "", 1)),
        "hold",
        ((EVIDENCE, "'key' is missing"),),
    ),
    # No reports, or none that can be read.
    Golden(
        "missing path",
        lambda folder: None,
        "hold",
        (
            (EVIDENCE, "no such file or folder"),
            (POLICY, "do not say"),
        ),
        policy={"required": {}},
    ),
    Golden(
        "empty folder", only_files(), "hold", ((EVIDENCE, "no report"), (POLICY, "do not say")), policy={"required": {}}
    ),
    Golden(
        "empty folder, identity optional", only_files(), "hold", ((EVIDENCE, "no report"),), policy=IDENTITY_OPTIONAL
    ),
    Golden(
        "nothing but other files",
        only_files(notes__txt="hello", data__json="{}"),
        "hold",
        ((EVIDENCE, "no report"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden("empty XML", files(more__xml=""), "hold", ((EVIDENCE, "the file is empty"),)),
    Golden("truncated XML", files(more__xml=GOOD.junit()[:700]), "hold", ((EVIDENCE, "not whole XML"),)),
    Golden(
        "truncated XML beside a failure",
        damaged("junit.xml", lambda t: t[:700]),
        "hold",
        ((EVIDENCE, "not whole XML"),),
    ),
    Golden(
        "malformed XML", files(more__xml="<testsuite><testcase></testsuite>"), "hold", ((EVIDENCE, "mismatched tag"),)
    ),
    Golden("XML that is no JUnit", files(more__xml="<html/>"), "hold", ((EVIDENCE, "seen <html>"),)),
    Golden("JUnit without cases", files(more__xml="<testsuites/>"), "hold", ((EVIDENCE, "holds no test case"),)),
    Golden(
        "case outside a suite",
        files(more__xml='<testsuites><testcase name="a"/></testsuites>'),
        "hold",
        ((EVIDENCE, "outside any <testsuite>"),),
    ),
    Golden("entity bomb", files(more__xml=BOMB), "hold", ((EVIDENCE, "cannot be trusted"),)),
    Golden("external entity", files(more__xml=EXTERNAL), "hold", ((EVIDENCE, "document type declaration"),)),
    Golden(
        "document type",
        files(more__xml="<!DOCTYPE testsuite><testsuite/>"),
        "hold",
        ((EVIDENCE, "document type declaration"),),
    ),
    Golden(
        "hostile XML forbids a rollback",
        lambda f: (GOOD.but("smoke/ready", "fail").write(f), only_files(more__xml=BOMB)(f)),
        "hold",
        ((EVIDENCE, "cannot be trusted"), (PRODUCT, "does not bear it")),
    ),
    Golden(
        "deep XML",
        files(more__xml="<testsuite>" * 5000 + "</testsuite>" * 5000),
        "hold",
        ((EVIDENCE, "nested more than 100 deep"),),
    ),
    Golden(
        "invalid UTF-8 in XML",
        files(more__xml=b'<testsuite><testcase name="\xff\xfe"/></testsuite>'),
        "hold",
        ((EVIDENCE, "not whole XML"),),
    ),
    Golden(
        "unknown encoding",
        files(more__xml=b'<?xml version="1.0" encoding="klingon"?><testsuite/>'),
        "hold",
        ((EVIDENCE, "not whole XML"),),
    ),
    Golden(
        "encoding of several bytes",
        files(more__xml=b'<?xml version="1.0" encoding="shift_jis"?><testsuite/>'),
        "hold",
        ((EVIDENCE, "not whole XML"),),
    ),
    Golden(
        "another encoding",
        files(more__xml=junit_suite(junit_case("a")).replace("utf-8", "utf-16").encode("utf-16")),
        "promote",
    ),
    Golden(
        "huge text",
        files(more__xml=junit_suite(junit_case("a", inside=f"<system-out>{'x' * 5_000_000}</system-out>"))),
        "promote",
    ),
    Golden(
        "huge message",
        GOOD.but("smoke/ready", "fail", message="x" * 1_000_000),
        "rollback",
        ((PRODUCT, "smoke/ready"),),
    ),
    Golden("truncated JSON", damaged("evidence.json", lambda t: t[:500]), "hold", ((EVIDENCE, "not whole JSON"),)),
    Golden("deep JSON", files(evidence__json="[" * 200_000), "hold", ((EVIDENCE, "nested too deep"),)),
    Golden(
        "invalid UTF-8 in JSON", files(evidence__json=b'{"schema": "\xff"}'), "hold", ((EVIDENCE, "not UTF-8 text"),)
    ),
    Golden("JSON that is no object", files(evidence__json="[]"), "hold", ((EVIDENCE, "expected a JSON object"),)),
    Golden(
        "a number without end",
        files(evidence__json='{"schema": ' + "9" * 10_000 + "}"),
        "hold",
        ((EVIDENCE, "evidence.json"),),
    ),
    Golden(
        "Allure result that is no object",
        files(**{"a-result__json": "[]"}),
        "hold",
        ((EVIDENCE, "expected a JSON object"),),
    ),
    # Places.
    Golden("link out of the folder", outside, "hold", ((EVIDENCE, "link out of the folder"),)),
    Golden("link that goes round", loop, "hold", ((EVIDENCE, "loop.xml"),)),
    Golden("pipe", pipe, "hold", ((EVIDENCE, "no regular file"),)),
    Golden("folder with a report's name", folder_like_a_report, "promote"),
    Golden("deep folders", deep_folders, "promote"),
    # Words that want to be more than words.
    Golden(
        "terminal escapes",
        GOOD.but("smoke/ready", "fail", message="\x1b[2J\x1b]0;owned\x07gone"),
        "rollback",
        ((PRODUCT, "1 check failed"),),
    ),
    Golden(
        "Markdown and HTML",
        GOOD.plus(told("smoke/x", "fail", obj="|<img src=x onerror=alert(1)>`", message="**a** | <script>")),
        "hold",
        ((PRODUCT, "smoke/x"),),
    ),
]


def test_names_are_unique() -> None:
    names = [row.name for row in TABLE]
    assert sorted(set(names)) == sorted(names)
    assert len(names) >= 70


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_golden(row: Golden, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    if isinstance(row.reports, Reports):
        row.reports.write(folder)
    else:
        row.reports(folder)
    decision = ask(folder, row.policy, row.asked)
    told_words = [
        (
            cause.kind.value,
            " | ".join([cause.sentence, *(f"{c.key} {c.message} {c.skip_reason}" for c in cause.cases)])[:2000],
        )
        for cause in decision.causes
    ]
    assert (decision.verdict.value, decision.verdict.exit_code) == (row.verdict, EXIT[row.verdict]), told_words
    assert [kind for kind, _ in told_words] == [kind for kind, _ in row.causes], told_words
    for (_, sentence), (_, words) in zip(told_words, row.causes, strict=True):
        assert words in sentence
