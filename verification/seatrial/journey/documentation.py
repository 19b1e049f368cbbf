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


def page(current: str) -> str:
    """``current`` with new tables between the marks. Raises ValueError where a mark is missing."""
    before, _, rest = current.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{PAGE}: expected the lines {BEGIN!r} and {END!r}")
    parts = []
    for title, model in _TABLES:
        rows = [f"| `{field.alias or name}` | {field.description} |" for name, field in model.model_fields.items()]
        parts.append("\n".join([f"### {title}\n", "| key | meaning |", "|---|---|", *rows, ""]))
    return f"{before}{BEGIN}\n\n{chr(10).join(parts)}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(generated.main({SCHEMA: schema(), PAGE: page(PAGE.read_text(encoding="utf-8"))}))
