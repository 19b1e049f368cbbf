"""Writes ``docs/gate.md`` and the JSON Schema of policies from the code: ``python -m seatrial.gate.documentation``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from seatrial import generated
from seatrial.gate import advice, policy_schema
from seatrial.gate.cause import REASONS, Kind, Reason
from seatrial.gate.counts import MISCOUNTING
from seatrial.gate.decision import Verdict
from seatrial.gate.policy import SUITES, Policy
from seatrial.gate.question import CLOCK_SKEW
from seatrial.gate.section import Section

_MEANINGS = {
    Verdict.PROMOTE: "the evidence is complete, and nothing that counts speaks against the release",
    Verdict.HOLD: "do not promote, do not roll back; the causes say why, and what to run next",
    Verdict.ROLLBACK: "the release is bad, the evidence bears it, and there is something to roll back to",
}
_KINDS = {
    Kind.PRODUCT: "a check looked, and the product is bad; the only one that can roll back",
    Kind.ENVIRONMENT: "we could not look, or stable does not pass either",
    Kind.EVIDENCE: "we did not look, or too little, or what was left cannot be believed",
    Kind.POLICY: "the evidence is not about what was asked, or too old",
}

_HEAD = f"""# The gate

<!-- Generated from verification/seatrial/gate by `make docs`. -->

`seatrial gate [REPORTS ...]` reads reports and a policy and says promote, hold or rollback. It needs no network, no
cluster and no pytest. The decision is a function of the reports, the policy, the question (`--env`, `--release`) and the
time (`--now`): the same give the same bytes in `decision.json`. `--digest`, once for every image, asks about images; a run
that was to verify others, or other ones as well, is about another release.

## Exit codes

| code | decision | meaning |
|---|---|---|
{{verdicts}}
| `2` | none | wrong use: the command line or the policy is wrong |
| `4` | as it says | the decision stands, and what `--execute` was to do failed, or was not done |
| `3` | none | the gate itself failed, or could not write the decision down: files or audit log |

`1` is nobody's verdict. A pipeline treats every code other than 0 and 20 as hold.

With `--shadow` the gate says and records what it would have decided, marked `"shadow": true`, and exits with 0, except for
wrong use and its own failure: for trying a policy out beside the one that decides.

`seatrial gate explain [decision.json|REPORTS]` says in plain words why: each cause, each rule of the policy with what it
needed and what it had, what would change the decision, and why it is no rollback. A folder named like a subcommand is given
as `./explain`.

`seatrial gate backtest --policy FILE|NAME reports/*` says what that policy would have decided over past runs, each at the
moment of its recorded decision, else at its end, so that its age is what it was then. It writes nothing; `--json` is for
programs.

## The four causes

| kind | meaning |
|---|---|
{{kinds}}

## Reasons

The decision is the worst effect of its causes: rollback before hold; notes decide nothing. A reason that *forbids a
rollback* turns every rollback into a hold, since the evidence is not about this release or cannot be believed. Anything
else that is missing does not keep a rollback: a release that is proven bad is bad. `code` is stable, for pipelines.

| code | kind | effect | forbids a rollback | meaning | what to do |
|---|---|---|---|---|---|
{{reasons}}

## How reports become evidence

- Below each folder the gate reads `*.xml` (JUnit), `*-result.json`, `*-container.json`, `*-globals.json` and
  `seatrial-run.json` (Allure), and `evidence.json`.
  Hidden folders, `samples/` and Allure's attachments are left out. Any one kind is enough; together they must agree.
- A case is known by its key, `check[object]@track`. The worst outcome told of it counts:
  `pass` < `inconclusive` < `error` < `fail`. A skip is no outcome, and gives way to any. The same goes for its severity.
- Reports of one run that tell a case's outcome, severity or role differently, the run's environment, release or plan, or
  a weight other than the planned one, contradict each other. So does a property that says pass over an element that does
  not: the case becomes an error.
- A planned case without an outcome is missing. Plans come from `evidence.json`, or the property `seatrial.expected`.
- A `control` case, of the stable track beside a candidate, never decides. Where it fails or could not look, a failure of
  the same check on the same object is shared.
- What counts towards `minimum` is a case on the track under test with an outcome. A failure that the policy only notes
  does not count: otherwise a failure could be what completes the evidence for a promotion.
- A case without `seatrial.` properties belongs to the suite `foreign`, with the severity `major`, and can stand for none
  of ours, whatever its name. In the report of a run of ours it counts for nothing, and its failure is an error: such is
  the test that a dying worker leaves behind. Times of foreign reports without a zone are read as UTC.
- `[[foreign]]` in a policy counts such tests to suites, with a severity and a trigger, by globs over their names, files and
  reports. They can satisfy a required suite then, and roll back where they are critical.
- A test that passed after an attempt that did not is *flaky*, neither passed nor failed: it holds above `[budgets] flaky`.
  Reports that tell it: `flakyFailure` and `flakyError` (Surefire, Gradle with `mergeReruns`, cargo-nextest, Playwright with
  `includeRetries`), the extra cases of pytest-rerunfailures, results of one `historyId` in one folder of Allure by their
  start, `statusDetails.flaky`, and the property `seatrial.attempt` of ours. Elsewhere, of cases of one name the worst counts,
  so a rerun of gotestsum or Gradle without `mergeReruns` stays a failure. Jest, Vitest, RSpec, Mocha and Cypress, and
  Playwright's JUnit as it is by default, tell the last attempt alone: what is not written cannot be seen here.
- Expected failures are noted, and so are passes that were expected to fail where the report says so, as Allure does; pytest
  writes such a pass into JUnit as any other.
- What a suite declares as `tests`, and as `failures` and `errors` together, is compared with what is in it; a disagreement
  holds. Tests are not compared where the tool is known to count otherwise:
{{miscounting}}
- gotestsum tells of a package that does not compile in the number of errors alone: that disagreement is meant. `*-globals.json`
  of Allure are errors of a run that belong to no test, such as those of hooks, and hold. A fixture that failed or broke while
  setting up or tearing down, as `*-container.json` tell, makes the results that it was for errors unless they failed by
  themselves, or as they were expected to; one that was for no result that is there is an error of the run. PHPUnit, k6 and Surefire before
  version 3 write no time: evidence of them wants `max_age = "any"`.
- A document type, an entity, endless tags or depth make a report hostile. Links out of the folder are not followed, pipes
  and devices not opened; both hold.
- Evidence from more than {int(CLOCK_SKEW.total_seconds() // 60)} minutes in the future is not believed.
- Without `--env` and `--policy` the evidence names its policy by its environment; where there is none, it is held to
  `base`, and holds. A pipeline should say which environment it asks about.

## Files

`decision.json`, `summary.md` and `decision.html` are written into the first folder of reports, or into `--output`. What an
earlier decision left there goes before the reports are read: whatever ends a gate before it has decided, wrong use, a full disk
or a kill, no decision is left that it did not make. Only a command line that cannot be parsed names no folder. The page is for people: one file without script or network, to be read on a phone and in print; where it cannot be written the
decision stands. It also draws histograms and lists findings that lie beside the reports, which decide nothing. The decision holds the
causes with their cases and numbers, the counts by suite, the missing cases, and the SHA-256 of the policy as it comes out
of all files that it extends and of every report. It is canonical: sorted keys, no floats, ASCII. `receipt.json` beside it
says which line of the audit log it became; [promotion](promotion.md) tells of that log and of replays. The summary is also
appended to the file that `GITHUB_STEP_SUMMARY` names. Commands under *next* are `pytest` or `seatrial` and quoted anew;
others that a report suggests are not repeated.

## Policies

A policy is `fixtures/policies/NAME.toml`. `--policy` names it, as a name or a path ending in `.toml`; without it the name
is that of `--env`. `extends = "NAME"` lays a policy over another: tables key by key, freezes are added, and every other
list takes the place of the one below, so that an exemption that is not said again is gone. An unknown key is an error.
Suites are {{suites}}.

`seatrial policy list` names the policies, `seatrial policy show NAME` prints what one comes to.

`seatrial policy lint [NAME ...]` finds what a policy says and cannot mean: rules that never fire, limits that never hold,
demands that contradict, exemptions that are over, freezes without end, calendars that hold nothing, checks that there are not. `--plan REPORTS` holds it
against what a run planned as well: a minimum that no run can reach, entries that are of nothing. It exits with 0 without
errors, whatever the warnings, with 10 where there are errors, and with 2 for wrong use; `--json` is for programs.

`calendar` of a `[[freeze]]` is an iCalendar file (RFC 5545), as calendars of changes are exported; it needs the extra `calendar`.
Nothing is promoted while an event in it lasts, also one that is tentative or marked as free time; cancelled ones do not count.
Repetitions, exceptions, occurrences that were moved, and time zones are those of the file; times without a zone and whole days
are by the clocks of `zone`, UTC where absent. A calendar that is missing, unreadable, cut off or without an event, or that says
something that is not understood, holds with `no-calendar`: a freeze that is left out would be one that does not hold. The record
has what it said of the moment, so that a replay needs no calendar. See that it is exported anew before the gate asks.

Editors complete and check the files by `fixtures/policies/schema.json`.
"""


def _type(schema: dict[str, Any]) -> str:
    choices = [choice for part in schema.get("anyOf", [schema]) for choice in part.get("enum", [])]
    if choices:
        return ", ".join(f"`{value}`" for value in sorted(choices))
    schema = next(part for part in schema.get("anyOf", [schema]) if part.get("type") != "null")
    if schema.get("format"):
        return {"date-time": "time"}.get(str(schema["format"]), str(schema["format"]))
    if schema["type"] == "array":
        if "$ref" in schema.get("items", {}):
            return "list of tables"
        named = schema["items"].get("enum", []) if isinstance(schema.get("items"), dict) else []
        return "list of " + (", ".join(f"`{value}`" for value in named) or "strings")
    return {"integer": "whole number"}.get(str(schema["type"]), str(schema["type"]))


def _rows(section: type[Section], names: Sequence[str]) -> list[str]:
    _, definitions = msgspec.json.schema_components([section], ref_template="{name}")
    schema = definitions[section.__name__]["properties"]
    rows = []
    for name in names:
        default = schema[name].get("default")
        shown = f"`{json.dumps(default)}`" if isinstance(default, int) or default else ""
        rows.append(f"| `{name}` | {_type(schema[name])} | {shown} | {schema[name]['description']} |")
    return rows


def _table(heading: str, doc: str, rows: list[str]) -> str:
    return "\n".join([heading, "", doc, "", "| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def _section(section: type[Section]) -> str:
    path, _, doc = " ".join((section.__doc__ or "").split()).partition(": ")
    rows = _rows(section, section.__struct_encode_fields__)
    return _table(f"### {path}", f"{doc[:1].upper()}{doc[1:]}", rows)


def _top() -> str:
    extends = "| `extends` | string |  | policy over which this one is laid |"
    return _table("### Top level", "Beside the tables below.", [extends, *_rows(Policy, ("environment", "dry_run"))])


def _reason(reason: Reason) -> str:
    blocks = "yes" if reason.blocks else ""
    return f"| `{reason.code}` | {reason.kind} | {reason.effect or 'policy'} | {blocks} | {reason.meaning} | {advice.ADVICE.get(reason.code, '')} |"


def page() -> str:
    """The page as Markdown."""
    head = _HEAD.format(
        verdicts="\n".join(f"| `{v.exit_code}` | {v.value} | {_MEANINGS[v]} |" for v in Verdict),
        kinds="\n".join(f"| {kind.value} | {meaning} |" for kind, meaning in _KINDS.items()),
        reasons="\n".join(map(_reason, REASONS)),
        suites=", ".join(f"`{suite}`" for suite in SUITES),
        miscounting="\n".join(f"  `{name}`: {why};" for name, why in MISCOUNTING.items()),
    )
    return "\n".join([head, _top(), *map(_section, policy_schema.sections())])


if __name__ == "__main__":
    sys.exit(
        generated.main(
            {
                Path("docs/gate.md"): page(),
                Path("fixtures/policies/schema.json"): policy_schema.text(),
            }
        )
    )
