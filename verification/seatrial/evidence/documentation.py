"""Writes ``docs/evidence.md`` from the table of properties: ``python -m seatrial.evidence.documentation [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path

from seatrial import generated
from seatrial.evidence.properties import SCHEMA, TABLE

_HEAD = f"""# Evidence

<!-- Generated from verification/seatrial/evidence/properties.py by `make docs`. -->

A run leaves `reports/<run-id>/`: `junit.xml`, `allure-results/` (where allure-pytest is installed), `evidence.json`
and `samples/`. `reports/latest` points at the newest run. `evidence.json` is written before the first check runs, with what
is expected and the state `running`, and replaced at the end; so a run that was killed shows what is missing.

Each fact has one name, in JUnit a `<property>`, in Allure a label. This is version {SCHEMA} of the table.

## Outcomes

`pass` < `inconclusive` < `error` < `fail`; where several reports speak of one case, the worst counts. A skipped case has
no outcome: it is missing evidence, with a reason.

| outcome | meaning | in JUnit | in Allure |
|---|---|---|---|
| `pass` | it was looked at and holds | no child element | `passed` |
| `inconclusive` | it was looked at, and the numbers do not decide | `<failure>` | `broken` |
| `error` | the environment or the tool kept us from looking, or the check crashed | `<failure>` or `<error>` | `broken` |
| `fail` | the product is bad | `<failure>` | `failed` |
"""

_SCOPES = {
    "run": (
        "Of the run",
        (
            "In JUnit properties of the `<testsuite>`; in Allure labels of every result, and `allure-results/seatrial-run.json`."
        ),
    ),
    "case": ("Of a case", "In JUnit properties of the `<testcase>`; in Allure labels of the result."),
}


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for scope, (title, where) in _SCOPES.items():
        rows = [f"| `{entry.name}` | {entry.meaning} |" for entry in TABLE if entry.scope == scope]
        parts.append("\n".join([f"## {title}\n", where, "", "| property | meaning |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(generated.main({Path("docs/evidence.md"): page()}))
