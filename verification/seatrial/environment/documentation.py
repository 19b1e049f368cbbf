"""Writes the JSON Schema and the reference page of environments: ``python -m seatrial.environment.documentation``.

With ``--check`` nothing is written, and the exit code is 1 where a file is out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from seatrial import generated
from seatrial.environment.model import Environment
from seatrial.environment.units import format_duration

_SECRET: Final = ("SecretFromEnv", "SecretFromFile")

_HEAD: Final = """# Environments

<!-- Generated from verification/seatrial/environment/model.py by `make docs`. -->

An environment is a file `fixtures/environments/NAME.toml`. `extends` names a file, or a list of files, that it is merged
over, each over those named before it: tables key by key, everything else, lists too, is replaced. `base`, and every file
whose name begins with `_`, is there to be extended and is no environment. A file looks for what it extends in its own
folder first. Of the environments that seatrial ships, `demo` alone is offered to other projects, and a project's own files
win. A duration is a string with a unit: `250ms`, `30s`, `10m`, `2h`, `14d`. A secret is a reference, `{ env = "NAME" }` or
`{ file = "PATH" }`, never a value. Where `[target]` is declared, `${target.NAME}` stands for what the target reports.

`seatrial env check NAME` validates a file without touching the network; `seatrial env show NAME` prints the result.
Track, phase, release and digests are settled by: command line > environment variable (`SEATRIAL_TRACK`, `SEATRIAL_PHASE`,
`SEATRIAL_RELEASE`, `SEATRIAL_DIGESTS`) > file > default. Editors complete and check the files by `fixtures/environments/schema.json`.
"""


def _document() -> dict[str, Any]:
    document = Environment.model_json_schema()
    for definition in [document, *document["$defs"].values()]:
        _without_tables(definition)
    return document


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an environment file, which unlike the model has no name and may extend others."""
    document = _document()
    document["properties"].pop("name")
    document["required"] = [key for key in document.get("required", []) if key != "name"]
    if not document["required"]:
        del document["required"]
    # A file may hold a part only, and its base the rest: what is missing shows when the whole is loaded.
    for definition in document["$defs"].values():
        if definition.get("title") not in (*_SECRET, "Waiver"):
            definition.pop("required", None)
    extends = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    document["properties"] = {"extends": {**extends, "description": "files to build on"}, **document["properties"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "seatrial environment", **document}


def _type(definition: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What to write, in a few words."""
    if "$ref" in definition:
        name = definition["$ref"].rsplit("/", 1)[1]
        return "secret reference" if name in _SECRET else "table"
    if "anyOf" in definition:
        options = [_type(option, definitions) for option in definition["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(options))
    if "enum" in definition:
        return ", ".join(f"`{value}`" for value in definition["enum"])
    if definition.get("type") == "array":
        return f"list of {_type(definition.get('items', {}), definitions)}"
    if definition.get("type") == "object":
        inside = definition.get("additionalProperties", {})
        return "table" if inside is True else f"table of {_type(inside, definitions)}s, by name"
    if _is_duration(definition):
        return "duration"
    kind = str(definition.get("type", "any"))
    return {"integer": "whole number", "boolean": "true or false"}.get(kind, kind)


def _default(definition: dict[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    value = definition.get("default")
    if value in (None, "", [], {}) or isinstance(value, dict):
        return ""
    return f"`{json.dumps(value)}`"


def _target(definition: dict[str, Any]) -> tuple[str, str] | None:
    """The section that a key opens: its definition's name, and what to add to the path."""
    for option in [definition, *definition.get("anyOf", [])]:
        if "$ref" in option and (name := option["$ref"].rsplit("/", 1)[1]) not in _SECRET:
            return name, ""
        inner = option.get("additionalProperties")
        if isinstance(inner, dict) and "$ref" in inner:
            return inner["$ref"].rsplit("/", 1)[1], ".NAME"
        inner = option.get("items")
        if isinstance(inner, dict) and "$ref" in inner:
            return inner["$ref"].rsplit("/", 1)[1], "[]"
    return None


def _without_tables(definition: dict[str, Any]) -> None:
    """Durations by default as they are written, and no tables: their own keys say what is in them."""
    for value in definition.get("properties", {}).values():
        default = value.get("default")
        if default is None or isinstance(default, dict):
            value.pop("default", None)
        elif _is_duration(value) and isinstance(default, (int, float)):
            value["default"] = format_duration(default)


def _is_duration(definition: dict[str, Any]) -> bool:
    return any("(ms|s|m|h|d)" in option.get("pattern", "") for option in [definition, *definition.get("anyOf", [])])


def _sections(path: str, definition: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    rows = []
    nested: list[tuple[str, str]] = []
    for key, value in definition.get("properties", {}).items():
        if path == "" and key == "name":
            continue
        default = _default(value, required=key in definition.get("required", []))
        rows.append(f"| `{key}` | {_type(value, definitions)} | {default} | {value.get('description', '')} |")
        if target := _target(value):
            nested.append((f"{path}.{key}".lstrip(".") + target[1], target[0]))
    title = f"`[{path}]`" if not path.endswith("[]") else f"`[[{path[:-2]}]]`"
    heading = f"## {title}" if path else "## Top level"
    yield "\n".join(
        [
            heading,
            "",
            " ".join(definition.get("description", "").split()),
            "",
            "| key | type | default | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )
    for inner, name in nested:
        yield from _sections(inner, definitions[name], definitions)


def page() -> str:
    """The reference page as Markdown."""
    document = _document()
    return "\n".join([_HEAD, *_sections("", document, document["$defs"])])


def files() -> dict[Path, str]:
    """What is generated, by path relative to the repository."""
    return {
        Path("fixtures/environments/schema.json"): json.dumps(schema(), indent=2) + "\n",
        Path("docs/environment.md"): page(),
    }


if __name__ == "__main__":
    sys.exit(generated.main(files()))
