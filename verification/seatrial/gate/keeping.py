"""Writes a decision down: a line of the audit log and the files beside the reports. Unless it is kept, it is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seatrial.evidence.run import timestamp, write_atomically
from seatrial.gate import approval, audit, receipt, record, statement
from seatrial.gate.approval import Subject
from seatrial.gate.asking import Asked
from seatrial.gate.audit import NotRecorded
from seatrial.gate.canonical import sha256
from seatrial.gate.decision import Decision, Verdict
from seatrial.gate.merging import merge
from seatrial.gate.receipt import Receipt

_OF_A_DECISION: Final = (record.NAME, receipt.NAME, statement.NAME, "summary.md", "decision.html")
"""What a gate leaves of one decision, the one that pipelines read first."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A decision that is on the disk."""

    sha256: str
    """Of ``decision.json``."""
    receipt: Receipt


def discard(folder: Path | None) -> None:
    """Take away what an earlier gate left of its decision, so that it cannot pass for the one that is being made.

    It goes before the reports are read: whatever ends a gate, a kill too, none is left that it did not make. The audit
    log still has it. Raises NotRecorded where one stays.
    """
    if folder is None:
        return
    stays = ""
    for name in _OF_A_DECISION:
        path = folder / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            # A page or a summary decides nothing, and costs no decision.
            if name in (record.NAME, statement.NAME):
                stays = f"{path}: it is left from an earlier decision and cannot be removed: {error.strerror or error}"
    if stays:
        raise NotRecorded(stays)


def keep(
    decision: Decision, asked: Asked, *, log: Path, folder: Path | None, pages: Mapping[str, str], shadow: bool = False
) -> Kept:
    """Write ``decision.json`` and ``pages`` into ``folder``, where there is one, and a line into the log.

    Raises NotRecorded where any of it fails; the folder then holds no decision.
    """
    text = record.dumps(record.document(decision, asked.policy, asked.question, shadow=shadow))
    digest = sha256(text)
    # The log is held from before the first file to after the last, so that no two decisions can mix in one folder.
    with audit.opened(log) as opened:
        discard(folder)
        made = {record.NAME: text, **pages}
        if not shadow and (attested := _statement(decision, asked, digest)):
            made[statement.NAME] = attested
        files = {} if folder is None else {folder / name: content for name, content in made.items()}
        try:
            for path, content in files.items():
                _write(path, content)
            for approved in _approvals(decision, asked):
                opened.append("approval", approved, now=dt.datetime.now(dt.UTC))
            entry = opened.append(
                "decision", facts(decision, asked, shadow=shadow), decision=digest, now=dt.datetime.now(dt.UTC)
            )
            given = Receipt.of(log, entry)
            if folder is not None:
                _write(folder / receipt.NAME, given.dumps())
        except BaseException:
            # A decision that the log does not know must not be found later as if it counted.
            for path in files:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
    return Kept(sha256=digest, receipt=given)


def _statement(decision: Decision, asked: Asked, digest: str) -> str:
    if not decision.digests:
        return ""
    cases = merge(asked.reading).cases.values()
    return statement.dumps(decision, asked.policy, asked.question, cases, digest)


def _approvals(decision: Decision, asked: Asked) -> Iterator[Mapping[str, Any]]:
    """What the log says of each approval that a promotion rests on."""
    rules = asked.policy.approval
    if decision.verdict is Verdict.PROMOTE and rules.required:
        subject = Subject(
            evidence=decision.evidence_sha256,
            policy=asked.policy.sha256(),
            environment=decision.environment,
            release=decision.release_wanted,
            digests=decision.digests,
        )
        for text in approval.sorted_out(rules, subject, asked.question)[0].values():
            yield approval.Approval.opened(text)[0].facts(text)


def facts(decision: Decision, asked: Asked, *, shadow: bool = False) -> Mapping[str, Any]:
    """What the log says of a decision, enough to know later for what it counts."""
    change = asked.question.change
    return {
        **({"shadow": True} if shadow else {}),
        "decision": decision.verdict.value,
        "environment": decision.environment,
        "release": decision.release_wanted,
        "digests": list(decision.digests),
        "decided": timestamp(asked.question.now),
        "evidence": decision.evidence_sha256,
        "policy": asked.policy.sha256(),
        "policy_for": asked.policy.environment,
        "actor": change.actor,
        "ticket": change.ticket,
        "change": change.what,
        "approvals": [sha256(text) for text in asked.question.approvals],
    }


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise NotRecorded(f"{path}: {error.strerror or error}") from None
