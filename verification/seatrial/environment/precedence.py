"""Where a setting comes from: command line > environment variable > file > default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A value and where it came from, in words for a header."""

    value: str | None
    origin: str


def variable(name: str) -> str:
    """The process environment's variable for the setting ``name``: ``SEATRIAL_`` and the name in capitals."""
    return "SEATRIAL_" + name.upper().replace("-", "_")


def choose(
    name: str,
    *,
    command_line: str | None = None,
    file: str | None = None,
    default: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Choice:
    """The value of a setting: command line > environment variable > file > default. Empty means not given."""
    process = (os.environ if environ is None else environ).get(variable(name))
    if command_line:
        return Choice(value=command_line, origin="command line")
    if process:
        return Choice(value=process, origin=variable(name))
    if file:
        return Choice(value=file, origin="file")
    return Choice(value=default, origin="default")
