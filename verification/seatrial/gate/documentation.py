"""Writes ``docs/gate.md`` from the policy's sections: ``python -m seatrial.gate.documentation [--check]``."""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import msgspec

from seatrial.gate.decision import CLOCK_SKEW, Kind, Verdict
from seatrial.gate.policy import Budgets, Effects, EvidenceRules, Policy, Required, RollbackRules, Section

_KINDS = {
    Kind.PRODUCT: (
        "a check looked, and the product is bad",
        "what `effects` says: rollback, hold or a note; the only one that rolls back",
    ),
    Kind.ENVIRONMENT: (
        "a check could not look, or stable fails in the same way",
        "hold, beyond `budgets.error`; rolling back would not help",
    ),
    Kind.EVIDENCE: (
        "a check, suite, run or report is missing, unreadable, undecided or not to be trusted",
        "hold, beyond `budgets.inconclusive`",
    ),
    Kind.POLICY: ("the evidence is about another environment or release, or too old", "hold, and no rollback either"),
}

_MEANINGS = {
    Verdict.PROMOTE: "the evidence is complete, and nothing in it stands in the way",
    Verdict.HOLD: "do not promote, do not roll back; the causes say why, and what to run next",
    Verdict.ROLLBACK: "the release is bad, the evidence bears it, and there is something to roll back to",
}

_HEAD = f"""# The gate

<!-- Generated from verification/seatrial/gate by `make docs`. -->

`seatrial gate [REPORTS ...]` reads reports and a policy and says promote, hold or rollback. It needs no network, no
cluster and no pytest. The decision is a function of the reports, the policy, the question (`--env`, `--release`) and the
time (`--now`): the same give the same bytes in `decision.json`.

## Exit codes

| code | decision | meaning |
|---|---|---|
{{verdicts}}
| `2` | none | wrong use: the command line or the policy is wrong |
| `3` | none | the gate itself failed |

`1` is nobody's verdict. A pipeline treats every code other than 0 and 20 as hold.

## Causes

| cause | meaning | what follows |
|---|---|---|
{{kinds}}

A decision is the worst of its causes, rollback before hold. A rollback becomes a hold where the evidence is contradictory,
hostile, stale, from the future, or about something else, and where a check of `rollback.requires` did not pass.

## How reports merge

- Below each folder the gate reads `*.xml` (JUnit), `*-result.json` and `seatrial-run.json` (Allure), and `evidence.json`.
  Hidden folders, `samples/` and Allure's attachments are left out. Any one kind is enough; together they must agree.
- A case is known by its key, `check[object]@track`. The worst outcome told of it counts:
  `pass` < `inconclusive` < `error` < `fail`. A skip is no outcome, and gives way to any.
- Two reports of the same run that tell different outcomes of one case contradict each other: hold, and no rollback.
- A planned case without an outcome is missing. Plans come from `evidence.json`, or the property `seatrial.expected`.
- A `control` case, of the stable track beside a candidate, never decides. Where it fails or could not look, a failure of
  the same check on the candidate is the environment's.
- A case without `seatrial.` properties belongs to the suite `foreign` and has the severity `major`. In the report of a
  seatrial run its failure counts as an error, since such is a test that a dying worker left behind.
- A report that cannot be read holds; the others still count. One that looks like an attack (a document type, an entity, a
  link out of the folder, endless depth) or was written by an unknown version also forbids a rollback.
- Evidence from more than {int(CLOCK_SKEW.total_seconds() // 60)} minutes in the future is not believed.

## Files

`decision.json` and `summary.md` are written into the first folder of reports, or into `--output`. The decision holds the
causes with their cases, the counts by suite, the SHA-256 of the policy and of every file read. The summary is also
appended to the file that `GITHUB_STEP_SUMMARY` names.

## Policies

A policy is `fixtures/policies/NAME.toml`. `--policy` names it, as a name or a path ending in `.toml`; without it the name
is that of `--env`, or else of the environment that the reports are about. `extends = "NAME"` lays a policy over another,
tables key by key. An unknown key is an error.
"""

_SECTIONS: tuple[tuple[str, type[Section]], ...] = (
    ("", Policy),
    ("required.NAME", Required),
    ("evidence", EvidenceRules),
    ("effects", Effects),
    ("suite_effects.NAME", Effects),
    ("budgets", Budgets),
    ("rollback", RollbackRules),
)


def meanings(section: type[Section]) -> dict[str, str]:
    """The docstrings of a section's fields, by name. Raises KeyError for a field that has none."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {
        field.target.id: inspect.cleandoc(words.value.value)
        for field, words in zip(tree.body, tree.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(words, ast.Expr)
        and isinstance(words.value, ast.Constant)
        and isinstance(words.value.value, str)
    }
    return {name: found[name] for name in section.__struct_fields__}


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return "table"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in sorted(schema["enum"]))
    if schema["type"] == "array":
        return "list of strings"
    kind = str(schema["type"])
    return {"object": "table of tables", "integer": "whole number"}.get(kind, kind)


def _section(path: str, section: type[Section]) -> str:
    _, definitions = msgspec.json.schema_components([section], ref_template="{name}")
    schema = definitions[section.__name__]["properties"]
    rows = []
    for name, meaning in meanings(section).items():
        default = schema[name].get("default")
        shown = f"`{json.dumps(default)}`" if default == 0 or (default and isinstance(default, str | int)) else ""
        rows.append(f"| `{name}` | {_type(schema[name])} | {shown} | {meaning} |")
    heading = f"### `[{path}]`" if path else "### Top level"
    doc = " ".join((section.__doc__ or "").split())
    return "\n".join([heading, "", doc, "", "| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def page() -> str:
    """The page as Markdown."""
    verdicts = "\n".join(f"| `{v.exit_code}` | {v.value} | {_MEANINGS[v]} |" for v in Verdict)
    kinds = "\n".join(f"| {kind.value} | {meaning} | {effect} |" for kind, (meaning, effect) in _KINDS.items())
    head = _HEAD.format(verdicts=verdicts, kinds=kinds)
    return "\n".join([head, *(_section(path, section) for path, section in _SECTIONS)])


def main() -> int:
    """Write the page, or with ``--check`` return 1 where it is out of date."""
    path = Path("docs/gate.md")
    if "--check" in sys.argv[1:]:
        return int(not path.is_file() or path.read_text(encoding="utf-8") != page())
    path.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
