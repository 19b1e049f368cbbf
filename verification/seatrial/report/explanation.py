"""A decision in plain words: why, by which rules of the policy, what would change it, and why it is no rollback.

It is made from what is recorded, ``decision.json``, so that an old decision explains itself by the policy that
decided. All of it is data from elsewhere, and shown as text and nothing else.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from seatrial.gate import advice
from seatrial.gate.policy import Policy
from seatrial.gate.record import NAME as RECORD
from seatrial.report import rules
from seatrial.report.reader import command_for
from seatrial.report.recorded import table, whole
from seatrial.report.text import plain

WIDTH: Final = 110
MAX_CASES: Final = 10
_EFFECT: Final = {
    "rollback": "calls for a rollback",
    "withheld": "calls for a rollback, which is withheld",
    "hold": "holds",
    "note": "is noted",
}

_CHANGES: Final = {
    "missing-checks": "{n} missing {checks} to run and pass",
    "check-errors": "{n} {checks} to be able to look, and to pass",
    "failed-checks": "{n} failed {checks} to pass",
    "shared-failures": "{n} {checks} that stable fails too to pass",
    "no-way-back": "a way back, or nothing to take back",
}
"""What a cause of this code lacks for a promotion; of any other it is what is to be done about it."""


def render(document: Mapping[str, Any], policy: Policy, record: str = RECORD) -> str:
    """The whole explanation, without a trailing newline; ``policy`` is the one that decided, ``record`` the file."""
    document = whole(document)
    causes = document["causes"]
    telling = [cause for cause in causes if cause.get("effect") != "note"]
    noted = [cause for cause in causes if cause.get("effect") == "note"]
    lines = [*_head(document), "", "why"]
    lines += _numbered(telling) or ["  nothing that counts speaks against the release, and the evidence is complete"]
    if noted:
        lines += ["", "noted, and decides nothing", *_numbered(noted)]
    lines += ["", "what would change it", *_bullets(_changes(document, telling, policy))]
    lines += ["", "rollback", *_bullets(_rollback(document, causes, policy))]
    lines += ["", "rules of the policy"]
    lines += rules.table(document, policy)
    commands = [f"  {plain(command_for(str(command), record), 1_000)}" for command in document["next"]]
    return "\n".join([*lines, *(["", "next", *commands] if commands else [])])


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    release, policy = document["release"], document["policy"]
    wanted, environment = release.get("wanted") or "unknown release", document.get("environment") or "?"
    about = f"{plain(str(wanted))} in {plain(str(environment))}"
    if document.get("shadow"):
        yield "SHADOW  nothing was decided; this is what the gate would have said"
    yield f"{plain(str(document.get('decision'))).upper()}  {about}, at {plain(str(document.get('decided')))}"
    yield f"  by policy {plain(str(policy.get('name')))}, sha256 {plain(str(policy.get('sha256')))[:12]}"


def _numbered(causes: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for number, cause in enumerate(causes, start=1):
        code, effect = str(cause.get("code")), str(cause.get("effect"))
        does = (
            "calls for a rollback, which is withheld" if cause.get("rollback_withheld") else _EFFECT.get(effect, effect)
        )
        sentence = str(cause.get("sentence")).removesuffix(", which is withheld")
        lines += _folded(f"{number}. {plain(sentence, 500)}", "  ", "     ")
        lines += _folded(f"{plain(str(cause.get('kind')))} ({plain(code)}): it {plain(does)}", "     ", "     ")
        cases = cause["cases"]
        for case in cases[:MAX_CASES]:
            lines += _folded(_case(case), "       ", "         ")
        if len(cases) > MAX_CASES:
            lines.append(f"       ... and {len(cases) - MAX_CASES} more")
        if effect != "note":
            lines += _folded(f"-> {advice.of(code, effect)}", "     ", "        ")
    return lines


def _case(case: Mapping[str, Any]) -> str:
    values = table(case.get("numbers"))
    unit = f" {values['unit']}" if values.get("unit") else ""
    words = (("seen", "had"), ("limit", "needed"), ("n", "n"))
    numbers = [f"{word} {values[name]}{'' if name == 'n' else unit}" for name, word in words if values.get(name)]
    said = [str(case.get("message") or ""), ", ".join(numbers)]
    return plain("; ".join([str(case.get("key")), *filter(None, said)]), 500)


def _changes(document: Mapping[str, Any], telling: Sequence[Mapping[str, Any]], policy: Policy) -> Iterator[str]:
    if document.get("decision") == "promote":
        yield "one failed check whose effect is not `note`, one error, or one planned check without an outcome"
        return
    counts: dict[str, int] = {}
    for cause in telling:
        code = str(cause.get("code"))
        counts[code] = counts.get(code, 0) + len(cause["cases"])
    needed = dict.fromkeys(words for code, count in counts.items() for words in _change(code, count, document, policy))
    yield f"for promote: {'; '.join(needed)}"
    if any(str(cause.get("effect")) == "rollback" for cause in telling):
        yield "for hold: evidence that is not about this release, no way back, or stable failing the same checks"


def _change(code: str, count: int, document: Mapping[str, Any], policy: Policy) -> Iterator[str]:
    """What a cause lacks, no more than it lacks."""
    if code == "too-few-checks":
        for suite, needed, had in rules.suites(document, policy):
            if had < needed:
                yield f"{_checks(needed - had, f'more {suite}')} to be executed"
    elif code == "inconclusive-checks":
        yield f"{_checks(count - policy.budgets.inconclusive, 'undecided')} to be decided, and to pass"
    elif code in _CHANGES:
        yield _CHANGES[code].format(n=count, checks="check" if count == 1 else "checks")
    else:
        yield advice.of(code)


def _checks(count: int, which: str) -> str:
    return f"{count} {which} check{'' if count == 1 else 's'}"


def _rollback(document: Mapping[str, Any], causes: Sequence[Mapping[str, Any]], policy: Policy) -> Iterator[str]:
    by_effect = {effect: [c for c in causes if c.get("effect") == effect] for effect in ("rollback", "hold", "note")}
    called = sum(len(cause["cases"]) for cause in by_effect["rollback"])
    if document.get("decision") == "rollback":
        yield f"called for by {called} failed check{'' if called == 1 else 's'} that stable does not fail"
        if policy.rollback.requires:
            yield f"possible: {', '.join(policy.rollback.requires)} passed"
        return
    withheld = [cause for cause in causes if cause.get("rollback_withheld")]
    if withheld:
        why = [str(c.get("sentence")) for c in by_effect["hold"] if c not in withheld and c.get("code") in _FORBIDS]
        yield f"called for, and withheld: {plain('; '.join(why) or 'the evidence does not bear it', 500)}"
    shared = [cause for cause in causes if cause.get("code") == "shared-failures"]
    if shared:
        yield "not called for by what stable fails too: rolling back cannot help"
    failed = [cause for cause in causes if cause.get("code") == "failed-checks" and not cause.get("rollback_withheld")]
    for cause in failed:
        count = len(cause["cases"])
        checks = f"{count} failed check{'' if count == 1 else 's'}"
        effect = plain(str(cause.get("effect")))
        yield f"not called for by {checks}: the policy says {effect} for their weight or trigger"
    if not (withheld or shared or failed):
        yield "not considered: no check failed; errors, missing checks and policy violations never roll back"


_FORBIDS: Final = frozenset(
    {"untrusted-report", "no-identity", "other-environment", "no-policy", "other-release", "other-digests"}
    | {"stale-evidence", "no-time", "frozen-whole", "no-way-back", "uncalibrated"}
)


def _bullets(sentences: Iterator[str]) -> list[str]:
    return [line for words in sentences for line in _folded(f"- {words}", "  ", "    ")]


def _folded(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )
