"""What makes two measurements comparable: what is sent, how, where to, and in which form it is written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import pydantic_core

from seatrial.environment.model import Service
from seatrial.load.profile import Profile
from seatrial.load.samples import SCHEMA

_OF_JUDGING: Final = {"description", "bounds", "confidence", "seed"}
"""Keys of a profile that change nothing of the load itself."""


def path_of(service: Service, profile: Profile) -> str:
    """The path that is requested."""
    return profile.path or ("/v1/chat/completions" if service.protocol == "openai" else "/")


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """All texts. ``profile`` is the SHA-256 of what the profile sends, whatever its seed."""

    profile: str
    protocol: str
    model: str
    path: str
    region: str
    samples: str
    """Version of the form of samples."""

    @classmethod
    def of(cls, service: Service, profile: Profile, *, region: str = "") -> Fingerprint:
        """That of ``profile`` sent to ``service``."""
        sent = pydantic_core.to_jsonable_python(profile, exclude=_OF_JUDGING)
        return cls(
            profile=sha256_of(sent),
            protocol=service.protocol,
            model=service.model,
            path=path_of(service, profile),
            region=region,
            samples=str(SCHEMA),
        )

    def as_json(self) -> dict[str, str]:
        """For a file."""
        return asdict(self)

    def differences(self, other: Mapping[str, str]) -> str:
        """In which parts ``other`` differs, in a phrase; empty where in none."""
        mine = self.as_json()
        names = [name for name in mine if mine[name] != other.get(name)]
        return ", ".join(f"{name} {_short(other.get(name))}, now {_short(mine[name])}" for name in names)


def _short(value: str | None) -> str:
    return repr("" if value is None else value[:12])


def canonical(content: object) -> str:
    """Sorted keys, no insignificant space, ASCII alone: one text for one value."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256_of(content: object) -> str:
    """Over the canonical JSON of ``content``."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()
