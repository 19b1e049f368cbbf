"""Reports, a policy and a question in; verdict, exit code and causes out: the gate's contract as one table."""

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from seatrial.evidence.outcome import Role, Severity, Trigger
from seatrial.gate.cause import REASONS
from support.gate import ask
from support.reports import NOW, Reports, element, good, junit_case, junit_suite, told

EXIT = {"promote": 0, "hold": 10, "rollback": 20}

Write = Callable[[Path], object]


@dataclass(frozen=True)
class Golden:
    """One row. ``causes`` are all of them in order, notes too: the code, and words of the sentence or of a case."""

    name: str
    reports: Reports | Write
    verdict: str
    causes: tuple[tuple[str, str], ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)


GOOD = good()
SLOW = GOOD.but("latency/regression", "fail", severity=Severity.CRITICAL)
CALIBRATED = {"trigger_rules": {"latency": {"requires": ["latency/calibrated"]}}}
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
    return only_files(junit__xml=junit_suite("".join(cases), minutes(-5)))


def crashed_worker(folder: Path) -> None:
    """A case without properties, as xdist reports the test that a worker was running when it died."""
    reports = GOOD.only("junit").without("smoke/ready")
    text = reports.junit().replace(
        "</testsuite>", junit_case("worker", inside='<failure message="crashed"/>') + "</testsuite>"
    )
    only_files(junit__xml=text)(folder)


def beside(reports: Reports, name: str) -> Write:
    """The reports, and a foreign test of this name that passed."""

    def write(folder: Path) -> None:
        reports.write(folder)
        only_files(theirs__xml=junit_suite(junit_case(name, classname=""), minutes(-5)))(folder)

    return write


def without_file(reports: Reports, name: str) -> Write:
    def write(folder: Path) -> None:
        reports.write(folder)
        (folder / name).unlink()

    return write


def torn_down(folder: Path) -> None:
    """As pytest writes it: the properties come with the last phase, which is a case of its own."""
    reports = ALONE["junit"].but("smoke/ready", "fail")
    case = next(t for t in reports.cases if t.outcome == "fail")
    whole = junit_case(case.key, case.properties(), element(case))
    parted = junit_case(case.key, inside='<failure message="503"/>') + junit_case(
        case.key, case.properties(), '<error message="teardown"/>'
    )
    only_files(junit__xml=reports.junit().replace(whole, parted))(folder)


def linked_folder(folder: Path) -> None:
    GOOD.write(folder)
    (folder / "more").symlink_to(GOOD.but("smoke/ready", "fail").write(folder.parent / "elsewhere"))


def dangling(folder: Path) -> None:
    GOOD.write(folder)
    (folder / "more.xml").symlink_to("nothing.xml")


def linked_inside(folder: Path) -> None:
    GOOD.write(folder)
    (folder / "again.xml").symlink_to("junit.xml")
    (folder / "latest").symlink_to("allure-results")


def with_samples(folder: Path) -> None:
    GOOD.write(folder)
    only_files(raw__xml="<html/>")(folder / "samples")


def quarantined(until: str) -> dict[str, Any]:
    """A policy with conversations in quarantine."""
    entry = {"match": "synthetic/*", "owner": "chat team", "reason": "CHAT-7", "expires": until}
    return {"quarantine": [entry]}


ALONE = {kind: GOOD.only(kind) for kind in ("junit", "allure", "evidence")}
BOMB = '<!DOCTYPE lolz [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>'
EXTERNAL = (
    '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="a">&x;</testcase></testsuite>'
)

TABLE = [
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
    # No reports, or none that can be read.
    Golden(
        "missing path",
        lambda folder: None,
        "hold",
        (("unreadable-report", "no such file or folder"),),
        policy={"required": {}},
    ),
    Golden("empty folder", only_files(), "hold", (("unreadable-report", "no report"),), policy={"required": {}}),
    Golden(
        "empty folder, identity optional",
        only_files(),
        "hold",
        (("unreadable-report", "no report"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "nothing but other files",
        only_files(notes__txt="hello", data__json="{}"),
        "hold",
        (("unreadable-report", "no report"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden("empty XML", files(more__xml=""), "hold", (("unreadable-report", "the file is empty"),)),
    Golden("truncated XML", files(more__xml=GOOD.junit()[:700]), "hold", (("unreadable-report", "not whole XML"),)),
    Golden(
        "truncated XML beside a failure",
        damaged("junit.xml", lambda t: t[:700]),
        "hold",
        (("unreadable-report", "not whole XML"),),
    ),
    Golden(
        "malformed XML",
        files(more__xml="<testsuite><testcase></testsuite>"),
        "hold",
        (("unreadable-report", "mismatched tag"),),
    ),
    Golden("XML that is no JUnit", files(more__xml="<html/>"), "hold", (("unreadable-report", "seen <html>"),)),
    Golden(
        "JUnit without cases", files(more__xml="<testsuites/>"), "hold", (("unreadable-report", "holds no test case"),)
    ),
    Golden(
        "case outside a suite",
        files(more__xml='<testsuites><testcase name="a"/></testsuites>'),
        "hold",
        (("unreadable-report", "outside any <testsuite>"),),
    ),
    Golden("entity bomb", files(more__xml=BOMB), "hold", (("untrusted-report", "it is refused"),)),
    Golden("external entity", files(more__xml=EXTERNAL), "hold", (("untrusted-report", "document type declaration"),)),
    Golden(
        "document type",
        files(more__xml="<!DOCTYPE testsuite><testsuite/>"),
        "hold",
        (("untrusted-report", "document type declaration"),),
    ),
    Golden(
        "hostile XML forbids a rollback",
        lambda f: (GOOD.but("smoke/ready", "fail").write(f), only_files(more__xml=BOMB)(f)),
        "hold",
        (
            ("untrusted-report", "it is refused"),
            ("failed-checks", "smoke/ready"),
        ),
    ),
    Golden(
        "deep XML",
        files(more__xml="<testsuite>" * 5000 + "</testsuite>" * 5000),
        "hold",
        (("untrusted-report", "nested more than 100 deep"),),
    ),
    Golden(
        "invalid UTF-8 in XML",
        files(more__xml=b'<testsuite><testcase name="\xff\xfe"/></testsuite>'),
        "hold",
        (("unreadable-report", "not whole XML"),),
    ),
    Golden(
        "unknown encoding",
        files(more__xml=b'<?xml version="1.0" encoding="klingon"?><testsuite/>'),
        "hold",
        (("unreadable-report", "more.xml: line 1: not readable: unknown encoding: klingon"),),
    ),
    Golden(
        "encoding of several bytes",
        files(more__xml=b'<?xml version="1.0" encoding="shift_jis"?><testsuite/>'),
        "hold",
        (("unreadable-report", "multi-byte encodings are not supported"),),
    ),
    Golden(
        "another encoding",
        only_files(more__xml=junit_suite(junit_case("a"), minutes(-5)).replace("utf-8", "utf-16").encode("utf-16")),
        "promote",
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "huge text",
        foreign(junit_case("a", inside=f"<system-out>{'x' * 5_000_000}</system-out>")),
        "promote",
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "huge message",
        GOOD.but("smoke/ready", "fail", message="x" * 1_000_000),
        "rollback",
        (("failed-checks", "smoke/ready"),),
    ),
    Golden(
        "truncated JSON",
        damaged("evidence.json", lambda t: t[:500]),
        "hold",
        (("unreadable-report", "not whole JSON"),),
    ),
    Golden("deep JSON", files(evidence__json="[" * 200_000), "hold", (("unreadable-report", "nested too deep"),)),
    Golden(
        "invalid UTF-8 in JSON",
        files(evidence__json=b'{"schema": "\xff"}'),
        "hold",
        (("unreadable-report", "not UTF-8 text"),),
    ),
    Golden(
        "JSON that is no object", files(evidence__json="[]"), "hold", (("unreadable-report", "expected a JSON object"),)
    ),
    Golden(
        "a number without end",
        files(evidence__json='{"schema": ' + "9" * 10_000 + "}"),
        "hold",
        (("unreadable-report", "evidence.json"),),
    ),
    Golden(
        "Allure result that is no object",
        files(**{"a-result__json": "[]"}),
        "hold",
        (("unreadable-report", "expected a JSON object"),),
    ),
    # Places.
    Golden("link out of the folder", outside, "hold", (("unreadable-report", "link out of the folder"),)),
    Golden("link that goes round", loop, "hold", (("unreadable-report", "loop.xml"),)),
    Golden("pipe", pipe, "hold", (("unreadable-report", "no regular file"),)),
    Golden("folder with a report's name", folder_like_a_report, "promote"),
    Golden("deep folders", deep_folders, "promote"),
    # Words that want to be more than words.
    Golden(
        "terminal escapes",
        GOOD.but("smoke/ready", "fail", message="\x1b[2J\x1b]0;owned\x07gone"),
        "rollback",
        (("failed-checks", "1 check failed"),),
    ),
    Golden(
        "Markdown and HTML",
        GOOD.plus(told("smoke/x", "fail", obj="|<img src=x onerror=alert(1)>`", message="**a** | <script>")),
        "hold",
        (("failed-checks", "smoke/x"),),
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
        "foreign Allure, time out of range",
        only_files(**{"a-result__json": '{"name":"a","status":"passed","stop":1e400}'}),
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
    # Shapes of JUnit.
    Golden(
        "properties of the suite around the suite",
        damaged(
            "junit.xml",
            lambda t: t.replace("</properties><testcase", '</properties><testsuite name="i"><testcase', 1).replace(
                "</testsuite>", "</testsuite></testsuite>"
            ),
        ),
        "promote",
    ),
    Golden(
        "a failure and the error of its teardown",
        damaged(
            "junit.xml",
            lambda t: t.replace(
                "</testsuite>",
                junit_case("smoke/live[chat]@candidate", inside='<error message="gone"/>') + "</testsuite>",
            ),
        ),
        "hold",
        (
            ("untrusted-report", "reports of one run differ"),
            ("check-errors", "smoke/live"),
        ),
    ),
    Golden(
        "the case of the failure has no properties, that of the teardown has",
        torn_down,
        "rollback",
        (("failed-checks", "smoke/ready"),),
    ),
    Golden(
        "a skipped case that failed",
        damaged(
            "junit.xml",
            lambda t: GOOD.but("smoke/ready", None).junit().replace("<skipped ", '<failure message="x"/><skipped '),
        ),
        "hold",
        (
            ("untrusted-report", "reports of one run differ"),
            ("check-errors", "smoke/ready"),
        ),
    ),
    Golden(
        "a suite inside a case",
        foreign('<testcase name="a"><testsuite/></testcase>'),
        "hold",
        (("unreadable-report", "a <testsuite> inside a <testcase>"),),
        policy=IDENTITY_OPTIONAL,
    ),
    Golden(
        "a tag without end",
        files(more__xml="<testsuite><testcase name='" + "a" * 9_000_000),
        "hold",
        (("untrusted-report", "it is refused"),),
    ),
    Golden(
        "a comment without end",
        files(more__xml="<testsuite><!--" + "a" * 9_000_000),
        "hold",
        (("untrusted-report", "it is refused"),),
    ),
    # Places.
    Golden(
        "folder that is a link out of the folder",
        linked_folder,
        "hold",
        (("unreadable-report", "is a link out of the folder, and was not followed"),),
    ),
    Golden("link that leads nowhere", dangling, "hold", (("unreadable-report", "is a link that leads nowhere"),)),
    Golden("link that stays inside", linked_inside, "promote"),
    Golden("hidden files are none of ours", files(__hidden__xml="<html/>"), "promote"),
    Golden("samples are no reports", with_samples, "promote"),
]


def test_names_are_unique() -> None:
    names = [row.name for row in TABLE]
    assert sorted(set(names)) == sorted(names)
    assert len(names) >= 180


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_golden(row: Golden, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    if isinstance(row.reports, Reports):
        row.reports.write(folder)
    else:
        row.reports(folder)
    decision = ask(folder, row.policy, row.asked)
    told_causes = [
        (
            cause.reason.code,
            " | ".join([cause.sentence, *(f"{case.key} {case.message}" for case in cause.cases)])[:2000],
        )
        for cause in decision.causes
    ]
    assert (decision.verdict.value, decision.verdict.exit_code) == (row.verdict, EXIT[row.verdict]), told_causes
    assert [code for code, _ in told_causes] == [code for code, _ in row.causes], told_causes
    for (_, sentence), (_, words) in zip(told_causes, row.causes, strict=True):
        assert words in sentence


def test_every_reason_has_a_row() -> None:
    told_codes = {code for row in TABLE for code, _ in row.causes}
    # Only the command knows that there is no policy: its tests have it.
    assert told_codes == {reason.code for reason in REASONS} - {"no-policy"}
