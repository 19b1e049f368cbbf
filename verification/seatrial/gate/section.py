"""What all sections of a policy share: no unknown keys, and one way to write how long something may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

AGE: Final = r"^([0-9]{1,6}[smhd]|any)$"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Span = Annotated[str, Meta(pattern=r"^[0-9]{1,6}[smhd]$")]
"""A length of time, such as `90m`."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: an unknown key is an error."""

    def contradictions(self) -> Iterator[str]:
        """What is wrong with the section as a whole, though each of its keys is allowed."""
        return iter(())


def seconds(span: str) -> int | None:
    """A length of time in seconds; None where it is `any`."""
    match = re.fullmatch(r"([0-9]+)([smhd])", span)
    return None if match is None else int(match[1]) * _UNITS[match[2]]
