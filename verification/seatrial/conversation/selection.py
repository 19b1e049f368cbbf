"""Whether a script runs here, and with which service it talks."""

from __future__ import annotations

import difflib

from seatrial.conversation.script import Described
from seatrial.environment.model import Environment, Phase
from seatrial.environment.permission import refuse_write


class NoSuchService(ValueError):
    """The environment has no service for the script, or several and the script names none."""


def belongs(script: Described, environment: Environment, phase: Phase) -> bool:
    """Whether the script is meant for this environment and phase."""
    return phase in script.phases and (not script.environments or environment.name in script.environments)


def refusal(script: Described, environment: Environment) -> str:
    """Why the environment does not allow the script; empty where it does."""
    reason = refuse_write(environment) if script.writes else None
    return f"the script says writes = true, and {reason}" if reason else ""


def service_name(script: Described, environment: Environment) -> str:
    """The service that the script talks to: the one it names, else the only, else ``chat``. Raises NoSuchService."""
    names = list(environment.services)
    known = f"it has: {', '.join(names)}" if names else "it has none"
    if script.service is not None:
        if script.service in environment.services:
            return script.service
        near = difflib.get_close_matches(script.service, names, n=1)
        hint = f"did you mean {near[0]}?" if near else known
        raise NoSuchService(
            f"service: expected a service of the environment {environment.name}, seen {script.service!r}; {hint}"
        )
    if len(names) == 1:
        return names[0]
    if "chat" in environment.services:
        return "chat"
    raise NoSuchService(f"service: expected the name of a service of the environment {environment.name}; {known}")
