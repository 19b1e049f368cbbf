"""Acts upon a decision: the policy's single command, once for one body of evidence, then a look whether it worked.

Commands come from the policy alone. Reports are data, and nothing out of them is ever run.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seatrial.evidence.redaction import redactor
from seatrial.evidence.run import timestamp, write_atomically
from seatrial.gate import audit, running
from seatrial.gate.audit import NotRecorded
from seatrial.gate.canonical import canonical
from seatrial.gate.decision import Decision, Verdict
from seatrial.gate.precedent import History
from seatrial.gate.promotion_rules import ActingRules
from seatrial.gate.running import Ran
from seatrial.gate.section import seconds

NAME: Final = "acting.json"
SCHEMA: Final = 1
_SECRET: Final = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY")
"""Names of variables whose values are kept out of everything, whether they were named or not."""
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:,@/ -]{0,300}")


class Refused(Exception):
    """Nothing was done; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Acted:
    """What was done, and whether it did what it should."""

    words: str
    good: bool
    interrupted: bool = False


def command_of(rules: ActingRules, verdict: Verdict) -> tuple[str, ...]:
    """The single command of a verdict; empty for a hold, and where the policy has none."""
    return {Verdict.PROMOTE: rules.promote, Verdict.ROLLBACK: rules.rollback, Verdict.HOLD: ()}[verdict]


def act(decision: Decision, digest: str, rules: ActingRules, *, log: Path, folder: Path, redact: list[str]) -> Acted:
    """Run the command of the verdict, then ``verify``. ``digest`` is the SHA-256 of the decision.

    Raises Refused where another is at it in this environment, where the same evidence was acted upon before and did
    not end well, or where the log cannot take it.
    """
    argv = command_of(rules, decision.verdict)
    if not argv:
        raise Refused(f"the policy has no command under [acting] {decision.verdict.value}")
    clean = redactor(secrets(os.environ, (*rules.redact_env, *redact)))
    about = {
        "decision": decision.verdict.value,
        "environment": decision.environment,
        "release": decision.release_wanted,
        "digests": list(decision.digests),
        "evidence": decision.evidence_sha256,
    }
    with _alone(log, decision.environment):
        if done := _done(log, about):
            return Acted(words=done, good=True)
        _note(log, digest, {**about, "state": "started", "command": [clean(word) for word in argv]})
        began, clock = dt.datetime.now(dt.UTC), time.monotonic()
        ran = _carried_out(rules, argv, decision, clean)
        took = round((time.monotonic() - clock) * 1000)
        state = _state(ran, rules, took)
        result = {
            "schema": SCHEMA,
            **about,
            "acted_upon": digest,
            "began": timestamp(began),
            "state": state,
            "milliseconds": took,
            "objective": rules.objective,
            "commands": [_shown(one) for one in ran],
        }
        _note(log, digest, {**about, "state": state, "milliseconds": took, "exit_code": ran[0].exit_code})
        try:
            write_atomically(folder / NAME, canonical(result) + "\n")
        except OSError as error:
            raise Refused(f"it was done ({state}), and {folder / NAME} cannot be written: {error}") from None
    return Acted(
        words=_told(ran, state, took, rules), good=state == "done", interrupted=any(r.end == "interrupted" for r in ran)
    )


def secrets(variables: Mapping[str, str], named: tuple[str, ...]) -> list[str]:
    """The values that must not be seen: of the variables that are named, and of those whose name says what they are.

    Of a value of several lines each line is one too, since an output may be cut between them.
    """
    values = [value for name, value in variables.items() if name in named or _SECRET.search(name.upper())]
    return list(dict.fromkeys([*values, *(line for value in values for line in value.splitlines() if len(line) > 7)]))


def _carried_out(
    rules: ActingRules, argv: tuple[str, ...], decision: Decision, clean: Callable[[str], str]
) -> list[Ran]:
    limit = seconds(rules.timeout)
    told = {
        "SEATRIAL_GATE_VERDICT": decision.verdict.value,
        "SEATRIAL_GATE_ENVIRONMENT": decision.environment,
        "SEATRIAL_GATE_RELEASE": decision.release_wanted,
        "SEATRIAL_GATE_DIGESTS": ",".join(decision.digests),
    }
    # They come from reports: a command may paste them somewhere, so nothing odd is handed on.
    environ = {**os.environ, **{name: value for name, value in told.items() if _SAFE.fullmatch(value)}}
    ran = [running.run(argv, seconds=limit, environ=environ, clean=clean)]
    if rules.verify and ran[0].good:
        ran.append(running.run(rules.verify, seconds=limit, environ=environ, clean=clean))
    return ran


def _state(ran: list[Ran], rules: ActingRules, milliseconds: int) -> str:
    if not all(one.good for one in ran):
        return "failed" if not ran[0].good else "not verified"
    allowed = seconds(rules.objective)
    return "too slow" if allowed is not None and milliseconds > allowed * 1000 else "done"


def _shown(ran: Ran) -> dict[str, Any]:
    code = {} if ran.exit_code is None else {"exit_code": ran.exit_code}
    words = {"argv": list(ran.argv), "end": ran.end, "milliseconds": ran.milliseconds, "output": ran.output}
    return {**words, **code}


def _told(ran: list[Ran], state: str, took: int, rules: ActingRules) -> str:
    lines = []
    for one in ran:
        ended = f"exit code {one.exit_code}" if one.end == "exited" else one.end
        lines.append(f"{' '.join(one.argv)}: {ended} after {one.milliseconds / 1000:.1f} s")
        if not one.good:
            lines += [f"  {line}" for line in one.output.splitlines()[-10:]]
    limit = "" if rules.objective == "any" else f"; allowed are {rules.objective}"
    looked = "" if rules.verify else ", and nothing looked whether it worked: [acting] verify"
    return "\n".join([*lines, f"{state}: {took / 1000:.1f} s from the decision to the end{limit}{looked}"])


def _done(log: Path, about: Mapping[str, Any]) -> str:
    """When the same was done before; empty where it was not. Raises Refused where that did not end well."""
    history = History.read(log)
    if history.problem:
        raise Refused(history.problem)
    same = ("decision", "environment", "evidence")
    before = [
        entry
        for entry in history.entries
        if entry.kind == "execution" and all(entry.facts.get(name) == about[name] for name in same)
    ]
    if not before:
        return ""
    last = before[-1]
    state = str(last.facts.get("state"))
    if state == "done":
        return f"already done at {last.time}, and never twice for the same evidence"
    words = "was begun and never told its end" if state == "started" else f"ended {state}"
    words = f"acting upon the same evidence {words} at {last.time}"
    raise Refused(f"{words}: look what became of it, then act by hand, or verify again")


def _note(log: Path, digest: str, facts: Mapping[str, Any]) -> None:
    try:
        with audit.opened(log) as opened:
            opened.append("execution", facts, decision=digest, now=dt.datetime.now(dt.UTC))
    except NotRecorded as problem:
        raise Refused(f"not recorded: {problem}") from None


@contextmanager
def _alone(log: Path, environment: str) -> Iterator[None]:
    """Only one acts in an environment at a time. The lock ends with the process that holds it, however that ends."""
    import fcntl

    name = re.sub(r"[^A-Za-z0-9.-]+", "-", environment) or "unknown"
    path = log.with_name(f".acting-{name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"another is acting in {environment} right now") from None
        yield
    finally:
        os.close(descriptor)
