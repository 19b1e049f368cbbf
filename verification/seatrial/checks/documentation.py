"""Writes ``docs/catalogue.md`` from the checks' docstrings: ``python -m seatrial.checks.documentation [--check]``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from seatrial import generated
from seatrial.checks.catalogue import catalogue
from seatrial.checks.check import Check
from seatrial.snapshot.kinds import POD_TEMPLATES

_HEAD = """# Catalogue of checks

<!-- Generated from the docstrings of verification/seatrial/checks by `make docs`. -->

`seatrial checks` lists them, `seatrial checks ID` explains one, `seatrial checks --json` is for programs. Severity says how
much a failure weighs, the policy what follows from it; a trigger is one of the automatic-rollback triggers. Conversations
are checks of the suite `synthetic`, one for each script; `latency/error-rate`, `latency/regression`,
`latency/first-token`, `latency/token-rate` and, where an environment asks for it, `latency/calibrated` are those of `latency`.
"""


_PER = {
    "workload": "for the workload of each service, and for the others of each namespace",
    "object": "for each namespace",
    "namespace": "for each namespace",
    "cluster": "for the cluster",
}
"""Of configuration checks, what their cases are about."""


def _reads(check: Check) -> str:
    others = [kind for kind in check.needs if kind not in POD_TEMPLATES]
    some = [kind for kind in check.needs if kind in POD_TEMPLATES]
    listed = [*(["workloads"] if len(some) == len(POD_TEMPLATES) else some), *others]
    return ", ".join(listed) or "nothing"


def _entry(check: Check) -> str:
    trigger = f", trigger {check.trigger.value}" if check.trigger else ""
    per = _PER.get(check.per, f"for each {check.per}") if check.suite == "config" else f"for each {check.per}"
    facts = f"{check.severity.value}{trigger}; {per}; reads {_reads(check)}"
    if check.live and check.suite == "config":
        facts += "; needs a running cluster"
    if check.whole:
        facts += "; inconclusive over manifests that are a part"
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
