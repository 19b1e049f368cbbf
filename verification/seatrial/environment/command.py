"""`seatrial env list|check|show`: environments without touching the network."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from seatrial.environment import loading
from seatrial.environment.locations import FixtureDirectory, fixture_directories
from seatrial.environment.precedence import choose


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.add_argument("action", choices=("list", "check", "show"), help="what to do")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="environments; for check all of them where none is named"
    )
    parser.add_argument("--fixtures", metavar="DIR", help="folder with environments/ [fixtures]")
    parser.add_argument("--json", action="store_true", help="show as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Return 0, or 2 where an environment is unknown or wrong."""
    directories = fixture_directories(Path.cwd(), arguments.fixtures)
    if arguments.action == "list":
        return _list(directories)
    if arguments.action == "check":
        return _check(arguments.names or loading.known(directories), directories)
    if len(arguments.names) != 1:
        print("seatrial env show: name one environment", file=sys.stderr)
        return 2
    return _show(arguments.names[0], directories, as_json=arguments.json)


def _list(directories: list[FixtureDirectory]) -> int:
    for name in loading.known(directories):
        try:
            description = loading.load(name, directories).environment.description
        except loading.EnvironmentProblem:
            description = f"(not valid: see `seatrial env check {name}`)"
        print(f"{name:<12} {description}".rstrip())
    return 0


def _check(names: list[str], directories: list[FixtureDirectory]) -> int:
    code = 0
    if not names:
        print("seatrial env check: there is no environment here; `seatrial init` writes one", file=sys.stderr)
        return 2
    for name in names:
        try:
            loaded = loading.load(name, directories)
        except loading.EnvironmentProblem as problem:
            print(problem, file=sys.stderr)
            code = 2
        else:
            count = len(loaded.environment.services)
            print(f"{name}: valid, {count} service{'s' if count != 1 else ''}, sha256 {loaded.sha256[:12]}")
    return code


def _show(name: str, directories: list[FixtureDirectory], *, as_json: bool) -> int:
    try:
        loaded = loading.load(name, directories)
    except loading.EnvironmentProblem as problem:
        print(problem, file=sys.stderr)
        return 2
    environment = loaded.environment
    # Secrets are references in the model, so there is none that could be shown.
    content: dict[str, Any] = environment.model_dump(mode="json", exclude_none=True)
    settled = {
        "track": choose("track", file=environment.run.track),
        "phase": choose("phase", file=environment.run.phase),
        "release": choose("release", file=environment.release.version, default=""),
    }
    if as_json:
        origins = {key: {"value": choice.value, "origin": choice.origin} for key, choice in settled.items()}
        document = {"environment": content, "files": [str(path) for path in loaded.files], "settled": origins}
        print(json.dumps({**document, "sha256": loaded.sha256}, indent=2))
        return 0
    print(f"# {', '.join(str(path) for path in loaded.files)}")
    print(f"# sha256 {loaded.sha256}")
    for key, choice in settled.items():
        print(f"# {key}: {choice.value or 'any'} ({choice.origin})")
    for line in _lines(content):
        print(line)
    return 0


def _lines(content: dict[str, Any], prefix: str = "") -> list[str]:
    """``key = value`` with dotted keys, empty tables and lists left out."""
    lines: list[str] = []
    for key, value in content.items():
        path = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict) and not _is_reference(value):
            lines += _lines(value, path)
        elif value not in ([], "", {}):
            lines.append(f"{path} = {_toml(value)}")
    return lines


def _is_reference(value: dict[str, Any]) -> bool:
    return set(value) in ({"env"}, {"file"})


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)
