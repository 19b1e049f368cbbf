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


def refuse_drill(environment: Environment) -> str | None:
    """Why nothing may be broken on purpose here, or None where it may."""
    drills = environment.drills
    if not drills.allowed:
        return (
            f"drills.allowed is false in the environment {environment.name}; `allowed = true` under [drills] of its "
            "file would allow it"
        )
    production = environment.data.classification == "production" or environment.name == "production"
    if production and not drills.allowed_in_production:
        return (
            f"the environment {environment.name} counts as production{_kept_by(environment)}; beside `allowed` it "
            "takes `allowed_in_production = true` under [drills] of its file, or another `data.classification`"
        )
    return None


def _kept_by(environment: Environment) -> str:
    return ", which holds production data" if environment.data.classification == "production" else ""
