"""Writes the JSON Schema of scripts and the table of keys: ``python -m seatrial.conversation.documentation [--check]``.

Run from the root of the repository. The schema goes to ``synthetic/conversations/schema.json``; the tables go between
two marks in ``docs/conversations.md``, whose prose is written by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from seatrial import generated
from seatrial.conversation.placeholders import BUILT_IN
from seatrial.conversation.script import Capture, Expect, JsonExpect, Script, Turn

SCHEMA: Final = Path("synthetic/conversations/schema.json")
PAGE: Final = Path("docs/conversations.md")
BEGIN: Final = "<!-- Keys: generated from verification/seatrial/conversation/script.py by `make docs`. -->"
END: Final = "<!-- End of the keys. -->"

_TABLES: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    ("Of the file", Script),
    ("Of a `[[turn]]`", Turn),
    ("Of `expect`", Expect),
    ("Of a JSONPath in `expect.json`", JsonExpect),
    ("Of a name in `capture`", Capture),
)


def schema() -> str:
    """The JSON Schema of a script, as text."""
    document: dict[str, Any] = {
        "$schema": GenerateJsonSchema.schema_dialect,
        **Script.model_json_schema(mode="validation"),
        "title": "A conversation of seatrial",
    }
    # The name of the file stands in for the id, so a file need not have one.
    document["required"] = [key for key in document["required"] if key != "id"]
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def keys() -> str:
    """The tables of keys, as Markdown."""
    parts = [generated.key_table(title, model) for title, model in _TABLES]
    rows = [f"| `${{{name}}}` | {meaning} |" for name, meaning in BUILT_IN.items()]
    parts.append("\n".join(["### Names that are always there\n", "| name | meaning |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(generated.main({SCHEMA: schema(), PAGE: generated.between(PAGE, BEGIN, END, keys())}))
