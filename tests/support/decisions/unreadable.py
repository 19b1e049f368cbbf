"""Reports that are not there, cannot be read, or want to do harm."""

from support.decisions.golden import (
    BOMB,
    EXTERNAL,
    GOOD,
    IDENTITY_OPTIONAL,
    Golden,
    damaged,
    dangling,
    deep_folders,
    files,
    folder_like_a_report,
    foreign,
    linked_folder,
    linked_inside,
    loop,
    minutes,
    only_files,
    outside,
    pipe,
    torn_down,
    with_samples,
)
from support.reports import junit_case, junit_suite, told

ROWS = [
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
        (("unreadable-report", "more.xml: line 1: not readable: expected an encoding such as UTF-8, seen 'klingon'"),),
    ),
    Golden(
        "encoding of several bytes",
        files(more__xml=b'<?xml version="1.0" encoding="shift_jis"?><testsuite/>'),
        "hold",
        (("unreadable-report", "expected an encoding such as UTF-8, seen 'shift_jis'"),),
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
