"""What is wrong with an environment, in sentences: where, which key, what was expected, what was seen."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic_core import ErrorDetails

from seatrial.environment.model import Environment
from seatrial.environment.sources import Chain, Key
from seatrial.environment.values import TARGET

_EXPECTED: Final = {
    "bool_type": "true or false",
    "date_from_datetime_parsing": "a date such as 2027-01-31",
    "date_type": "a date such as 2027-01-31",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_attributes_type": "a table",
    "model_type": "a table",
    "string_too_short": "a text that is not empty",
    "string_type": "a text",
    "finite_number": "a finite number",
    "tuple_type": "a list",
}
_COMPARED: Final = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
_REFERENCES: Final = ("SecretFromEnv", "SecretFromFile")


class EnvironmentProblem(ValueError):
    """An environment that cannot be used; the message lists everything that is wrong with it, one line each."""


def dotted(key: Key) -> str:
    """A key as people write it: ``services.chat.url``, ``waivers[0].reason``, ``services."chat.v2".url``."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            text += ("." if text else "") + (part if bare else json.dumps(part))
    return text


def sentence(detail: ErrorDetails, chain: Chain) -> str:
    """One error of the model as one line."""
    key: Key = tuple(part for part in detail["loc"] if part != "[key]")
    reference = next((index for index, part in enumerate(key) if part in _REFERENCES), None)
    if reference is not None:
        # What was seen is not repeated: it may be the secret itself.
        key = key[:reference]
        text = 'expected a reference, { env = "NAME" } or { file = "PATH" }, never the secret itself'
    elif detail["type"] == "extra_forbidden":
        text = f"unknown key{_hint(str(key[-1]), _keys_at(key[:-1]))}"
    elif detail["type"] == "missing":
        text = "is missing"
    else:
        text = _said(detail)
    return f"{chain.place(key)}: {dotted(key)}: {text}"


def _said(detail: ErrorDetails) -> str:
    kind, seen, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        values = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return f"expected one of {', '.join(values)}; seen {_shown(seen)}{_hint(seen, values, otherwise=False)}"
    if kind in _EXPECTED:
        # Where a table belongs, a text may be a connection string with its password.
        shown = _shape(seen) if _EXPECTED[kind] in ("a table", "a list") else _shown(seen)
        return f"expected {_EXPECTED[kind]}, seen {shown}"
    for sign, words in _COMPARED.items():
        if sign in context:
            return f"expected {words} {context[sign]:g}, seen {_shown(seen)}"
    message = detail["msg"]
    return f"{message[:1].lower()}{message[1:]}, seen {_shown(seen)}"


def _shape(value: Any) -> str:
    names = {str: "a text", dict: "a table", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return _shape(value)
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hint(seen: Any, names: list[str], *, otherwise: bool = True) -> str:
    near = difflib.get_close_matches(str(seen), names, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known here: {', '.join(names)}" if otherwise and names else ""


def _keys_at(key: Key) -> list[str]:
    """Names of the keys that may stand at a place, by walking the schema, which knows tables of free names."""
    schema = Environment.model_json_schema()
    definitions: dict[str, Any] = schema["$defs"]
    current = [schema]
    for part in key:
        below = [_below(option, part) for option in current]
        current = [inner for option in below if option for inner in _resolved(option, definitions)]
    return sorted({name for option in current for name in option.get("properties", {}) if key or name != "name"})


def _below(schema: dict[str, Any], part: str | int) -> dict[str, Any] | None:
    found = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
    inner = schema.get("additionalProperties")
    return found or (inner if isinstance(inner, dict) else None)


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for option in schema.get("anyOf", [schema]):
        yield definitions[option["$ref"].rsplit("/", 1)[1]] if "$ref" in option else option


def contradictions(environment: Environment) -> Iterator[tuple[Key, str]]:
    """What no single field can tell: a key, and what is wrong with it."""
    cluster = environment.cluster
    if cluster and cluster.in_cluster and (cluster.kubeconfig or cluster.context):
        yield ("cluster", "in_cluster"), "expected either in_cluster or kubeconfig and context, seen both"
    for name, service in environment.services.items():
        at: Key = ("services", name)
        if service.latency is not None and not environment.load.allowed:
            yield (*at, "latency"), "a profile is declared, but load.allowed is false"
        if service.candidate_workload and not service.workload:
            yield (*at, "candidate_workload"), f"expected {dotted(at)}.workload beside it, the one of stable"
        if service.metrics is not None and environment.metrics is not None and environment.metrics.prometheus is None:
            for unanswered in service.metrics.needs_server():
                yield (
                    (*at, "metrics", *unanswered),
                    "expected metrics.prometheus, since a page alone cannot answer this",
                )
        if cluster and cluster.namespaces and service.namespace and service.namespace not in cluster.namespaces:
            known = ", ".join(cluster.namespaces)
            yield (*at, "namespace"), f"expected one of cluster.namespaces ({known}), seen {service.namespace!r}"
    for name in environment.drills.services:
        if name not in environment.services:
            hint = _hint(name, sorted(environment.services))
            yield ("drills", "services"), f"expected names of services, seen {name!r}{hint}"
    for region, content in environment.regions.items():
        for name in content.services:
            if name not in environment.services:
                hint = _hint(name, sorted(environment.services))
                yield ("regions", region, "services", name), f"expected the name of a service{hint}"


def placeholders(value: Any, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """Every text below ``value`` that has a placeholder in it, with its key."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in items:
        yield from placeholders(inner, (*key, part))
    if isinstance(value, str) and TARGET in value:
        yield key, value
