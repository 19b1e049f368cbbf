"""Writes ``docs/catalogue.md`` from the checks' docstrings: ``python -m seatrial.checks.documentation [--check]``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from seatrial import generated
from seatrial.checks.catalogue import catalogue
from seatrial.checks.check import Check

_HEAD = """# Catalogue of checks

<!-- Generated from the docstrings of verification/seatrial/checks by `make docs`. -->

`seatrial checks` lists them, `seatrial checks ID` explains one, `seatrial checks --json` is for programs. Severity says how
much a failure weighs, the policy what follows from it; a trigger is one of the automatic-rollback triggers. Conversations
are checks of the suite `synthetic`, one for each script; `latency/regression` and `latency/error-rate` are those of
`latency`.
"""


def _entry(check: Check) -> str:
    trigger = f", trigger {check.trigger.value}" if check.trigger else ""
    facts = f"{check.severity.value}{trigger}, one case per {check.per}, reads {', '.join(check.needs) or 'nothing'}"
    return f"### `{check.id}`\n\n{check.title}\n\n{facts}.\n\n- **Why.** {check.why}\n- **Remedy.** {check.remedy}\n"


def _parts() -> Iterator[str]:
    yield _HEAD
    for suite, checks in groupby(catalogue(), key=lambda check: check.suite):
        yield f"## {suite}\n"
        yield from map(_entry, checks)


def page() -> str:
    """The page as Markdown."""
    return "\n".join(_parts())


if __name__ == "__main__":
    sys.exit(generated.main({Path("docs/catalogue.md"): page()}))
