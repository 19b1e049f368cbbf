"""`seatrial env list|check|show|schema`: environments without touching the network."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seatrial.environment import loading
from seatrial.environment.locations import FixtureDirectory, data_folders, fixture_directories
from seatrial.environment.precedence import Choice, choose
from seatrial.environment.sources import Key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.add_argument(
        "action",
        choices=("list", "check", "show", "schema"),
        help="list all, check some, show what one comes to, or print the JSON Schema",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="environments")
    parser.add_argument("--all", action="store_true", help="check all of them; so does naming none")
    parser.add_argument("--fixtures", metavar="DIR", help="folder with environments/ and policies/ [fixtures]")
    parser.add_argument("--json", action="store_true", help="show as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Return 0, or 2 where an environment is unknown or wrong."""
    directories = fixture_directories(Path.cwd(), arguments.fixtures)
    if arguments.action == "schema":
        from seatrial.environment.documentation import schema

        print(json.dumps(schema(), indent=2))
        return 0
    if arguments.action == "list":
        return _list(directories)
    if arguments.action == "check":
        if arguments.names and arguments.all:
            print("seatrial env check: expected names or --all, seen both", file=sys.stderr)
            return 2
        return _check(arguments.names or loading.known(directories), directories)
    if len(arguments.names) != 1:
        print("seatrial env show: name one environment", file=sys.stderr)
        return 2
    return _show(arguments.names[0], directories, as_json=arguments.json)


def _list(directories: Sequence[FixtureDirectory]) -> int:
    for name in loading.known(directories):
        try:
            description = loading.load(name, directories).environment.description
        except loading.EnvironmentProblem:
            description = f"(not valid: see `seatrial env check {name}`)"
        print(f"{name:<12} {description}".rstrip())
    return 0


def _check(names: Sequence[str], directories: Sequence[FixtureDirectory]) -> int:
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
            continue
        missing = list(_missing_files(loaded, directories))
        if missing:
            print("\n".join(missing), file=sys.stderr)
            code = 2
        else:
            count = len(loaded.environment.services)
            print(f"{name}: valid, {count} service{'s' if count != 1 else ''}, sha256 {loaded.sha256[:12]}")
    return code


def _missing_files(loaded: loading.LoadedEnvironment, directories: Sequence[FixtureDirectory]) -> Iterator[str]:
    """Policies and load profiles that are named and are not there."""
    environment, place = loaded.environment, loaded.chain.place
    policies = sorted({name for directory in directories for name in directory.names("policies")})
    if environment.policy is not None and environment.policy not in policies:
        yield f"{place(('policy',))}: policy: {_no_such('policy', environment.policy, policies)}"
    profiles = sorted(
        {path.stem for folder in data_folders(Path.cwd(), "load/profiles") for path in folder.glob("*.toml")}
    )
    for name, service in environment.services.items():
        if service.latency and service.latency.profile not in profiles:
            where = f"{place(('services', name, 'latency', 'profile'))}: services.{name}.latency.profile"
            yield f"{where}: {_no_such('load profile', service.latency.profile, profiles)}"


def _no_such(what: str, seen: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(seen, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names) or 'none'}"
    return f"expected the name of a {what}, seen {seen!r}; {hint}"


def _show(name: str, directories: Sequence[FixtureDirectory], *, as_json: bool) -> int:
    try:
        loaded = loading.load(name, directories)
    except loading.EnvironmentProblem as problem:
        print(problem, file=sys.stderr)
        return 2
    environment = loaded.environment
    # Secrets are references in the model, so there is none that could be shown.
    content: dict[str, Any] = environment.model_dump(mode="json", exclude_none=True)
    origin = loaded.chain.origin
    run = environment.run
    settled = {
        "track": choose("track", file=run.track if origin(("run", "track")) else None, default=run.track),
        "phase": choose("phase", file=run.phase if origin(("run", "phase")) else None, default=run.phase),
        "release": choose("release", file=environment.release.version, default=""),
    }
    values = {loading.dotted(key): (value, origin(key) or "default") for key, value in _leaves(content)}
    if as_json:
        document = {
            "environment": content,
            "origins": {key: place for key, (_, place) in values.items() if key != "name"},
            "files": [str(path) for path in loaded.files],
            "settled": {key: {"value": choice.value, "origin": choice.origin} for key, choice in settled.items()},
            "sha256": loaded.sha256,
        }
        print(json.dumps(document, indent=2))
    else:
        print("\n".join([*_head(loaded, settled), *_table(values, loaded.files)]))
    return 0


def _head(loaded: loading.LoadedEnvironment, settled: dict[str, Choice]) -> Iterator[str]:
    yield f"# {loaded.environment.name}, sha256 {loaded.sha256}"
    for path in loaded.files:
        yield f"# {path}"
    for key, choice in settled.items():
        yield f"# {key}: {choice.value or 'any'} ({choice.origin})"


def _table(values: dict[str, tuple[Any, str]], files: Sequence[Path]) -> Iterator[str]:
    """``key = value  # origin``, TOML again that comes to the same; empty tables, lists and texts are left out."""
    lines = [
        (f"{key} = {_toml(value)}", origin)
        for key, (value, origin) in values.items()
        if key != "name" and value not in ([], "", {})
    ]
    # A folder is said once, in the head; two files of one name in two folders keep theirs.
    short = {str(path): path.name for path in files if [other.name for other in files].count(path.name) == 1}
    width = min(max((len(line) for line, _ in lines), default=0), 72)
    for line, origin in lines:
        path, separator, number = origin.rpartition(":")
        yield f"{line:<{width}}  # {short.get(path, path)}{separator}{number}"


def _leaves(content: dict[str, Any], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Everything that is no table, lists and secret references as a whole, with its key."""
    for part, value in content.items():
        if isinstance(value, dict) and value and set(value) not in ({"env"}, {"file"}):
            yield from _leaves(value, (*above, part))
        else:
            yield (*above, part), value


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # A text in JSON is one in TOML, except that TOML wants DEL escaped and knows no surrogate pairs.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
