"""One row of the contract, and the ways to write reports that the rows share."""

import datetime as dt
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.evidence.outcome import Severity
from support.reports import NOW, Reports, element, good, junit_case, junit_suite

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
