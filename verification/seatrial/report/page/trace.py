"""When everything was, what the decision rests on, and how it is made once more."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator
from typing import Final

from seatrial.gate.approval import Approval, Subject, sorted_out
from seatrial.gate.evidence import Problem
from seatrial.gate.merging import Run
from seatrial.report.page.markup import SPACE, Child, Html, facts, joined, table, tag
from seatrial.report.page.material import Material
from seatrial.report.page.words import utc

MAX_FILES: Final = 200


def timeline(material: Material) -> Html:
    """Runs, approvals that count and the decision, in the order in which they were."""
    events = [event for run in material.evidence.runs for event in _events(run)]
    events += _approvals(material)
    now = material.question.now
    events.append((now, f"decided: {material.decision.verdict.value}"))
    events.sort(key=lambda event: event[0])
    return tag("ol", *(tag("li", utc(moment), SPACE, words) for moment, words in events), class_="timeline")


def _events(run: Run) -> list[tuple[dt.datetime, str]]:
    found = []
    for name, words in (("started", "started"), ("finished", "ended")):
        moment = _moment(run.get(name))
        if moment is not None:
            host = f" on {run.get('host')}" if name == "started" and run.get("host") else ""
            state = f", {run.state}" if name == "finished" and run.state != "finished" else ""
            found.append((moment, f"run {run.name} {words}{host}{state}"))
    return found


def _approvals(material: Material) -> Iterator[tuple[dt.datetime, str]]:
    decision, rules = material.decision, material.policy.approval
    if not rules.required or not material.question.approvals:
        return
    subject = Subject(
        evidence=decision.evidence_sha256,
        policy=material.policy.sha256(),
        environment=decision.environment,
        release=decision.release_wanted,
        digests=decision.digests,
    )
    for text in sorted_out(rules, subject, material.question)[0].values():
        approved = Approval.opened(text)[0]
        yield approved.issued, f"approved by {approved.identity}, until {approved.expires:%Y-%m-%d %H:%M} UTC"


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def evidence(material: Material) -> Html:
    """Links, hashes, the command of a replay, and every file that was read."""
    decision, policy = material.decision, material.policy
    hashes: list[tuple[str, Child]] = [
        ("record (decision.json)", _hash(material.record_sha256)),
        ("evidence", _hash(decision.evidence_sha256)),
        (f"policy {policy.name}".strip(), _hash(policy.sha256())),
        *((f"environment {decision.environment}", _hash(value)) for value in decision.environment_hashes),
        *(("image", _hash(digest)) for digest in decision.digests),
        ("seatrial", ", ".join(material.evidence.facts("suite-version"))),
    ]
    return joined(
        [
            _links(material),
            tag("h3", "Hashes"),
            facts(hashes, class_="hashes"),
            tag("h3", "Decide once more"),
            tag(
                "p",
                "In the folder of the record: the same reports, policy, question and time give the same bytes.",
                class_="aside",
            ),
            tag("pre", tag("code", replay(material))),
            _problems(material.evidence.problems, material.contents.problems),
            _files(material),
        ]
    )


def replay(material: Material) -> str:
    """The command that makes the same decision from the same reports."""
    named = [f"--reports={place}" for place in material.elsewhere]
    return shlex.join(["seatrial", "gate", "replay", "decision.json", *named])


def _hash(text: str) -> Html:
    return tag("code", text, class_="hash")


def _links(material: Material) -> Html:
    found = [tag("li", tag("a", link.text, href=link.href)) for link in material.contents.links]
    own = [tag("li", tag("a", text, href=f"./{text}")) for text in ("decision.json", "summary.md")]
    return tag("ul", *own, *found, class_="links")


def _problems(told: tuple[Problem, ...], shown: tuple[str, ...]) -> Html | None:
    words = [*(f"{problem.source}: {problem.message}" for problem in told), *shown]
    if not words:
        return None
    return joined([tag("h3", "Problems with the reports"), tag("ul", *(tag("li", line) for line in words[:MAX_FILES]))])


def _files(material: Material) -> Html | None:
    files = material.decision.files
    if not files:
        return None
    rows: list[list[Child]] = [[tag("code", name), _hash(digest)] for name, digest in list(files.items())[:MAX_FILES]]
    more = len(files) - MAX_FILES
    rest = tag("p", f"... and {more} more, all in decision.json", class_="aside") if more > 0 else None
    listing = table("Reports that were read, with their SHA-256", ["file", "SHA-256"], rows)
    return tag("details", tag("summary", f"every report that was read ({len(files)})"), listing, rest)
