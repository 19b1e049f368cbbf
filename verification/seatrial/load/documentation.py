"""Writes the JSON Schema of load profiles and the tables of the page on load: ``python -m seatrial.load.documentation``.

Run from the root of the repository; ``--check`` writes nothing and fails where a file is out of date. The schema goes
to ``load/profiles/schema.json``; the tables go between two marks in ``docs/load.md``, whose prose is written by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from seatrial import generated
from seatrial.load.profile import Bounds, Profile, parse_profile

PROFILES: Final = Path("load/profiles")
SCHEMA: Final = PROFILES / "schema.json"
PAGE: Final = Path("docs/load.md")
BEGIN: Final = "<!-- Profiles and keys: generated from load/profiles and verification/seatrial/load/profile.py. -->"
END: Final = "<!-- End of the keys. -->"


def schema() -> str:
    """The JSON Schema of a profile, as text."""
    document: dict[str, Any] = {
        "$schema": GenerateJsonSchema.schema_dialect,
        **Profile.model_json_schema(mode="validation"),
        "title": "A load profile of seatrial",
    }
    # A file that is replayed has its own rate and duration, and conversations stand in for prompts.
    del document["required"]
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def profiles() -> str:
    """The shipped profiles, as a Markdown table."""
    rows = []
    for path in sorted(PROFILES.glob("*.toml")):
        profile = parse_profile(path.read_text(encoding="utf-8"), str(path))
        rows.append(f"| `{path.stem}` | {profile.description} | {profile.requests(1)} |")
    head = [
        "### Profiles that ship\n",
        "| profile | what it sends | requests to each track, with warm-up |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def tables() -> str:
    """All that is generated on the page."""
    keys = [
        generated.key_table(title, model)
        for title, model in (("Keys of a profile", Profile), ("Keys of `[bounds]`", Bounds))
    ]
    return "\n".join([profiles(), *keys])


if __name__ == "__main__":
    sys.exit(generated.main({SCHEMA: schema(), PAGE: generated.between(PAGE, BEGIN, END, tables())}))
