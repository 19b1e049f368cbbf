"""Loads environments: finds the file, builds on what it extends, fills in what the target reports, validates.

Nothing here touches the network. Every problem is reported at once, as far as one can be seen behind another.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from seatrial.environment.locations import FixtureDirectory
from seatrial.environment.model import Environment
from seatrial.environment.problems import EnvironmentProblem, contradictions, dotted, placeholders, sentence
from seatrial.environment.sources import BASE, Chain, Key, is_base, merge, read
from seatrial.environment.values import NAME

__all__ = ["BASE", "EnvironmentProblem", "LoadedEnvironment", "digest", "dotted", "known", "load", "merge"]

_PLACEHOLDER: Final = re.compile(r"\$\{target\.([A-Za-z0-9_]+)\}")


@dataclass(frozen=True, kw_only=True)
class LoadedEnvironment:
    """An environment, what it was made of, and the hash of what it says."""

    environment: Environment
    chain: Chain
    """Its files, and which of them set a key."""
    sha256: str
    """Over the canonical JSON of the environment as declared: placeholders unfilled, secrets as references."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it was made of, its own first."""
        return self.chain.files


def known(directories: Sequence[FixtureDirectory]) -> list[str]:
    """Names of the environments that can be loaded, sorted; those of bases are not among them."""
    found = {name for directory in directories for name in directory.names("environments")}
    return sorted(name for name in found if not is_base(name))


def load(
    name: str, directories: Sequence[FixtureDirectory], *, variables: Mapping[str, str] | None = None
) -> LoadedEnvironment:
    """Load the environment ``name``; the directory that comes first has its way.

    With ``variables`` every ``${target.NAME}`` is filled in; without, it stays as it stands and is valid. Raises
    EnvironmentProblem: for an unknown name with the known ones and the nearest, and otherwise with every problem at
    once, each with file, line, key, what was expected and what was seen.
    """
    candidates = (directory.file("environments", name) for directory in directories)
    path = next((path for path in candidates if path is not None), None) if NAME.fullmatch(name) else None
    if path is None or is_base(name):
        raise EnvironmentProblem(_unknown(name, directories))
    chain, problems = read(path, name, directories)
    if chain is None:
        raise EnvironmentProblem("\n".join(problems))
    data = chain.merged()
    declared = _validated(name, data, chain)
    environment = declared
    if variables is not None and declared.target is not None:
        environment = _validated(name, _filled(data, variables, chain), chain)
    elif variables:
        raise EnvironmentProblem(f"{path}: target: expected a [target] table, since the run brings a target up")
    return LoadedEnvironment(environment=environment, chain=chain, sha256=digest(declared))


def digest(environment: Environment) -> str:
    """SHA-256 of the environment as canonical JSON: keys sorted, no blanks, durations with units, secrets referred to.

    Two environments that say the same have the same, however they are spread over files.
    """
    canonical = json.dumps(environment.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _unknown(name: str, directories: Sequence[FixtureDirectory]) -> str:
    names = known(directories)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    if is_base(name):
        hint = " It is a base for others to extend."
    places = ", ".join(str(directory.path / "environments") for directory in directories)
    listed = ", ".join(names) or "none; `seatrial init` writes one"
    return f"unknown environment {name!r}.{hint} Known are: {listed} (looked in {places})."


def _filled(data: dict[str, Any], variables: Mapping[str, str], chain: Chain) -> dict[str, Any]:
    unknown = [
        f"{chain.place(key)}: {dotted(key)}: the target has no variable {variable!r}{_nearest(variable, variables)}"
        for key, text in placeholders(data)
        for variable in _PLACEHOLDER.findall(text)
        if variable not in variables
    ]
    if unknown:
        raise EnvironmentProblem("\n".join(unknown))

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        return _PLACEHOLDER.sub(lambda match: variables[match[1]], value) if isinstance(value, str) else value

    filled: dict[str, Any] = fill(data)
    return filled


def _nearest(variable: str, variables: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(variable, variables, n=1)
    return f"; did you mean {near[0]}?" if near else f"; it has {', '.join(sorted(variables)) or 'none'}"


def _validated(name: str, data: Mapping[str, Any], chain: Chain) -> Environment:
    problems: list[tuple[Key, str]] = []
    if "name" in data:
        problems.append((("name",), f"unknown key; the environment is called {name!r}, as its file is"))
    for key, text in placeholders(data):
        if "target" not in data:
            problems.append((key, f"expected a [target] table that could fill {_placeholder(text)}"))
        elif text.count("${target.") != len(_PLACEHOLDER.findall(text)):
            problems.append((key, f"expected ${{target.NAME}}, seen {_placeholder(text)}"))
    lines = [f"{chain.place(key)}: {dotted(key)}: {text}" for key, text in problems]
    try:
        environment = Environment.model_validate({**data, "name": name})
    except ValidationError as error:
        lines += [sentence(detail, chain) for detail in error.errors(include_url=False)]
    else:
        lines += [f"{chain.place(key)}: {dotted(key)}: {text}" for key, text in contradictions(environment)]
        if not lines:
            return environment
    raise EnvironmentProblem("\n".join(dict.fromkeys(lines)))


def _placeholder(text: str) -> str:
    """The first placeholder of a text, without what stands around it."""
    return re.sub(r"^.*?(\$\{target\.[^}\s]{0,40}\}?).*$", r"\1", text, flags=re.DOTALL)
