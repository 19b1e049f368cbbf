"""Reads environment files: finds, extends, fills in, validates, and reports every problem at once."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from seatrial.environment.locations import FixtureDirectory
from seatrial.environment.model import Environment

BASE: Final = "base"
"""Name of the file that others extend; it is no environment by itself."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PLACEHOLDER: Final = re.compile(r"\$\{target\.([A-Za-z0-9_]+)\}")


class EnvironmentProblem(ValueError):
    """An environment that cannot be used; the message lists everything that is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class LoadedEnvironment:
    """An environment, the files that it was made of (the nearest first), and the hash of what it says."""

    environment: Environment
    files: tuple[Path, ...]
    sha256: str
    """Over the canonical JSON of the environment as declared: placeholders unfilled, secrets as references."""


def known(directories: Sequence[FixtureDirectory]) -> list[str]:
    """Names of the environments that can be loaded, sorted."""
    return sorted({name for directory in directories for name in directory.names("environments")} - {BASE})


def load(
    name: str, directories: Sequence[FixtureDirectory], *, variables: Mapping[str, str] | None = None
) -> LoadedEnvironment:
    """Load the environment ``name``.

    Without ``variables``, ``${target.NAME}`` stays as it stands. Raises EnvironmentProblem: for an unknown name with
    the known ones, and otherwise with every problem at once, each with file, key, what was expected and what was seen.
    """
    if not _NAME.fullmatch(name) or name == BASE:
        raise EnvironmentProblem(_unknown(name, directories))
    files: list[Path] = []
    data = _read(name, directories, files, chain=())
    declared = _validated(name, data, files)
    if not variables:
        environment = declared
    elif declared.target is None:
        raise EnvironmentProblem(f"{files[0]}: target: expected a [target] table, since the run brings a target up")
    else:
        environment = _validated(name, _filled(data, variables, files[0]), files)
    return LoadedEnvironment(environment=environment, files=tuple(files), sha256=_digest(declared))


def _digest(environment: Environment) -> str:
    canonical = json.dumps(environment.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _unknown(name: str, directories: Sequence[FixtureDirectory]) -> str:
    names = known(directories)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    places = ", ".join(str(directory.path / "environments") for directory in directories)
    listed = ", ".join(names) or "none; `seatrial init` writes one"
    return f"unknown environment {name!r}.{hint} Known are: {listed} (looked in {places})."


def _read(
    name: str, directories: Sequence[FixtureDirectory], files: list[Path], *, chain: tuple[str, ...]
) -> dict[str, Any]:
    path = next((path for directory in directories if (path := directory.file("environments", name))), None)
    if path is None:
        if not chain:
            raise EnvironmentProblem(_unknown(name, directories))
        raise EnvironmentProblem(f"{files[-1]}: extends: expected the name of an environment file, seen {name!r}")
    if name in chain:
        raise EnvironmentProblem(f"{path}: extends: goes round in a circle: {' -> '.join([*chain, name])}")
    files.append(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise EnvironmentProblem(f"{path}: not readable as TOML: {error}") from None
    extends = data.pop("extends", [])
    parents = [extends] if isinstance(extends, str) else extends
    if not isinstance(parents, list) or not all(isinstance(parent, str) for parent in parents):
        raise EnvironmentProblem(f"{path}: extends: expected a name or a list of names, seen {extends!r}")
    merged: dict[str, Any] = {}
    for parent in parents:
        merged = merge(merged, _read(parent, directories, files, chain=(*chain, name)))
    return merge(merged, data)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``over`` on top: tables are merged key by key, everything else, lists too, is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _filled(value: Any, variables: Mapping[str, str], path: Path, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, variables, path, f"{key}.{name}".lstrip(".")) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, variables, path, f"{key}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        if match[1] not in variables:
            names = ", ".join(sorted(variables))
            raise EnvironmentProblem(f"{path}: {key}: the target has no variable {match[1]!r}; it has {names}")
        return variables[match[1]]

    return _PLACEHOLDER.sub(variable, value)


def _validated(name: str, data: Mapping[str, Any], files: Sequence[Path]) -> Environment:
    try:
        environment = Environment.model_validate({"name": name, **data})
    except ValidationError as error:
        problems = [_problem(detail, files) for detail in error.errors(include_url=False)]
        raise EnvironmentProblem("\n".join(dict.fromkeys(problems))) from None
    problems = [f"{files[0]}: {problem}" for problem in _contradictions(name, environment)]
    if problems:
        raise EnvironmentProblem("\n".join(problems))
    return environment


def _contradictions(name: str, environment: Environment) -> Iterator[str]:
    """What no single field can tell."""
    if environment.name != name:
        yield f"name: expected {name!r}, the name of the file, seen {environment.name!r}"
    if environment.target is None and "${target." in environment.model_dump_json():
        yield "${target.NAME} is used, but no [target] is declared that could fill it"
    if environment.cluster and environment.cluster.kubeconfig and environment.cluster.in_cluster:
        yield "cluster: kubeconfig and in_cluster exclude each other"
    for key, service in environment.services.items():
        if service.workload and service.workload.count("/") != 1:
            yield f"services.{key}.workload: expected kind/name such as deployment/chatbot, seen {service.workload!r}"
        if service.latency is not None and not environment.load.allowed:
            yield f"services.{key}.latency: a profile is declared, but load.allowed is false"


def _problem(detail: ErrorDetails, files: Sequence[Path]) -> str:
    keys = [str(part) for part in detail["loc"]]
    secret = next((index for index, key in enumerate(keys) if key in ("SecretFromEnv", "SecretFromFile")), None)
    if secret is not None:
        # What was seen is not repeated: it may be the secret itself.
        keys = keys[:secret]
        reference = '{ env = "NAME" } or { file = "PATH" }'
        return f"{_place(keys, files)}: {'.'.join(keys)}: expected a reference, {reference}, never the secret itself"
    path = ".".join(keys)
    where = _place(keys, files)
    if detail["type"] == "extra_forbidden":
        allowed = _fields_at(Environment, keys[:-1])
        near = difflib.get_close_matches(keys[-1], allowed, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(allowed)}"
        return f"{where}: {path}: unknown key{hint}"
    if detail["type"] == "missing":
        return f"{where}: {path}: is missing"
    if detail["type"] == "model_type":
        # What was seen is not repeated here either: a whole connection string is easily written in place of its table.
        return f"{where}: {path}: expected a table, seen {type(detail['input']).__name__}"
    message = detail["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    seen = "" if "seen" in message or "write " in message else f", seen {detail['input']!r}"
    return f"{where}: {path}: {message}{seen}"


def _fields_at(model: type[BaseModel], keys: Sequence[str]) -> list[str]:
    """Names of the keys allowed at a place, by walking the schema, which also knows tables of free names."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    current: dict[str, Any] = schema
    for key in keys:
        candidates = [current.get("properties", {}).get(key), current.get("additionalProperties"), current.get("items")]
        found = next((candidate for candidate in candidates if isinstance(candidate, dict)), {})
        options = [found, *found.get("anyOf", []), *found.get("allOf", [])]
        resolved = [definitions[option["$ref"].rsplit("/", 1)[1]] if "$ref" in option else option for option in options]
        current = next((option for option in resolved if "properties" in option or "items" in option), resolved[0])
        if "additionalProperties" in found and isinstance(found["additionalProperties"], dict):
            current = found
    return sorted(current.get("properties", {}))


def _place(keys: Sequence[str], files: Sequence[Path]) -> str:
    """The file and line that set a key or, of a key that stands nowhere, the most of its path; the nearest first."""
    best, place = 0, str(files[0])
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in _assignments(lines):
            if best < len(line) <= len(keys) and line == list(keys[: len(line)]):
                best, place = len(line), f"{path}:{number}"
    return place


def _assignments(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Line numbers with the full key that each line sets, for tables and simple assignments."""
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if match := re.match(r"\s*\[\[([^\]]+)\]\]", line):
            name = match[1].strip()
            index = counts.get(name, -1) + 1
            counts[name] = index
            table = [*_parts(name), str(index)]
            yield number, table
        elif match := re.match(r"\s*\[([^\]]+)\]", line):
            table = _parts(match[1])
            yield number, table
        elif match := re.match(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=", line):
            yield number, [*table, *_parts(match[1])]


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
