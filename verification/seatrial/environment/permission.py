"""What a run may do to an environment besides looking. A refusal names the key that would allow it."""

from __future__ import annotations

from seatrial.environment.model import Environment


def refuse_write(environment: Environment) -> str | None:
    """Why synthetic checks may not write here, or None where they may."""
    if environment.data.allow_writes:
        return None
    return (
        f"data.allow_writes is false in the environment {environment.name}"
        f"{_kept_by(environment)}; `allow_writes = true` under [data] of its file would allow it"
    )


def refuse_load(environment: Environment) -> str | None:
    """Why load may not be sent here, or None where it may, within the bounds of ``environment.load``."""
    if environment.load.allowed:
        return None
    return (
        f"load.allowed is false in the environment {environment.name}; `allowed = true` under [load] of its file, "
        "with the bounds that it can bear, would allow it"
    )


def _kept_by(environment: Environment) -> str:
    return ", which holds production data" if environment.data.classification == "production" else ""
