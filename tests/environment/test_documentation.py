"""The schema and the page say what the model says."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from seatrial.environment.documentation import files, page, schema
from seatrial.environment.loading import EnvironmentProblem, load
from seatrial.environment.model import Environment

REPOSITORY = Path(__file__).parents[2]
SHIPPED = sorted((REPOSITORY / "fixtures" / "environments").glob("*.toml"))
SCHEMA = schema()
PAGE = page()


def validate(value: Any) -> None:
    """Raises ValidationError. That the schema is one itself is a test of its own, which takes longest."""
    jsonschema.Draft202012Validator(SCHEMA).validate(value)


@pytest.mark.parametrize("path", files(), ids=str)
def test_what_is_generated_is_current(path: Path) -> None:
    assert (REPOSITORY / path).read_text(encoding="utf-8") == files()[path], "run make docs"


def models() -> list[type[BaseModel]]:
    """Every section of an environment."""
    found: dict[str, type[BaseModel]] = {}

    def visit(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__name__ not in found:
            found[kind.__name__] = kind
            for field in kind.model_fields.values():
                visit(field.annotation)
        for inner in getattr(kind, "__args__", ()):
            visit(inner)

    visit(Environment)
    return list(found.values())


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_section_and_key_is_described(model: type[BaseModel]) -> None:
    assert model.__doc__
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name} has no description"
        # The name is that of the file; what a reference looks like is said at the head of the page.
        if name != "name" and not model.__name__.startswith("SecretFrom"):
            assert f"| `{name}` |" in PAGE


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_satisfy_the_schema(path: Path) -> None:
    validate(_as_json(path.read_text()))


def test_defaults_satisfy_the_schema() -> None:
    # One validator for all: a schema of its own for each key would be searched for references as a whole each time.
    whole = jsonschema.Draft202012Validator(SCHEMA)
    for name, definition in SCHEMA["$defs"].items():
        for key, value in definition.get("properties", {}).items():
            if "default" in value:
                whole.evolve(schema={"$ref": f"#/$defs/{name}/properties/{key}"}).validate(value["default"])
                assert not isinstance(value["default"], dict), key


S = "[services.c]\nurl.stable = 'https://a.example'\n"
BOTH_REFUSE = [
    "runn = 1",
    "name = 't'",
    "extends = 3",
    "[data]\nallow_writes = 'yes'",
    "[rollout]\nmax_restarts = -1",
    "[run]\ntrack = 'green'",
    S + "timeout = 5",
    S + "timeout = '5'",
    S + "auth = 'hunter2'",
    S + "auth = { value = 'hunter2' }",
    S + "health.live = 'healthz'",
    S + "workload = 'chatbot'",
    S + "objectives.error_rate = 2",
    "services.c.url.stable = 'a.example'",
    "services.c.url.stable = 'https://'",
    "[hosts.h]\nspec = 'shh://a'",
    "[hosts.h]\nspec = 'local://'\nlistening = ['80']",
    "[[waivers]]\ncheck = 'a'",
]


@pytest.mark.parametrize("text", BOTH_REFUSE)
def test_schema_and_model_refuse_alike(text: str, write: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(_as_json(text))
    with pytest.raises(EnvironmentProblem):
        load("t", [write(t=text, base="")])


def _as_json(text: str) -> Any:
    """TOML as a checker of schemas sees it: dates are texts."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))
