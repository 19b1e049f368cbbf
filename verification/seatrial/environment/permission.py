"""What a run may do to an environment besides looking. Refusals name the key that would allow it."""

from __future__ import annotations

from seatrial.environment.model import Environment


def refuse_write(environment: Environment) -> str | None:
    """Why synthetic checks may not write here, or None where they may."""
    if environment.data.allow_writes:
        return None
    return f"writes are not allowed in {environment.name}: data.allow_writes is false"


def refuse_load(environment: Environment) -> str | None:
    """Why load may not be sent here, or None where it may."""
    if environment.load.allowed:
        return None
    return f"load is not allowed in {environment.name}: load.allowed is false"
