"""Templates of custom resources: no field that their definitions would prune, and none of another type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from support.custom_resources import KINDS

PIPELINES = Path(__file__).parents[2] / "deploy" / "pipelines"
FILES = ("argo-rollouts.yaml", "flagger.yaml", "tekton.yaml")


def documents() -> Iterator[Any]:
    for name in FILES:
        for number, document in enumerate(yaml.safe_load_all((PIPELINES / name).read_text())):
            yield pytest.param(document, id=f"{name}:{number}")


def problems(document: Any) -> list[str]:
    schema = KINDS[document["apiVersion"], document["kind"]]
    jsonschema.Draft202012Validator.check_schema(schema)
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("document", list(documents()))
def test_as_they_ship(document: Any) -> None:
    assert problems(document) == []


@pytest.mark.parametrize("document", list(documents()))
def test_a_field_that_nobody_knows_is_seen_wherever_it_is(document: Any) -> None:
    """One in each table of the template, but in those that Kubernetes has schemas for and in maps of words."""
    tried = 0
    for node, path in _tables(document, ""):
        node["nonsense"] = {}
        assert problems(document), path
        del node["nonsense"]
        tried += 1
    assert tried >= 8
    assert problems(document) == []


def _tables(node: Any, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(node, dict):
        yield node, path
        opaque = {"securityContext", "env"} | ({"job"} if "job" in node else set())
        for key, value in list(node.items()):
            if key not in opaque:
                yield from _tables(value, f"{path}.{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _tables(value, f"{path}[{number}]")


def _canary(document: Any) -> Any:
    return document["spec"]["analysis"]


@pytest.mark.parametrize(
    ("name", "number", "spoil"),
    [
        pytest.param("flagger.yaml", 0, lambda d: _canary(d).update(interval="1 minute"), id="interval"),
        pytest.param("flagger.yaml", 0, lambda d: _canary(d).update(threshold="10"), id="threshold"),
        pytest.param(
            "flagger.yaml",
            0,
            lambda d: _canary(d)["webhooks"][0].update(type="confirm-promotions"),
            id="type of a hook",
        ),
        pytest.param(
            "flagger.yaml", 0, lambda d: _canary(d)["webhooks"][0]["metadata"].update(release=1.5), id="metadata"
        ),
        pytest.param(
            "argo-rollouts.yaml",
            1,
            lambda d: d["spec"]["metrics"][0]["provider"].update(job={"spec": {}}),
            id="job without a spec",
        ),
        pytest.param("argo-rollouts.yaml", 1, lambda d: d["spec"]["metrics"][0].pop("provider"), id="no provider"),
        pytest.param(
            "argo-rollouts.yaml",
            2,
            lambda d: d["spec"]["strategy"]["canary"]["steps"][0].update(setWeight="5"),
            id="weight",
        ),
        pytest.param("tekton.yaml", 0, lambda d: d["spec"]["steps"][0].update(timeout="45"), id="timeout"),
        pytest.param(
            "tekton.yaml", 1, lambda d: d["spec"]["tasks"][1]["when"][0].update(operator="equals"), id="operator"
        ),
        pytest.param(
            "tekton.yaml", 1, lambda d: d["spec"]["tasks"][1].update(taskRef={"name": "other"}), id="two kinds of task"
        ),
    ],
)
def test_a_wrong_value_is_seen(name: str, number: int, spoil: Callable[[Any], object]) -> None:
    document = list(yaml.safe_load_all((PIPELINES / name).read_text()))[number]
    assert problems(document) == []
    spoil(document)
    assert problems(document)
