"""The commands that would bring the missing evidence, or repeat what failed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from seatrial.gate import cause as reasons
from seatrial.gate.advice import of
from seatrial.gate.cause import Cause
from seatrial.gate.merging import Evidence
from seatrial.gate.question import Question

MOST: Final = 5
PROGRAMS: Final = ("pytest", "seatrial")
"""Programs that a command out of a report may name. Reports are data: nobody should paste anything else from one."""

_AGAIN: Final = frozenset(
    {reasons.UNFINISHED, reasons.NO_PLAN, reasons.STALE, reasons.NO_TIME, reasons.NO_RELEASE, reasons.NO_REPORT}
    | {reasons.OTHER_RELEASE, reasons.UNTRUSTED, reasons.UNREADABLE, reasons.NOTHING_PASSED}
)
"""Reasons that only another run of everything answers."""


def commands(causes: Sequence[Cause], evidence: Evidence, question: Question) -> tuple[str, ...]:
    """Each once, the most telling first, at most MOST; none where no environment is known or nothing holds."""
    run = _run(evidence, question)
    found: dict[str, None] = {}
    for cause in causes:
        if cause.effect != "note":
            found.update(dict.fromkeys(_of_cause(cause, run)))
    whole = shlex.join(run) if run else ""
    if whole in found:
        # It brings what the narrower ones bring.
        kept = [command for command in found if command == whole or not command.startswith(f"{whole} -m ")]
        return tuple(kept[:MOST])
    return tuple(found)[:MOST]


def advice(causes: Sequence[Cause], evidence: Evidence, question: Question) -> tuple[str, ...]:
    """What to do about the causes that no command answers, in words, each once."""
    run = _run(evidence, question)
    silent = [cause for cause in causes if cause.effect != "note" and not any(_of_cause(cause, run))]
    return tuple(dict.fromkeys(of(cause.reason.code, cause.effect) for cause in silent))


def _of_cause(cause: Cause, run: Sequence[str]) -> Iterator[str]:
    for case in cause.cases:
        if case.outcome is not None and (command := safe_command(case.reproduce)):
            yield command
    yield from cause.commands
    if not run:
        return
    if cause.suites:
        yield shlex.join([*run, "-m", " or ".join(cause.suites)])
    elif cause.reason in _AGAIN or cause.reason is reasons.MISSING:
        yield shlex.join(run)


def safe_command(text: str) -> str:
    """A command out of a report, quoted anew so that a shell sees words only; empty where it is none of ours."""
    try:
        words = shlex.split(text)
    except ValueError:
        return ""
    if not words or words[0] not in PROGRAMS or any(not word.isprintable() for word in words):
        return ""
    return shlex.join(words)


def _run(evidence: Evidence, question: Question) -> list[str]:
    """The command of a whole run like the ones that were read."""
    environments = evidence.facts("environment")
    environment = question.environment or (environments[0] if environments else "")
    if not environment or not environment.isprintable():
        return []
    words = ["pytest", f"--env={environment}"]
    for option, name in (("--track", "track"), ("--phase", "phase")):
        known = evidence.facts(name)
        if len(known) == 1 and known[0].isprintable():
            words.append(f"{option}={known[0]}")
    wanted = evidence.facts("release-wanted")
    release = question.release or (wanted[0] if len(wanted) == 1 else "")
    if release.isprintable() and release:
        words.append(f"--release={release}")
    return words
