"""JSON Schema of a policy's file, which unlike the policy that it comes to has no name and may extend another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec

from seatrial.gate.policy import SUITES, TRIGGERS, Policy
from seatrial.gate.section import Section


def sections() -> list[type[Section]]:
    """The kinds of tables of a policy, in the order of its fields."""
    return list(dict.fromkeys(_sections()))


def _sections() -> Iterator[type[Section]]:
    for hint in get_type_hints(Policy).values():
        for kind in (hint, *get_args(hint)):
            if isinstance(kind, type) and issubclass(kind, Section):
                yield kind
                yield from _inside(kind)


def _inside(section: type[Section]) -> Iterator[type[Section]]:
    """The kinds of tables in lists of a section."""
    for hint in get_type_hints(section).values():
        yield from (kind for kind in get_args(hint) if isinstance(kind, type) and issubclass(kind, Section))


def schema() -> dict[str, Any]:
    """Draft 2020-12."""
    (whole,), definitions = msgspec.json.schema_components([Policy], ref_template="#/$defs/{name}")
    del whole
    policy = definitions.pop("Policy")
    properties = policy["properties"]
    del properties["name"]
    inner = {"effects": (SUITES, "suite_effects"), "rollback": (TRIGGERS, "trigger_rules")}
    for section, (names, field) in inner.items():
        table = properties[section].pop("$ref", None) or properties[section].pop("allOf")[0]["$ref"]
        own = definitions[table.rpartition("/")[2]]
        kind = properties.pop(field)["additionalProperties"]
        # A struct of its own: what stands inside has no such tables again.
        inside = {**own, "properties": {**own["properties"], **dict.fromkeys(names, kind)}}
        if kind["$ref"] == table:
            definitions["InnerEffects"] = own
            kind = {"$ref": "#/$defs/InnerEffects"}
            inside["properties"].update(dict.fromkeys(names, kind))
        properties[section] = inside
    required = properties["required"]
    properties["required"] = {
        "type": "object",
        "properties": dict.fromkeys(SUITES, required["additionalProperties"]),
        "additionalProperties": False,
    }
    own_keys = {
        "extends": {"type": "string", "description": "policy over which this one is laid"},
        "description": {"type": "string", "description": "what it is for"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "seatrial policy",
        "type": "object",
        "properties": {**own_keys, **properties},
        "additionalProperties": False,
        "$defs": definitions,
    }


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=2) + "\n"
