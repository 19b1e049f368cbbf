"""The conversations that ship, their schema and their page."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from seatrial.conversation import documentation
from seatrial.conversation.command import scripts_in
from seatrial.conversation.loading import load

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "synthetic" / "conversations"
SCRIPTS = scripts_in([FOLDER])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_are_in_order_and_follow_the_schema(path: Path) -> None:
    script = load(path)
    assert script.id == path.stem
    assert script.owner
    assert path.read_text().startswith("#:schema ./schema.json\n")
    validator = jsonschema.Draft202012Validator(json.loads((FOLDER / "schema.json").read_text()))
    validator.validate(tomllib.loads(path.read_text()))


def test_the_schema_knows_mistakes() -> None:
    schema = json.loads((FOLDER / "schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for broken in ({"title": "t"}, {"title": "t", "turn": []}, {"title": "t", "turn": [{"say": "x", "expct": {}}]}):
        assert not validator.is_valid(broken)


def test_what_is_generated_is_current() -> None:
    assert (REPOSITORY / documentation.SCHEMA).read_text(encoding="utf-8") == documentation.schema()
    assert documentation.keys() in (REPOSITORY / documentation.PAGE).read_text(encoding="utf-8")
