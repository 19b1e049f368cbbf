"""Who brings out what, and why: the change behind a decision, as the command line or the pipeline tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 200
"""Characters of one fact; the rest is cut off."""

ACTOR: Final = (
    "SEATRIAL_ACTOR",
    # GitHub: who started this attempt, before who started the first one.
    "GITHUB_TRIGGERING_ACTOR",
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    # Jenkins, by its plugin "build user vars".
    "BUILD_USER_ID",
    "BUILD_USER",
    # Azure Pipelines.
    "BUILD_REQUESTEDFOREMAIL",
    "BUILD_REQUESTEDFOR",
    "CIRCLE_USERNAME",
    "BUILDKITE_BUILD_CREATOR_EMAIL",
    "BUILDKITE_BUILD_CREATOR",
)
"""Variables that name the person who deploys, the first that is set counts."""
COMMIT: Final = (
    "SEATRIAL_CHANGE",
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "GIT_COMMIT",
    "BUILD_SOURCEVERSION",
    "CIRCLE_SHA1",
    "BUILDKITE_COMMIT",
)
TICKET: Final = ("SEATRIAL_TICKET",)
PIPELINE: Final = ("CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL")
_GITHUB: Final = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change record asks for. Empty where nobody said."""

    actor: str = ""
    """Who deploys; may not approve it."""
    actor_from: str = ""
    """Where the name was found: `--actor`, or the variable. It is worth what the pipeline's word is worth."""
    ticket: str = ""
    what: str = ""
    """The commit or change that is brought out."""
    pipeline: str = ""
    """Address of the pipeline's run that asked."""

    @classmethod
    def told(cls, variables: Mapping[str, str], *, actor: str = "", ticket: str = "", what: str = "") -> Change:
        """What the command line says, else what the environment variables say."""
        named, origin = _first(actor, "--actor", ACTOR, variables)
        return cls(
            actor=named,
            actor_from=origin,
            ticket=_first(ticket, "--ticket", TICKET, variables)[0],
            what=_first(what, "--change", COMMIT, variables)[0],
            pipeline=_first("", "", PIPELINE, variables)[0] or _github_run(variables),
        )


def _first(given: str, option: str, names: tuple[str, ...], variables: Mapping[str, str]) -> tuple[str, str]:
    """The value and where it was found: the option before the variables, these in their order."""
    candidates = ((option, given), *((name, variables.get(name, "")) for name in names))
    return next(((text, origin) for origin, value in candidates if (text := _line(value))), ("", ""))


def _github_run(variables: Mapping[str, str]) -> str:
    server, repository, run = (_line(variables.get(name, "")) for name in _GITHUB)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""


def _line(value: str) -> str:
    kept = "".join(character for character in value if character.isprintable())
    return kept.strip()[:LONGEST]
