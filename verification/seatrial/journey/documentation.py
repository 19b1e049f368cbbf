"""Writes the JSON Schema of journeys and the table of keys: ``python -m seatrial.journey.documentation [--check]``.

Run from the root of the repository. The schema goes to ``synthetic/journeys/schema.json``; the tables go between two
marks in ``docs/journeys.md``, whose prose is written by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from seatrial import generated
from seatrial.journey.script import Journey, Step

SCHEMA: Final = Path("synthetic/journeys/schema.json")
PAGE: Final = Path("docs/journeys.md")
BEGIN: Final = "<!-- Keys: generated from verification/seatrial/journey/script.py by `make docs`. -->"
END: Final = "<!-- End of the keys. -->"
_TABLES: Final[tuple[tuple[str, type[BaseModel]], ...]] = (("Of the file", Journey), ("Of a `[[step]]`", Step))


def schema() -> str:
    """The JSON Schema of a journey, as text."""
    document: dict[str, Any] = {
        "$schema": GenerateJsonSchema.schema_dialect,
        **Journey.model_json_schema(mode="validation"),
        "title": "A journey of seatrial",
    }
    # The name of the file stands in for the id, so a file need not have one.
    document["required"] = [key for key in document["required"] if key != "id"]
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def keys() -> str:
    """The tables of keys, as Markdown."""
    return "\n".join(generated.key_table(title, model) for title, model in _TABLES)


if __name__ == "__main__":
    sys.exit(generated.main({SCHEMA: schema(), PAGE: generated.between(PAGE, BEGIN, END, keys())}))
