"""Tests of others that a policy counts to suites, and what their retries and repetitions come to."""

import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.gate import Decision, PolicyProblem, load_policy
from seatrial.gate.policy_file import Folder
from support.gate import ask

TIME = "2026-05-04T11:55:00Z"
OPTIONAL = {"evidence": {"identity": "optional", "max_age": "1h"}, "rollback": {}, "required": {}}


def suite(*cases: str, name: str = "jest", more: str = "") -> str:
    return f'<testsuite name="{name}" timestamp="{TIME}" {more}>{"".join(cases)}</testsuite>'


def case(name: str, inside: str = "", *, classname: str = "", file: str = "") -> str:
    return f'<testcase classname="{classname}" name="{name}" file="{file}">{inside}</testcase>'


def decide(folder: Path, files: dict[str, str], **policy: Any) -> Decision:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return ask(folder, {**OPTIONAL, **policy})


FAILS = '<failure message="503"/>'
SMOKE = {"suite": "smoke", "severity": "critical", "trigger": "health"}


@pytest.mark.parametrize(
    ("entry", "inside", "verdict"),
    [
        ({"match": "tests/e2e/**"}, "", "promote"),
        ({"match": "tests/e2e/**"}, FAILS, "rollback"),
        ({"match": "shop.*"}, FAILS, "rollback"),
        ({"match": "shop.Cart::pays"}, FAILS, "rollback"),
        ({"match": "*", "report": "jest/*"}, FAILS, "rollback"),
        ({"report": "jest/junit.xml"}, "", "promote"),
        ({"report": "mocha/*"}, "", "hold"),
        ({"report": "mocha/*"}, FAILS, "hold"),
        ({"match": "tests/unit/**"}, "", "hold"),
        ({"match": "TESTS/**"}, "", "hold"),
    ],
)
def test_a_report_of_jest_satisfies_a_required_suite(
    tmp_path: Path, entry: dict[str, str], inside: str, verdict: str
) -> None:
    file = "tests/e2e/cart.test.js"
    content = suite(*(case(n, i, classname="shop.Cart", file=file) for n, i in (("pays", inside), ("adds", ""))))
    decision = decide(
        tmp_path, {"jest/junit.xml": content}, foreign=[{**SMOKE, **entry}], required={"smoke": {"minimum": 1}}
    )
    assert decision.verdict == verdict, [cause.sentence for cause in decision.causes]


def test_the_first_entry_that_fits_counts(tmp_path: Path) -> None:
    entries = [{"match": "a*", "suite": "latency", "severity": "minor"}, {**SMOKE, "match": "*"}]
    files = {"junit.xml": suite(case("a1", FAILS), case("a2"), case("b1"), case("b2", "<skipped/>"))}
    decision = decide(tmp_path, files, foreign=entries)
    assert decision.verdict == "promote"
    counts = {name: (count.passed, count.fail, count.skipped) for name, count in decision.suites.items()}
    assert counts == {"latency": (1, 1, 0), "smoke": (1, 0, 1)}


def test_a_foreign_test_stands_for_none_of_ours(tmp_path: Path) -> None:
    name = "smoke/ready[chat]@candidate"
    decision = decide(
        tmp_path, {"junit.xml": suite(case(name))}, foreign=[SMOKE], rollback={"requires": ["smoke/ready"]}
    )
    assert [count.passed for count in decision.suites.values()] == [1]
    assert decide(tmp_path, {"junit.xml": suite(case(name))}, manifest={"expected": ["smoke/ready"]}).verdict == "hold"


def told(decision: Decision) -> tuple[list[str], list[str]]:
    cases = [f"{c.key.removeprefix('foreign:')}" for cause in decision.causes for c in cause.cases]
    return [cause.reason.code for cause in decision.causes], cases


@pytest.mark.parametrize(
    ("content", "codes", "cases"),
    [
        # Whatever order two of one name come in, a pass never hides a failure.
        (suite(case("a"), case("a", FAILS)), ["failed-checks"], ["a"]),
        (suite(case("a", FAILS), case("a")), ["failed-checks"], ["a"]),
        (suite(case("a"), case("a")), [], []),
        # But for pytest's reruns, no tool that writes a name twice means attempts by it.
        (suite(case("a"), case("a"), name="pytest"), ["flaky-checks"], ["a"]),
        (suite(case("a"), case("a", FAILS), name="pytest"), ["failed-checks"], ["a"]),
        (suite(case("a", "<flakyFailure/>")), ["flaky-checks"], ["a"]),
        (suite(case("a", "<flakyError/>"), case("a")), ["flaky-checks"], ["a"]),
        (suite(case("a", "<flakyFailure/>" + FAILS)), ["failed-checks"], ["a"]),
        (suite(case("a", "<rerunFailure/>")), ["failed-checks", "nothing-passed"], ["a"]),
        (suite(case("a", "<rerunError/>")), ["check-errors", "nothing-passed"], ["a"]),
        (suite(case("a"), case("b", "<rerunFailure/>" + FAILS)), ["failed-checks"], ["b"]),
    ],
)
def test_attempts_and_repetitions(tmp_path: Path, content: str, codes: list[str], cases: list[str]) -> None:
    found = told(decide(tmp_path, {"junit.xml": content}))
    assert ([code for code in found[0] if code != "nothing-passed"], found[1]) == (
        [code for code in codes if code != "nothing-passed"],
        cases,
    )


def result(name: str, status: str, start: int | None, history: str = "h", **more: Any) -> str:
    values = {"name": name, "status": status, "historyId": history, "stop": 1_777_895_700_000, **more}
    return json.dumps(values if start is None else {**values, "start": start})


@pytest.mark.parametrize(
    ("results", "codes"),
    [
        ([result("a", "failed", 1), result("a", "passed", 2)], ["flaky-checks"]),
        ([result("a", "passed", 2), result("a", "broken", 1)], ["flaky-checks"]),
        ([result("a", "passed", 1), result("a", "failed", 2)], ["failed-checks", "nothing-passed"]),
        ([result("a", "passed", 1), result("a", "passed", 2)], []),
        # Where nothing says which was the last, the worst counts.
        ([result("a", "failed", 1), result("a", "passed", 1)], ["failed-checks", "nothing-passed"]),
        ([result("a", "failed", None), result("a", "passed", None)], ["failed-checks", "nothing-passed"]),
        ([result("a", "failed", 1, "one"), result("a", "passed", 2, "two")], ["failed-checks", "nothing-passed"]),
        ([result("a", "failed", 1, ""), result("a", "passed", 2, "")], ["failed-checks", "nothing-passed"]),
        ([result("a", "passed", 1, statusDetails={"flaky": True})], ["flaky-checks"]),
        ([result("a", "passed", 1, statusDetails={"message": "XPASS SHOP-2"})], ["expected-failures"]),
        ([result("a", "passed", 1), result("b", "skipped", 1, "b", statusDetails={"message": "XFAIL S"})],
         ["expected-failures"]),
    ],
)  # fmt: skip
def test_attempts_of_allure(tmp_path: Path, results: list[str], codes: list[str]) -> None:
    files = {f"{number}-result.json": content for number, content in enumerate(results)}
    assert told(decide(tmp_path, files))[0] == codes


def test_attempts_are_those_of_one_folder(tmp_path: Path) -> None:
    """The same test in two browsers is no retry."""
    files = {"one/a-result.json": result("a", "failed", 1), "two/a-result.json": result("a", "passed", 2)}
    assert "failed-checks" in told(decide(tmp_path, files))[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('tests="1"', ""),
        ('tests="2"', "declares 2 tests and holds 1"),
        ('tests="0"', "declares 0 tests and holds 1"),
        ('failures="1"', "declares 1 failures and errors and holds 0"),
        ('errors="1" failures=""', "declares 1 failures and errors and holds 0"),
        ('tests="one"', "declares tests='one', which is no number"),
    ],
)
def test_declared_counts(tmp_path: Path, more: str, words: str) -> None:
    decision = decide(tmp_path, {"junit.xml": suite(case("a"), more=more)})
    assert decision.verdict == ("hold" if words else "promote")
    assert words in "".join(cause.sentence for cause in decision.causes)


def test_a_policy_with_a_wrong_entry(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[[foreign]]\nmatch = "a"\nsuite = "smok"\nseverety = "major"\n')
    with pytest.raises(PolicyProblem) as seen:
        load_policy(path, [Folder(path=tmp_path)])
    assert "foreign[1].severety: unknown key; did you mean severity?" in str(seen.value)
    assert "foreign[1].suite: expected smoke, " in str(seen.value)
