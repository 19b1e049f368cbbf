"""Fixtures that failed, as Allure's containers tell of them: they count where the results do not say so themselves."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.gate import collection
from seatrial.gate.allure_containers import Containers
from seatrial.gate.decision import Verdict
from seatrial.gate.merging import merge
from support.gate import ask
from support.reports import Reports, good

FOREIGN = {"required": {"foreign": {"minimum": 1}}, "evidence": {"identity": "optional", "max_age": "any"}}


def result(folder: Path, name: str, status: str = "passed", **more: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"uuid": name, "name": name, "historyId": name, "status": status, "start": 1, "stop": 2, **more}
    (folder / f"{name}-result.json").write_text(json.dumps(content))


def container(folder: Path, name: str, children: list[Any] | None, **more: Any) -> None:
    content = {"uuid": name, "start": 1, "stop": 2, **more} | ({} if children is None else {"children": children})
    (folder / f"{name}-container.json").write_text(json.dumps(content))


def fixture(status: str | None = "broken", name: str = "database", message: str = "no route to host") -> dict[str, Any]:
    return {"name": name, "status": status, "statusDetails": {"message": message, "trace": "..."}}


def outcomes(folder: Path) -> dict[str, tuple[str | None, str]]:
    """What is known of each test in the end: outcome and words."""
    evidence = merge(collection.read([folder]))
    assert evidence.problems == ()
    passes = {name: ("pass", "") for report in evidence.passes for name in report.tests}
    told = {key.removeprefix("foreign:"): (case.outcome, case.message) for key, case in evidence.cases.items()}
    return {**passes, **{name: (outcome and outcome.value, words) for name, (outcome, words) in told.items()}}


SET_UP = ("error", "set-up fixture database is broken: no route to host")
TEAR_DOWN = ("error", "tear-down fixture database is failed: no route to host")
PASS = ("pass", "")


@pytest.mark.parametrize(
    ("more", "a", "b"),
    [
        pytest.param({"befores": [fixture()]}, SET_UP, PASS, id="set-up broke"),
        pytest.param({"afters": [fixture("failed")]}, TEAR_DOWN, PASS, id="tear-down failed"),
        pytest.param({"befores": [fixture("passed"), fixture()]}, SET_UP, PASS, id="the second broke"),
        pytest.param(
            {"befores": [fixture("unknown")]},
            ("error", "set-up fixture database is unknown: no route to host"),
            PASS,
            id="nobody knows how it ended",
        ),
        pytest.param(
            {"befores": [{"status": "broken"}]}, ("error", "set-up fixture without a name is broken"), PASS, id="bare"
        ),
        pytest.param({"befores": [fixture("passed")], "afters": [fixture("skipped")]}, PASS, PASS, id="all went well"),
        pytest.param({"befores": [fixture(None)], "afters": []}, PASS, PASS, id="no status is told"),
        pytest.param({"befores": None, "afters": None}, PASS, PASS, id="no fixtures"),
        pytest.param({}, PASS, PASS, id="nothing"),
    ],
)
def test_of_a_test_that_passed(tmp_path: Path, more: dict[str, Any], a: tuple[str, str], b: tuple[str, str]) -> None:
    result(tmp_path, "a")
    result(tmp_path, "b")
    container(tmp_path, "c", ["a"], **more)
    assert outcomes(tmp_path) == {"a": a, "b": b}
    assert ask(tmp_path, FOREIGN, {"release": ""}).verdict is (Verdict.PROMOTE if a == PASS else Verdict.HOLD)


def test_every_test_that_it_was_for(tmp_path: Path) -> None:
    for name in "abc":
        result(tmp_path, name)
    container(tmp_path, "session", ["a", "b"], afters=[fixture("failed")])
    assert outcomes(tmp_path) == {"a": TEAR_DOWN, "b": TEAR_DOWN, "c": PASS}


@pytest.mark.parametrize(
    ("status", "details", "told"),
    [
        ("failed", {"message": "1 == 2"}, ("fail", "1 == 2")),
        ("broken", {"message": "its own words"}, ("error", "its own words")),
        # A suite whose set-up broke skips its tests in some frameworks: that is where it is told at all.
        ("skipped", {"message": "ignored"}, SET_UP),
        ("skipped", {"message": "XFAIL known\n\nno route to host"}, (None, "XFAIL known")),
    ],
)
def test_what_a_result_says_of_itself_stays(
    tmp_path: Path, status: str, details: dict[str, str], told: tuple[str | None, str]
) -> None:
    result(tmp_path, "a", status, statusDetails=details)
    container(tmp_path, "c", ["a"], befores=[fixture()])
    assert outcomes(tmp_path) == {"a": told}


def test_an_earlier_attempt_makes_the_test_flaky(tmp_path: Path) -> None:
    result(tmp_path, "first", historyId="h", start=1)
    result(tmp_path, "second", historyId="h", start=5)
    container(tmp_path, "c", ["first"], befores=[fixture()])
    (case,) = merge(collection.read([tmp_path])).cases.values()
    assert (case.outcome, case.flaky, case.message) == ("pass", True, SET_UP[1])


def test_containers_inside_of_containers(tmp_path: Path) -> None:
    for name in "abc":
        result(tmp_path, name)
    container(tmp_path, "class", ["a"])
    container(tmp_path, "suite", ["class", "b", "suite"], befores=[fixture()])
    assert outcomes(tmp_path) == {"a": SET_UP, "b": SET_UP, "c": PASS}


@pytest.mark.parametrize("children", [None, [], ["gone"], [7, None], ["c"]])
def test_one_that_was_for_no_result_is_an_error_of_the_run(tmp_path: Path, children: list[Any] | None) -> None:
    result(tmp_path, "a")
    container(tmp_path, "c", children, befores=[fixture(), fixture()])
    assert outcomes(tmp_path) == {"a": PASS, "c-container.json (run)": SET_UP}


def test_uuids_are_those_of_one_folder(tmp_path: Path) -> None:
    result(tmp_path / "one", "a", fullName="one")
    result(tmp_path / "two", "a", fullName="two")
    container(tmp_path / "one", "c", ["a"], befores=[fixture()])
    assert outcomes(tmp_path) == {"one": SET_UP, "two": PASS}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: not whole JSON: the file is empty"),
        ('{"uuid": "c", "befores": [{"name": "database", "sta', "line 1: not whole JSON"),
        ("[]", "expected a JSON object, seen a list"),
        ('{"children": {}}', "children: expected a list, seen an object"),
        ('{"befores": "broken"}', "befores: expected a list, seen text"),
        ('{"afters": [3]}', "line 1: no container of Allure: "),
        ("[" * 100_000, "nested too deep"),
        ("\xff", "not whole JSON"),
    ],
)
def test_one_that_cannot_be_read_holds(tmp_path: Path, content: str, message: str) -> None:
    result(tmp_path, "a")
    (tmp_path / "c-container.json").write_text(content)
    (problem,) = collection.read([tmp_path]).problems
    assert (problem.source, message in problem.message) == ("c-container.json", True)
    assert ask(tmp_path, FOREIGN, {"release": ""}).verdict is Verdict.HOLD


def test_it_is_part_of_the_evidence(tmp_path: Path) -> None:
    result(tmp_path, "a")
    container(tmp_path, "c", ["a"])
    assert list(collection.read([tmp_path]).files) == ["a-result.json", "c-container.json"]
    assert collection.read([tmp_path / "c-container.json"]).problems == ()


def ours(folder: Path, reports: Reports) -> tuple[Path, dict[str, str]]:
    """Reports of a run of ours: the folder of its results, and their uuids by the key of the case."""
    reports.write(folder)
    named = {}
    for number, path in enumerate(sorted(folder.rglob("*-result.json"))):
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "uuid": f"u{number}"}))
        labels = {label["name"]: label["value"] for label in content["labels"]}
        named[labels["seatrial.key"]] = f"u{number}"
    return path.parent, named


@pytest.mark.parametrize("key", ["smoke/ready[chat]@candidate", "smoke/ready[chat]@stable"])
def test_a_case_of_ours_becomes_an_error_and_its_reports_do_not_contradict_each_other(tmp_path: Path, key: str) -> None:
    results, named = ours(tmp_path, good())
    assert ask(tmp_path).verdict is Verdict.PROMOTE
    container(results, "c", [named[key]], afters=[fixture("failed")])
    decision = ask(tmp_path)
    assert {cause.reason.code for cause in decision.of_effect("hold", "rollback")} <= {"check-errors"}
    (case,) = (case for cause in decision.causes for case in cause.cases if case.key == key)
    assert (case.outcome, case.message) == TEAR_DOWN
    # A control decides nothing by itself.
    assert decision.verdict is (Verdict.HOLD if key.endswith("candidate") else Verdict.PROMOTE)


def test_a_failure_of_ours_stays_one(tmp_path: Path) -> None:
    results, named = ours(tmp_path, good().but("smoke/ready", "fail"))
    container(results, "c", [named["smoke/ready[chat]@candidate"]], afters=[fixture()])
    assert ask(tmp_path).verdict is Verdict.ROLLBACK


TESTS = """
    import pytest

    @pytest.fixture
    def broken_set_up():
        raise OSError("no route to host")

    @pytest.fixture
    def broken_tear_down():
        yield
        raise OSError("no route to host")

    @pytest.fixture(scope="module")
    def of_all():
        yield
        raise OSError("no route to host")

    @pytest.fixture
    def skipping():
        pytest.skip("not here")

    def test_fine(): pass
    def test_set_up(broken_set_up): pass
    def test_tear_down(broken_tear_down): pass
    def test_skipped(skipping): pass
    @pytest.mark.xfail(reason="known")
    def test_expected(broken_set_up): pass
    def test_first(of_all): pass
    def test_last(of_all): pass
"""


def test_what_allure_pytest_writes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_shop=TESTS)
    pytester.runpytest_subprocess("-p", "no:locust", "-p", "no:cacheprovider", "--alluredir=results")
    told = outcomes(pytester.path / "results")
    assert {name.rpartition("#")[2]: outcome for name, (outcome, _) in told.items()} == {
        "test_set_up": "error",
        "test_tear_down": "error",
        "test_skipped": None,
        "test_expected": None,
        # Only the container says that what was torn down after both of them broke.
        "test_first": "error",
        "test_last": "error",
        "test_fine": "pass",
    }
    assert told["test_shop#test_first"][1].endswith(" is broken: OSError: no route to host")


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["broken", "a", "c"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["uuid", "children", "befores", "afters", "status", "name", "statusDetails", "message"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=15,
    )
)
def test_any_json_is_read_or_refused_in_words(document: Any) -> None:
    containers = Containers()
    with contextlib.suppress(ValueError):
        containers.add(json.dumps(document).encode(), "results/x-container.json")
    containers.broken()
