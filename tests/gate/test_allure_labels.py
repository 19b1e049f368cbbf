"""Labels of ours are found however they are written; those of others are passed over, but must be labels."""

import json
from typing import Any

import pytest

from seatrial.gate import allure

OWN = {"seatrial.key": "smoke/ready[chat]", "seatrial.outcome": "fail", "seatrial.schema": "1"}


def result(labels: Any, **more: Any) -> str:
    return json.dumps({"name": "t", "status": "failed", "stop": 1, "labels": labels, **more})


def written(labels: dict[str, str], **more: Any) -> str:
    return result([{"name": name, "value": value} for name, value in labels.items()], **more)


@pytest.mark.parametrize(
    "content",
    [
        written(OWN),
        written(OWN).replace("seatrial.", "\\u0073eatrial."),
        written(OWN).replace("seatrial.", "seatrial\\u002e"),
        written(OWN, description="\u2713"),
        written({"suite": "s", **OWN, "host": "\u00e9"}),
    ],
)
def test_labels_of_ours(content: str) -> None:
    found = allure.read([(content.encode(), "a-result.json")])
    assert [(case.key, case.foreign) for case in found.cases] == [("smoke/ready[chat]", False)]


@pytest.mark.parametrize("labels", [[], None, {}, [{"name": "suite", "value": 1}], [1, None, {}], [{"value": "v"}]])
def test_labels_of_others(labels: Any) -> None:
    found = allure.read([(result(labels).encode(), "a-result.json")])
    assert [(case.key, case.foreign) for case in found.cases] == [("foreign:t", True)]
    assert not found.problems


@pytest.mark.parametrize(("labels", "seen"), [({"a": "b"}, "an object"), ("suite", "text"), (7, "a number")])
def test_what_is_no_list_of_labels(labels: Any, seen: str) -> None:
    found = allure.read([(result(labels).encode(), "a-result.json")])
    assert [problem.message for problem in found.problems] == [f"labels: expected a list, seen {seen}"]


@pytest.mark.parametrize("labels", ["[{]", '[{"name": }]', "[nope]", "["])
def test_labels_that_are_not_whole(labels: str) -> None:
    content = '{"name": "t", "status": "passed", "labels": ' + labels + "}"
    found = allure.read([(content.encode(), "a-result.json")])
    assert not found.passes
    assert "not whole JSON" in found.problems[0].message
