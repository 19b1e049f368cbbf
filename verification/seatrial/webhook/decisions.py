"""Which recorded decision answers a question: the newest about that environment and release, if it is fresh."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seatrial.gate.decision import EXIT_CODES
from seatrial.gate.question import CLOCK_SKEW
from seatrial.gate.receipt import ReceiptProblem
from seatrial.gate.record import NAME, SCHEMA
from seatrial.webhook.recorded import AuditLog, NotAsRecorded

MAX_FILE: Final = 64 * 1024 * 1024
MAX_FOLDERS: Final = 10_000
NONE: Final = "none"
"""Where no decision answers. Neither a promotion nor a rollback follows from it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a decision must be about. Raises ValueError where either is missing: nothing is guessed."""

    environment: str
    release: str

    def __post_init__(self) -> None:
        for name in ("environment", "release"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value or len(value) > 300:
                raise ValueError(f"{name}: expected the {name} that is asked about, seen {value!r:.60}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A decision, or `none`, with the reason in words."""

    decision: str
    reason: str
    decided: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class _Recorded:
    decided: dt.datetime
    verdict: str
    digest: str
    source: str
    about: tuple[str, str]
    why: str
    shadow: bool


def answer(
    reports: Path, asked: Asked, *, now: dt.datetime, max_age: dt.timedelta, log: AuditLog | None = None
) -> Answer:
    """The newest decision in ``reports`` or a folder in it, as it was recorded in ``log``, or in the one at hand.

    Fails closed: what cannot be read, or was altered, might have been the newest.
    """
    log = log or AuditLog.beside(reports, None)
    try:
        found = list(_recorded(reports, log))
        last, digest = log.newest(asked.environment, asked.release)
    except (OSError, ValueError) as problem:
        return Answer(decision=NONE, reason=f"the decisions cannot be read: {problem}")
    about = [one for one in found if one.about == (asked.environment, asked.release)]
    if not about:
        words = f"there is no decision about {asked.release} in {asked.environment}"
        return Answer(decision=NONE, reason=f"{words}; {len(found)} others are known")
    # Of two of one second the graver counts.
    newest = max(about, key=lambda one: (one.decided, EXIT_CODES[one.verdict]))
    age = now - newest.decided
    known = {"decided": newest.decided.isoformat().replace("+00:00", "Z"), "source": newest.source}
    if age > max_age:
        words = f"the decision is {int(age.total_seconds())} s old, allowed are {int(max_age.total_seconds())} s"
        return Answer(decision=NONE, reason=words, **known)
    if age < -CLOCK_SKEW:
        return Answer(decision=NONE, reason="the decision is from the future: a clock is wrong", **known)
    if digest and last >= known["decided"] and all(one.digest != digest for one in about):
        words = f"{log.path} has a decision of {last} about it, which is not in {reports}"
        return Answer(decision=NONE, reason=words, **known)
    if newest.shadow:
        return Answer(decision=NONE, reason="the decision was made in the shadow: nobody is to act upon it", **known)
    return Answer(decision=newest.verdict, reason=newest.why, **known)


def _recorded(reports: Path, log: AuditLog) -> Iterator[_Recorded]:
    if not reports.is_dir():
        raise ValueError(f"{reports} is no folder")
    folders = [reports]
    with os.scandir(reports) as entries:
        # Links, as `latest` is, only lead to a folder that is here anyway.
        folders += sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    if len(folders) > MAX_FOLDERS:
        raise ValueError(f"{reports} holds more than {MAX_FOLDERS} folders")
    for folder in folders:
        path = folder / NAME
        if path.is_symlink() or path.exists():
            yield _read(path, log)


def _read(path: Path, log: AuditLog) -> _Recorded:
    source = f"{path.parent.name}/{path.name}"
    try:
        content = _content(path)
        digest = hashlib.sha256(content).hexdigest()
        document = json.loads(content)
        log.vouch(path, digest)
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {str(document['schema'])[:40]}, this version reads {SCHEMA}")
        verdict = document["decision"]
        if EXIT_CODES[verdict] != document["exit_code"]:
            raise ValueError("decision and exit code contradict each other")
        decided = dt.datetime.fromisoformat(document["decided"])
        if decided.tzinfo is None:
            raise ValueError("its time has no zone")
        return _Recorded(
            decided=decided.astimezone(dt.UTC),
            verdict=verdict,
            digest=digest,
            source=source,
            about=(document["environment"], document["release"]["wanted"]),
            why=_why(document),
            shadow=document.get("shadow") is not None,
        )
    except OSError as error:
        raise ValueError(f"{source}: {error.strerror or error}") from None
    except (NotAsRecorded, ReceiptProblem) as problem:
        raise ValueError(f"{source}: {problem}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{source}: no decision: {str(error)[:200]}") from None


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ValueError("no regular file")
        content = stream.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE >> 20} MiB")
    return content


def _why(document: Any) -> str:
    sentences = [str(cause["sentence"]) for cause in document["causes"] if cause["effect"] != "note"]
    return "; ".join(sentences)[:500] or "the evidence is complete, and nothing that counts speaks against the release"
