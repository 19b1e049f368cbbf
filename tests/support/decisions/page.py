"""Writes ``docs/gate-cases.md`` from the table: ``python -m support.decisions.page`` with ``tests`` on the path."""

import dataclasses
import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from seatrial import generated
from support.decisions import TABLE, THEMES
from support.decisions.golden import EXIT, Golden
from support.gate import POLICY

_HEAD = """# Cases of the gate

<!-- Generated from tests/support/decisions by `make docs`. -->

{count} cases of reports, policy and question, and what the gate says to each: the contract of [the gate](gate.md), as
its tests have it. `good` reports are those of a finished run in which everything passed. The policy is this one, with
whole tables replaced where a row says so; asked is about `demo` and release `1.5.0`, except where a row says otherwise.

```json
{policy}
```
"""


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # What is not said is as it is by default.
        fields = {field.name: (getattr(value, field.name), field.default) for field in dataclasses.fields(value)}
        return {name: _plain(item) for name, (item, default) in fields.items() if item != default}
    if isinstance(value, str) and value.startswith('{"payload"'):
        return "(a signed approval)"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _given(row: Golden) -> str:
    parts = [f"{word} `{json.dumps(_plain(dict(values)))}`" for word, values in _changes(row) if values]
    text = "; ".join(parts).replace("|", "\\|")
    return text if len(text) < 300 else text[:290] + "...`"


def _changes(row: Golden) -> list[tuple[str, Any]]:
    return [("policy", row.policy), ("asked", row.asked)]


def _line(row: Golden) -> str:
    causes = ", ".join(dict.fromkeys(f"`{code}`" for code, _ in row.causes))
    name = row.name.replace("|", "\\|")
    return f"| {name} | {_given(row)} | {row.verdict} | {EXIT[row.verdict]} | {causes} |"


def page() -> str:
    """The page as Markdown."""
    lines = [_HEAD.format(count=len(TABLE), policy=json.dumps(POLICY, indent=2))]
    for theme in THEMES:
        lines += [f"## {(theme.__doc__ or '').strip().rstrip('.')}", ""]
        lines += ["| reports | policy and question | decision | exit | causes |", "|---|---|---|---|---|"]
        lines += [*map(_line, theme.ROWS), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(generated.main({Path("docs/gate-cases.md"): page()}))
