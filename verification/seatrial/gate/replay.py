"""A recorded decision, made once more: the same bytes come out, or what differs is named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from seatrial.gate import calendar_file, record
from seatrial.gate.canonical import evidence_sha256, sha256
from seatrial.gate.decision import Decision, decide
from seatrial.gate.evidence import Reading
from seatrial.gate.policy import Policy
from seatrial.gate.question import Question

MOST: Final = 20
"""Differences of one kind that are named; the others are counted."""


class RecordProblem(ValueError):
    """A file that is no decision of this gate, or one that was changed since; the message says how that is known."""


class _Release(msgspec.Struct):
    wanted: str
    digests: list[str]


class _Cause(msgspec.Struct):
    code: str
    kind: str
    effect: str
    sentence: str


class _Parts(msgspec.Struct):
    """What readers of a record rely on beside what is read into types of its own."""

    decision: str
    environment: str
    release: _Release
    causes: list[_Cause]
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A ``decision.json`` as it was read."""

    text: str
    values: Mapping[str, Any]
    policy: Policy
    question: Question

    @property
    def sha256(self) -> str:
        """Of the file: the name under which audit log and approvals know this decision."""
        return sha256(self.text)

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 of every report by its name."""
        files: Mapping[str, str] = self.values["evidence"]["files"]
        return files


def load(content: bytes) -> Recorded:
    """A decision out of its file. Raises RecordProblem where it is none, or does not agree with itself."""
    try:
        text = content.decode("ascii")
        values = json.loads(text)
        if not isinstance(values, dict) or values.get("schema") != record.SCHEMA:
            seen = values.get("schema") if isinstance(values, dict) else None
            raise RecordProblem(f"expected a decision of schema {record.SCHEMA}, seen {str(seen)[:60]!r}")
        msgspec.convert(values, _Parts)
        policy = msgspec.convert(values["policy"]["rules"], Policy)
        question = msgspec.convert({**values["question"], "now": values["decided"]}, Question)
        hashes = {
            "policy": (values["policy"]["sha256"], policy.sha256()),
            "evidence": (values["evidence"]["sha256"], evidence_sha256(values["evidence"]["files"])),
        }
    except RecordProblem:
        raise
    except RecursionError:
        raise RecordProblem("is nested deeper than any decision") from None
    except (KeyError, TypeError, ValueError) as error:
        words = f"without {error}" if isinstance(error, KeyError) else str(error)[:200]
        raise RecordProblem(f"is no decision that this version can read: {words}") from None
    for name, (written, computed) in hashes.items():
        if written != computed:
            words = f"the {name} in it has the hash {computed}, and it says {str(written)[:64]}"
            raise RecordProblem(f"was changed since it was written: {words}")
    if record.dumps(values) != text:
        raise RecordProblem("was changed since it was written: it is not in the form in which the gate writes")
    return Recorded(text=text, values=values, policy=policy, question=question)


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The decision once more, and how it differs from the recorded one."""

    decision: Decision
    identical: bool
    """Whether the same bytes came out."""
    differences: tuple[str, ...]


def replay(recorded: Recorded, reading: Reading, policy: Policy | None = None) -> Replay:
    """Decide again at the recorded time, by the recorded policy or by ``policy``."""
    rules, asked = recorded.policy, recorded.question
    if policy is not None:
        # The calendars that another policy names are as they are now.
        rules, asked = policy, replace(asked, calendars=calendar_file.looks(policy, asked.now))
    decision = decide(reading, rules, asked)
    shadow = bool(recorded.values.get("shadow"))
    again = record.document(decision, rules, asked, shadow=shadow)
    if record.dumps(again) == recorded.text:
        return Replay(decision=decision, identical=True, differences=())
    found = [
        *_limited(_files(recorded.files, reading.files), "reports"),
        *_limited(
            _values("policy", recorded.values["policy"]["rules"], again["policy"]["rules"]), "keys of the policy"
        ),
        *_limited(_values("version", recorded.values.get("versions"), again["versions"]), "versions"),
    ]
    found += _limited(_values("", _rest(recorded.values), _rest(again)), "parts of the decision")
    return Replay(decision=decision, identical=False, differences=tuple(found))


def _rest(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is not told apart already."""
    inner = {"policy": "rules", "evidence": "files"}
    parts = {name: {k: v for k, v in values[name].items() if k != inner[name]} for name in inner}
    return {**{name: value for name, value in values.items() if name != "versions"}, **parts}


def _files(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*then, *now}):
        if name not in now:
            yield f"report {name}: missing: it was read then, and is not there"
        elif name not in then:
            yield f"report {name}: added: it was not read then"
        elif then[name] != now[name]:
            yield f"report {name}: altered: its SHA-256 was {then[name]}, and is {now[name]}"


def _values(place: str, then: Any, now: Any) -> Iterator[str]:
    """Every value that differs, with its place; of lists that differ in length only that."""
    # Tuples of a policy are lists once they were written.
    then, now = (list(value) if isinstance(value, tuple) else value for value in (then, now))
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            yield from _values(f"{place}.{key}" if place else key, then.get(key), now.get(key))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for number, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from _values(f"{place}[{number}]", one, other)
    elif then != now:
        yield f"{place}: was {_shown(then)}, and is {_shown(now)}"


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, list):
        return f"{len(value)} entries" if value else "empty"
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 200 else f"{text[:197]}..."


def _limited(found: Iterator[str], what: str) -> list[str]:
    lines = list(found)
    more = [f"... and {len(lines) - MOST} more {what}"] if len(lines) > MOST else []
    return lines[:MOST] + more
